"""Ids of results, which are always the same for the same result, so that receivers recognise a repeated one."""

import uuid

_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")


def result_id(camera: str, *parts: object) -> str:
    """Returns the id for a camera and parts.

    The parts of a visit counted by presence are its label and its first frame. Those of other results start with an empty text.
    """
    return str(uuid.uuid5(_NAMESPACE, "\n".join([camera, *map(str, parts)])))
