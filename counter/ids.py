"""Ids of results, which are always the same for the same result, so that receivers recognise a repeated one."""

import re
import uuid

_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")
_is_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


def result_id(camera: str, *parts: object) -> str:
    """Returns the id for a camera and parts.

    The parts of a visit counted by presence are its label and its first frame. Those of other results start with an empty text.
    """
    return str(uuid.uuid5(_NAMESPACE, "\n".join([camera, *map(str, parts)])))


def pack_id(given: str | bytes) -> str | bytes:
    """Returns the form of an id in the ledger: the 16 bytes of a UUID. Anything else stays as it is."""
    return bytes.fromhex(given.replace("-", "")) if isinstance(given, str) and _is_uuid(given) else given


def unpack_id(stored: str | bytes) -> str:
    """Returns the id that the ledger has in this form. Raises `ValueError`."""
    return str(uuid.UUID(bytes=stored)) if isinstance(stored, bytes) else stored
