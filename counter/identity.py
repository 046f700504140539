"""The ids of what is counted and sent."""

import uuid

_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")


def identity_of(camera: str, *parts: object) -> str:
    """The same camera and parts give the same id, so that what is told a second time is known for it.

    A visit's parts are its label and the frame it began with; those of anything else start with an empty one, which no label is.
    """
    return str(uuid.uuid5(_NAMESPACE, "\n".join([camera, *map(str, parts)])))
