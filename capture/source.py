"""Where pictures come from: what every source can do."""

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from bus import FootfallError

Picture = NDArray[Any]
"""Height x width x 3, BGR, uint8; height x width once it is grey."""


class SourceLost(FootfallError):
    """A source that cannot be opened or has stopped giving pictures; trying again may help."""


class UnusablePicture(FootfallError):
    """One picture that no frame can be made of; the next may do."""


class Captured(NamedTuple):
    """A picture, its Unix time, and the time at which it was taken by `bus.steady`."""

    picture: Picture
    captured_at: float
    taken_at: float


Pictures = Generator[Picture | None, None, None]
"""What a source gives: pictures, and None now and then while it waits for the time of the next, which tells that from a hang."""


class Source(Protocol):
    """Opens when `pictures` is begun and closes when that is ended, however it ends."""

    def pictures(self) -> Pictures:
        """Pictures at the source's own rate; ends where the source does. Raises `SourceLost`."""
        ...
