"""Models as they came from the cloud, each in a folder of its own, and the link that says which one is served.

A change of links is written down before it is made, and made again where it was cut off.
"""

import errno
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from classifier.model import InvalidModel, NoPrevious
from classifier.model.address import name_of
from classifier.model.files import OWN, read_json, remove, sync, write_json
from classifier.model.unpack import unpack
from bus import InvalidSetting

CURRENT = "current"
PREVIOUS = "previous"
ORIGINAL = "original"
"""What a model that was there before the first download is called from then on."""
DIGITS = 12
"""How much of the zip's SHA-256 is in the folder's name."""
_MARK = f"{OWN}.json"
"""In a folder: that this store made it, or named it, and of which zip."""
_PENDING = f"{OWN}-links.json"


class ModelStore:
    """The models in one folder; `current` in it is a link to the one that the classifier is to serve.

    One call at a time, except `unpack`. What the file system has against it is raised as `OSError`.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the folder, or finishes and cleans up what an earlier process left there. Raises `InvalidSetting`."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
            self._finish()
            for left in (*folder.glob(f"{OWN}-new-*"), *folder.glob(f"{OWN}-old-*"), *folder.glob(f"{OWN}-*.tmp")):
                remove(left)
        except OSError as error:
            raise InvalidSetting(f"MODEL_STORE={str(folder)!r}: {error.strerror}; a folder to write into is needed") from None

    @property
    def current(self) -> str | None:
        """Name of the folder that is served; None without a link to one."""
        return self._target(CURRENT)

    @property
    def previous(self) -> str | None:
        """Name of the folder that was served before it."""
        previous = self._target(PREVIOUS)
        return None if previous == self.current else previous

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the zip that is served; None of a model that did not come as one."""
        return self.sha256_of(self.current or CURRENT)

    def sha256_of(self, name: str) -> str | None:
        """SHA-256 of the zip of which a folder was made; None of one that was not made here."""
        return _mark_of(self.folder / name).get("sha256")

    def find(self, sha256: str) -> str | None:
        """Name of the folder that was made of this zip, while there is one."""
        return next((path.name for path in self._made() if self.sha256_of(path.name) == sha256.lower()), None)

    def unpack(self, archive: Path, url: str, sha256: str) -> str:
        """Name of a new folder with what is in the zip; none at all when that is no model, which raises `InvalidModel`."""
        sha256 = sha256.lower()
        name = f"{name_of(url)}-{sha256[:DIGITS]}"
        final, new = self.folder / name, self.folder / f"{OWN}-new-{name}"
        if self.sha256_of(name) == sha256:
            return name
        if final.exists() or final.is_symlink():
            raise InvalidModel(f"{final}: is there already and was not made of this zip; it must be moved away")
        remove(new)
        new.mkdir()
        try:
            unpack(archive, new)
            _mark(new, name, sha256)
            sync(new)
            new.rename(final)
        finally:
            remove(new)
        sync(self.folder)
        return name

    def turn_to(self, name: str) -> None:
        """Has a folder served; what was served before becomes the previous one, and what was previous is deleted."""
        if not (self.folder / name).is_dir():
            raise FileNotFoundError(errno.ENOENT, "the model's folder is gone", name)
        if name != self.current:
            self._turn(name, self.current)

    def rollback(self) -> str:
        """Has the previous model served, and the other way round; returns its name. Raises `NoPrevious`."""
        name = self._way_back()
        self._turn(name, self.current)
        return name

    def discard(self) -> str:
        """Has the previous model served and deletes what was; returns its name. Raises `NoPrevious`."""
        name = self._way_back()
        self._turn(name, None)
        return name

    def _way_back(self) -> str:
        if (name := self.previous) is None:
            raise NoPrevious(f"{self.folder}: no earlier model to turn back to")
        return name

    def _target(self, link: str) -> str | None:
        path = self.folder / link
        return str(path.readlink()) if path.is_symlink() and path.exists() else None

    def _turn(self, current: str, previous: str | None) -> None:
        if own := self._original():
            previous = self._free_name()
            with suppress(OSError):  # without it, it is never deleted
                _mark(own, previous, None)
        write_json(self.folder / _PENDING, {"current": current, "previous": previous})
        self._finish()

    def _finish(self) -> None:
        """Makes the links that are written down as to be made, and deletes the folders to which none leads any more."""
        pending = self.folder / _PENDING
        match read_json(pending):
            case {"current": str(current), "previous": str() | None as previous}:
                if own := self._original():
                    own.rename(self.folder / self._free_name())
                self._link(PREVIOUS, previous)
                self._link(CURRENT, current)
                sync(self.folder)
                self._delete_unlinked()
        pending.unlink(missing_ok=True)

    def _delete_unlinked(self) -> None:
        linked = {(self.folder / link).resolve() for link in (CURRENT, PREVIOUS)}
        for path in self._made():
            if path.resolve() not in linked:
                remove(path.rename(self.folder / f"{OWN}-old-{path.name}"))  # so that no half of it can stay

    def _link(self, link: str, target: str | None) -> None:
        path = self.folder / link
        if target is None:
            path.unlink(missing_ok=True)
            return
        new = self.folder / f"{OWN}-{link}.tmp"
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(path)

    def _original(self) -> Path | None:
        """What came with the device: `current` where that is no link yet."""
        own = self.folder / CURRENT
        return own if own.exists() and not own.is_symlink() else None

    def _free_name(self) -> str:
        number = 1
        while (self.folder / (name := ORIGINAL if number == 1 else f"{ORIGINAL}-{number}")).exists():
            number += 1
        return name

    def _made(self) -> list[Path]:
        """The folders that this store made or named."""
        return [path for path in self.folder.iterdir() if path.is_dir() and not path.is_symlink() and _mark_of(path)]


def _mark(folder: Path, name: str, sha256: str | None) -> None:
    """Notes in a folder that it is, or is going to be, called so by a store."""
    write_json(folder / _MARK, {"folder": name, "sha256": sha256})


def _mark_of(folder: Path) -> dict[str, Any]:
    """Empty where there is none, and in a copy, which is its user's."""
    mark = read_json(folder / _MARK)
    return mark if mark.get("folder") == folder.name else {}
