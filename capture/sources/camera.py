"""A camera of this machine, given by its number or device file."""

import os
from pathlib import Path

from capture.source import Pictures, Source, SourceKind, SourceLost, SourceOptions


class Camera(Source):
    """A camera that Video4Linux reads."""

    def __init__(self, device: str, _options: SourceOptions) -> None:
        self._device = int(device) if device.isdecimal() else device
        self._name = f"camera {device}"

    def pictures(self) -> Pictures:
        """Yields pictures as the camera takes them. Raises `SourceLost`."""
        from capture.video import open_video  # noqa: PLC0415  # the driver

        path = Path(f"/dev/video{self._device}" if isinstance(self._device, int) else self._device)
        if not path.exists():
            raise SourceLost(f"{self._name}: {path} does not exist; is the camera plugged in?")
        if not os.access(path, os.R_OK | os.W_OK):
            raise SourceLost(f"{self._name}: no permission for {path}; add the user to the group video")
        with open_video(self._name, str(path), "v4l2", is_live=True) as video:
            yield from video.pictures()
        raise SourceLost(f"{self._name}: it stopped sending pictures")


KIND = SourceKind("camera number or /dev/video*", Camera, pattern=r"\d+\Z|/dev/")
