"""What a source of pictures is, and what a kind of source declares."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from capture.timing import Clock
from runtime.address import HIDDEN, public_address
from runtime.errors import FootfallError
from runtime.logs import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[Any]
    """Height x width x 3, BGR, uint8; height x width once it is grey."""
else:
    Picture = Any  # settings are read where NumPy is not needed

Pictures = Generator[Picture | None, None, None]
"""What a source gives: pictures, and None now and then while it waits for the time of the next, to tell that from a hang."""


class SourceLost(FootfallError):
    """A source that cannot be opened or has stopped giving pictures; trying again may help."""


class UnusablePicture(FootfallError):
    """A picture that cannot become a frame; the next one may."""


class CapturedPicture(NamedTuple):
    """A picture, its Unix time, and the time at which it was taken by `runtime.steady`."""

    picture: Picture
    captured_at: float
    monotonic_at: float


class Source(ABC):
    """Opens when `pictures` is begun and closes when that generator is closed."""

    @abstractmethod
    def pictures(self) -> Pictures:
        """Pictures at the source's own rate; ends where the source does. Raises `SourceLost`."""

    def is_drawn(self) -> bool:
        """Whether the pictures are a drawn scene of the demo; asked once there is a picture."""
        return False


class Recording(Source):
    """A source with an end, and a time that does not depend on when it is played."""

    interval: float
    """Seconds between two pictures, once it is open."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How sources are opened.

    `frame_rate` is that of folders and of cameras that are asked for each picture. With `every_frame`, no picture of a file is
    skipped where the machine is too slow for it.
    """

    frame_rate: float = 10.0
    every_frame: bool = False
    clock: Clock = time


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: each module of `capture.sources` has one as `KIND`.

    It takes addresses of its `schemes`, or those that begin as its `pattern` says. `create` opens nothing yet, and raises
    `ValueError` for an address that cannot be right. `description` is for the help.
    """

    description: str
    create: Callable[[str, SourceOptions], Source]
    schemes: tuple[str, ...] = ()
    pattern: str = ""

    def takes(self, video_path: str) -> bool:
        """Whether the address is one of this kind."""
        pattern = self.pattern or (f"(?:{'|'.join(self.schemes)})://" if self.schemes else "(?!)")
        return re.match(pattern, video_path, re.IGNORECASE) is not None


def percent_encoding_hint(address: str) -> str:
    """What to do about an address that can be read in several ways; empty for others."""
    if not public_address(address).endswith(HIDDEN):
        return ""
    return "; in user and password, all but letters and digits must be percent-encoded, as %2F for / and %40 for @"


def display_name(source: str) -> str:
    """An address or a path without its secrets, on one line."""
    return one_line(public_address(source))[:300]
