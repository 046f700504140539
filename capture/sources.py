"""Which source a VIDEO_PATH means."""

from collections.abc import Generator
from pathlib import Path

from capture.folder import Folder
from capture.source import Picture, Source
from capture.video import Camera, Stream, VideoFile


def source_of(video_path: str, frame_rate: float) -> Source:
    """Camera number or device, address, or a path on this machine; a folder is shown at `frame_rate`."""
    if video_path.isdecimal():
        return Camera(int(video_path))
    if video_path.startswith("/dev/"):
        return Camera(video_path)
    if "://" in video_path:
        return Stream(video_path)
    return Local(Path(video_path), frame_rate)


class Local:
    """A video file or a folder of pictures: which of them is seen when it is opened, as it may only be there later."""

    def __init__(self, path: Path, frame_rate: float) -> None:
        self._path = path
        self._frame_rate = frame_rate

    def pictures(self) -> Generator[Picture, None, None]:
        """As `Folder.pictures` or `VideoFile.pictures`."""
        source = Folder(self._path, self._frame_rate) if self._path.is_dir() else VideoFile(self._path)
        yield from source.pictures()
