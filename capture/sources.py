"""Which source a VIDEO_PATH means."""

from pathlib import Path

from capture.folder import Folder
from capture.scenes import PREFIX, DrawnScene
from capture.source import Pictures, Source, SourceLost
from capture.video import Camera, Stream, VideoFile


def source_of(video_path: str, frame_rate: float) -> Source:
    """Camera number or device, address, scene of the demo, or a path on this machine; a folder is shown at `frame_rate`."""
    if video_path.isdecimal():
        return Camera(int(video_path))
    if video_path.startswith("/dev/"):
        return Camera(video_path)
    if video_path.startswith(PREFIX):
        return DrawnScene(int(video_path.removeprefix(PREFIX)))
    if "://" in video_path:
        return Stream(video_path)
    return Local(Path(video_path).expanduser(), frame_rate)


class Local:
    """A video file or a folder of pictures: which of them is seen when it is opened, as it may only be there later."""

    def __init__(self, path: Path, frame_rate: float) -> None:
        self._path = path
        self._folder = Folder(path, frame_rate)
        self._file = VideoFile(path)

    def pictures(self) -> Pictures:
        """As `Folder.pictures` or `VideoFile.pictures`."""
        try:
            is_folder = self._path.is_dir()
        except OSError as error:
            raise SourceLost(f"{self._path}: {error.strerror}") from None
        yield from self._folder.pictures() if is_folder else self._file.pictures()
