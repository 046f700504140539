"""A folder of pictures for training, with a folder for each label."""

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.pictures.picture import Pixels
from capture.source import display_name
from footfall.guess import folder_name
from runtime.errors import FootfallError, InvalidSetting

SIGNATURE_SIDE = 16
"""Width and height of the grey picture by which pictures are compared, in px."""
MIN_DIFFERENCE = 5.0
"""Root mean square difference of two such pictures, in grey levels (0..255), from which they are different enough."""
MIN_INTERVAL = 1.0
"""Seconds between two pictures with the same label at least."""


class PictureFolder:
    """A new folder that only its owner can read, with at most `limit` pictures of `seconds` seconds.

    Pictures are spread over the time: after half of it, at most about half of them are stored.
    """

    def __init__(self, path: Path, limit: int, seconds: float) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        """The stored pictures by folder."""
        self.bytes = 0
        self._limit, self._seconds = limit, seconds
        self._last: dict[str, tuple[float, NDArray[np.float32]]] = {}
        """By folder: the time and the signature of the last picture."""

    def create(self) -> None:
        """Creates the folder. Raises `InvalidSetting` if it exists or cannot be created."""
        shown = display_name(str(self.path))
        try:
            self.path.mkdir(mode=0o700)
        except FileExistsError:
            raise InvalidSetting(f"FOLDER={shown!r}: exists; name a new folder") from None
        except OSError as error:
            raise InvalidSetting(f"FOLDER={shown!r}: cannot be created: {error.strerror}") from None

    @property
    def number(self) -> int:
        """The number of stored pictures."""
        return sum(self.counts.values())

    @property
    def is_full(self) -> bool:
        return self.number >= self._limit

    def is_due(self, label: str, elapsed: float) -> bool:
        """Returns whether a picture with this label may be stored `elapsed` seconds after the start."""
        if self.is_full or self.number >= 1 + (self._limit - 1) * elapsed / self._seconds:
            return False
        return label not in self._last or elapsed - self._last[label][0] >= MIN_INTERVAL

    def is_new(self, label: str, picture: Pixels, elapsed: float) -> bool:
        """Returns whether a picture differs from the last one with its label. It is then the last one."""
        seen = signature(picture)
        if label in self._last and difference(seen, self._last[label][1]) < MIN_DIFFERENCE:
            return False
        self._last[label] = elapsed, seen
        return True

    def store(self, label: str, name: str, jpeg: bytes) -> None:
        """Stores a picture in the folder of a label, completely or not at all. Raises `FootfallError`, as for a full disk."""
        folder = self.path / folder_name(label)
        path, new = folder / f"{name}.jpg", folder / f".{name}.new"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(jpeg)
                new.replace(path)
            except BaseException:
                new.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise FootfallError(f"{path}: {error.strerror}") from None
        self.counts[folder.name] += 1
        self.bytes += len(jpeg)

    def remove_if_empty(self) -> None:
        """Removes the folder again if nothing was stored, and no other program has stored anything in it."""
        if not self.counts:
            for folder in [*self.path.glob("*/"), self.path]:
                with suppress(OSError):
                    folder.rmdir()


def signature(picture: Pixels) -> NDArray[np.float32]:
    """Returns a picture (height x width x 3, BGR) in 16 x 16 grey levels."""
    small = cv2.resize(picture, (SIGNATURE_SIDE, SIGNATURE_SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Returns the root mean square difference of two signatures."""
    return float(np.sqrt(np.mean((one - other) ** 2)))
