"""Which models were downloaded and what became of them, kept in STATE_DIR so that a restart continues where it was."""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from bus import ModelUpdate
from classifier.download import model_address_problem, model_name

STATE_FILE = "models.json"
_FILE = r"^[A-Za-z0-9_.-]+-[0-9a-f]{12}\.zip$"
_OWN = re.compile(_FILE[:-1] + r"(\.part)?$")
"""The names of this store's files; other files in the folder are left alone."""
FileName = Annotated[str, Field(pattern=_FILE)]
CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that is or was served: its identity, and the zip's name and SHA-256; with neither, the one of MODEL."""

    model: str
    file: FileName | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model that is still to be downloaded or tried. The address may hold a secret: it is kept only until then."""

    url: str = field(repr=False)
    sha256: str
    trials: int = 0
    """How often its trial has begun."""

    @property
    def file(self) -> str:
        return f"{model_name(self.url)}-{self.sha256[:12]}.zip"


def find_problem(url: str, sha256: str) -> str:
    """The problem with a request, and what is allowed; empty when there is none."""
    if problem := model_address_problem(url):
        return f"url: {problem}"
    is_digest = re.fullmatch(r"[0-9a-f]{64}", sha256)
    return "" if is_digest else "sha256: must be 64 hex digits, the SHA-256 of the zip"


@dataclass(frozen=True, slots=True)
class SavedState:
    """All that outlives the process."""

    served: StoredModel | None = None
    previous: StoredModel | None = None
    wanted: Wanted | None = None
    update: ModelUpdate = field(default_factory=lambda: ModelUpdate("none"))
    address: str = ""
    """Digest of the last address, to recognise it when it is wanted again."""
    default: str = ""
    """Fingerprint of MODEL's export when it was last read."""

    def candidates(self, default: str) -> list[StoredModel]:
        """The models to try at a start, best first; MODEL's comes first when it has changed: `default` is its fingerprint."""
        stored = [one for one in (self.served, self.previous) if one is not None and one.file]
        is_changed = bool(self.default) and default != self.default
        is_served = self.served is None or self.served.file is None
        return [StoredModel(""), *stored] if is_changed or is_served else [*stored, StoredModel("")]

    @property
    def overridden(self) -> ModelUpdate:
        """The update once MODEL's model is served in place of the wanted one."""
        detail = "MODEL's files have changed and are served instead"
        is_served = self.update.state == "serving"
        return replace(self.update, state="rolled-back", detail=detail) if is_served else self.update


_validate = TypeAdapter(SavedState).validate_json


class ModelStore:
    """The folder STATE_DIR; without one, nothing outlives the process. Methods raise OSError."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, file: str) -> Path:
        """Where the zip of that name is."""
        assert self.folder is not None
        return self.folder / file

    def has(self, file: str | None, sha256: str) -> bool:
        """Whether the zip is there and can be read, undamaged."""
        if file is None:
            return False
        digest = hashlib.sha256()
        try:
            with self.path(file).open("rb") as archive:
                while chunk := archive.read(CHUNK):
                    digest.update(chunk)
        except OSError:
            return False
        return digest.hexdigest() == sha256

    def read(self) -> SavedState:
        """The saved state; a fresh one when there is none. Raises ValueError when it cannot be read."""
        if self.folder is None or not (self.folder / STATE_FILE).exists():
            return SavedState()
        return _validate((self.folder / STATE_FILE).read_bytes())

    def write(self, state: SavedState) -> None:
        """Replaces the state so that a sudden loss of power leaves the old or the new one; removes zips that it does not name."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / f".{STATE_FILE}.tmp"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # with that mode
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / STATE_FILE)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # the names in the folder
        finally:
            os.close(descriptor)
        named = [one.file for one in (state.served, state.previous, state.wanted) if one is not None]
        for path in self.folder.iterdir():
            if path.name.removesuffix(".part") not in named and _OWN.fullmatch(path.name):
                path.unlink(missing_ok=True)
