"""Which source a VIDEO_PATH means."""

from pathlib import Path

from capture.folder import Folder
from capture.scenes import PREFIX, DrawnScene
from capture.source import Pictures, Source, SourceLost
from capture.video import Camera, Stream, VideoFile


def source_of(video_path: str, frame_rate: float, complete: bool = False) -> Source:
    """Camera number or device, address, scene of the demo, or a path on this machine; a folder is shown at `frame_rate`.

    Of a file on a machine that is too slow for it, pictures are passed over, unless it is to be `complete`.
    """
    if video_path.isdecimal():
        return Camera(int(video_path))
    if video_path.startswith("/dev/"):
        return Camera(video_path)
    if video_path.startswith(PREFIX):
        return DrawnScene(int(video_path.removeprefix(PREFIX)))
    if "://" in video_path:
        return Stream(video_path)
    return Local(Path(video_path).expanduser(), frame_rate, complete)


class Local:
    """A video file or a folder of pictures: which of them is seen when it is opened, as it may only be there later."""

    def __init__(self, path: Path, frame_rate: float, complete: bool) -> None:
        self._path = path
        self._folder = Folder(path, frame_rate)
        self._file = VideoFile(path, complete)
        self._opened: Folder | VideoFile = self._file

    @property
    def interval(self) -> float:
        """As `Recording.interval`."""
        return self._opened.interval

    def pictures(self) -> Pictures:
        """As `Folder.pictures` or `VideoFile.pictures`."""
        try:
            is_folder = self._path.is_dir()
        except OSError as error:
            raise SourceLost(f"{self._path}: {error.strerror}") from None
        self._opened = self._folder if is_folder else self._file
        yield from self._opened.pictures()
