"""The downloaded models and their state, stored in STATE_DIR so that a restart can continue."""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from bus import ModelUpdate
from classifier.download import find_address_problem, model_name

STATE_FILE = "models.json"
_FILE_PATTERN = r"^[A-Za-z0-9_.-]+-[0-9a-f]{12}\.zip$"
_OWN_FILE = re.compile(_FILE_PATTERN[:-1] + r"(\.part|\.etag)?$")
"""Names of the zips of this store. Other files in the folder are never touched."""
FileName = Annotated[str, Field(pattern=_FILE_PATTERN)]
CHUNK_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that is or was served: its identity, and the name and SHA-256 of its zip. For MODEL, both are empty."""

    model: str
    file: FileName | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class PendingModel:
    """A requested model, until it is served or refused. The address may contain a secret, so it is kept no longer."""

    url: str = field(repr=False)
    sha256: str
    trials: int = 0
    """Number of trials that have begun."""

    @property
    def file(self) -> str:
        return f"{model_name(self.url)}-{self.sha256[:12]}.zip"


def find_request_problem(url: str, sha256: str) -> str:
    """Returns the problem with a request and what is allowed, or an empty text."""
    if problem := find_address_problem(url):
        return f"url: {problem}"
    is_digest = re.fullmatch(r"[0-9a-f]{64}", sha256)
    return "" if is_digest else "sha256: must be 64 hex digits, the SHA-256 of the zip"


@dataclass(frozen=True, slots=True)
class SavedState:
    """The state that survives a restart."""

    served: StoredModel | None = None
    previous: StoredModel | None = None
    wanted: PendingModel | None = None
    update: ModelUpdate = field(default_factory=lambda: ModelUpdate("none"))
    address: str = ""
    """SHA-256 of the last requested address, to recognise a repeated request."""
    default: str = ""
    """Fingerprint of MODEL's export when it was last read."""

    def candidates(self, default: str) -> list[StoredModel]:
        """Returns the models to try at a start, best first. MODEL comes first if `default`, its fingerprint, has changed."""
        stored = [one for one in (self.served, self.previous) if one is not None and one.file]
        is_changed = bool(self.default) and default != self.default
        is_served = self.served is None or self.served.file is None
        return [StoredModel(""), *stored] if is_changed or is_served else [*stored, StoredModel("")]

    @property
    def overridden_update(self) -> ModelUpdate:
        """The outcome once MODEL is served instead of the requested model."""
        detail = "MODEL's files have changed and are served instead"
        is_served = self.update.state == "serving"
        return replace(self.update, state="rolled-back", detail=detail) if is_served else self.update


_validate = TypeAdapter(SavedState).validate_json


class ModelStore:
    """The folder STATE_DIR. If it is None, nothing is saved. Methods raise `OSError`."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, file: str) -> Path:
        """Returns the path of a zip."""
        assert self.folder is not None
        return self.folder / file

    def is_intact(self, file: str | None, sha256: str) -> bool:
        """Returns whether the zip exists and has this SHA-256."""
        if file is None:
            return False
        digest = hashlib.sha256()
        try:
            with self.path(file).open("rb") as archive:
                while chunk := archive.read(CHUNK_SIZE):
                    digest.update(chunk)
        except OSError:
            return False
        return digest.hexdigest() == sha256

    def read(self) -> SavedState:
        """Returns the saved state, or a new one if there is none. Raises `ValueError` if it is damaged."""
        if self.folder is None or not (self.folder / STATE_FILE).exists():
            return SavedState()
        return _validate((self.folder / STATE_FILE).read_bytes())

    def write(self, state: SavedState) -> None:
        """Replaces the saved state atomically, even if the power fails, and removes zips that the new state does not name."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / f".{STATE_FILE}.tmp"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # Path.open cannot set the permissions
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / STATE_FILE)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # makes the rename durable
        finally:
            os.close(descriptor)
        named = [one.file for one in (state.served, state.previous, state.wanted) if one is not None]
        for path in self.folder.iterdir():
            if path.name.removesuffix(".part").removesuffix(".etag") not in named and _OWN_FILE.fullmatch(path.name):
                path.unlink(missing_ok=True)
