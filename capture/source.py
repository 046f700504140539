"""The interface of a source of pictures, and of a kind of source."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import NamedTuple

from capture.pictures.picture import Picture
from capture.timing import Clock
from runtime.address import HIDDEN, public_address
from runtime.errors import FootfallError
from runtime.logs import one_line

Pictures = Generator[Picture | None, None, None]
"""Pictures, and None about once a second during a long wait, to distinguish it from a hang."""


class SourceLost(FootfallError):
    """A source that cannot be opened, or stopped sending pictures. A retry can help.

    `errno` is the number of the system's error that was the reason, if there was one.
    """

    def __init__(self, reason: str, errno: int | None = None) -> None:
        super().__init__(reason)
        self.errno = errno


class CapturedPicture(NamedTuple):
    """A picture with its time of capture, as Unix time and by `runtime.steady`."""

    picture: Picture
    captured_at: float
    monotonic_at: float


class Source(ABC):
    """A source of pictures. It opens when iteration over `pictures` begins, and closes with that generator."""

    @abstractmethod
    def pictures(self) -> Pictures:
        """Yields pictures at the source's own rate until the source ends. Raises `SourceLost`."""

    def is_drawn(self) -> bool:
        """Returns whether the pictures are a drawn scene of the demo. Called after the first picture."""
        return False

    def is_continuous(self) -> bool:
        """Returns whether the pictures show what happens in one place, as a video does. Called after the first picture."""
        return True


class Recording(Source):
    """A source with an end, whose timing does not depend on when it is played. Each of its pictures has a timestamp."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Options for all kinds of sources.

    `frame_rate` applies to folders, and to cameras that send one picture for each request. With `every_frame`, a slow machine
    plays a file more slowly instead of skipping pictures. `camera_size` (width and height in px), `camera_rate` (pictures a
    second) and `camera_format` apply to cameras of this machine; None leaves the choice to the source. `jpeg_quality` (1 to 100)
    is for a source that compresses its pictures itself. The source calls `on_unusable` for each picture that it skips.
    """

    frame_rate: float = 10.0
    every_frame: bool = False
    clock: Clock = time
    camera_size: tuple[int, int] | None = None
    camera_rate: float | None = None
    camera_format: str | None = None
    jpeg_quality: int = 80
    on_unusable: Callable[[], object] = bool


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source. Each module of `capture.sources` declares one as `KIND`.

    It accepts addresses with one of its `schemes`, or those whose beginning matches its `pattern`. `create` opens nothing, and
    raises `ValueError` for an invalid address. `description` is shown in the help. `settings` are the names of the settings that
    this kind uses, and not all others do.
    """

    description: str
    create: Callable[[str, SourceOptions], Source]
    schemes: tuple[str, ...] = ()
    pattern: str = ""
    settings: tuple[str, ...] = ()

    def takes(self, video_path: str) -> bool:
        """Returns whether this kind accepts the address."""
        pattern = self.pattern or (f"(?:{'|'.join(self.schemes)})://" if self.schemes else "(?!)")
        return re.match(pattern, video_path, re.IGNORECASE) is not None


def percent_encoding_hint(address: str) -> str:
    """Returns a hint for an address that is ambiguous without percent-encoding, or ""."""
    if not public_address(address).endswith(HIDDEN):
        return ""
    return "; percent-encode all characters of user and password except letters and digits: %2F for /, %40 for @"


def display_name(source: str) -> str:
    """Returns an address or a path on one line, without its secrets."""
    return one_line(public_address(source))[:300]
