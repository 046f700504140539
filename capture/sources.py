"""Which source a VIDEO_PATH means."""

from pathlib import Path

from capture.folder import KINDS, Folder
from capture.http_camera import HttpCamera
from capture.scenes import PREFIX, DrawnScene
from capture.source import ADDRESS, Pictures, Source, SourceLost, shown
from capture.video import Camera, Stream, VideoFile


def source_of(video_path: str, frame_rate: float, complete: bool = False) -> Source:
    """Camera number or device, address, scene of the demo, or a path on this machine.

    A folder or a single picture is shown, and a camera that gives single pictures is asked, at `frame_rate`. Where the machine is
    too slow for a file, pictures are dropped, unless it is to be `complete`.
    """
    if video_path.isdecimal():
        return Camera(int(video_path))
    if video_path.startswith("/dev/"):
        return Camera(video_path)
    if video_path.startswith(PREFIX):
        return DrawnScene(int(video_path.removeprefix(PREFIX)))
    if match := ADDRESS.match(video_path):
        address = f"{match[1].lower()}://{video_path[match.end() :]}"  # FFmpeg knows no RTSP://
        return HttpCamera(address, frame_rate) if address.startswith("http") else Stream(address)
    return Local(Path(video_path).expanduser(), frame_rate, complete)


class Local:
    """A video file, a picture or a folder of pictures: which of them is seen when it is opened, as it may only be there later."""

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
            is_shown = self._path.is_dir() or (self._path.is_file() and self._path.suffix.lower() in KINDS)
        except OSError as error:
            raise SourceLost(f"{shown(str(self._path))}: {error.strerror}") from None
        self._opened = self._folder if is_shown else self._file
        yield from self._opened.pictures()
