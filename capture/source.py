"""Where pictures come from: what every source can do."""

import re
from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from bus import FootfallError
from runtime.address import HIDDEN, public_address
from runtime.logs import one_line

Picture = NDArray[Any]
"""Height x width x 3, BGR, uint8; height x width once it is grey."""

ADDRESS = re.compile(r"(https?|rtsps?)://", re.IGNORECASE)
"""How a VIDEO_PATH begins that is an address."""


class SourceLost(FootfallError):
    """A source that cannot be opened or has stopped giving pictures; trying again may help."""


class UnusablePicture(FootfallError):
    """One picture that no frame can be made of; the next may do."""


def advice(address: str) -> str:
    """What to do about an address that may be read in several ways; empty for others."""
    if not public_address(address).endswith(HIDDEN):
        return ""
    return "; in user and password, all but letters and digits must be percent-encoded, as %2F for / and %40 for @"


def shown(source: str) -> str:
    """An address or a path as it may be shown, on one line."""
    return one_line(public_address(source))[:300]


class Captured(NamedTuple):
    """A picture, its Unix time, and the time at which it was taken by `runtime.steady`."""

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


class Recording(Source, Protocol):
    """A source with an end, and a time that does not depend on when it is played."""

    @property
    def interval(self) -> float:
        """Seconds between two pictures, once it is open."""
        ...
