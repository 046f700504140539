"""A camera of this machine, given by its number, its device file, or its name in /dev/v4l/by-id."""

import errno
from pathlib import Path

from capture.drivers.v4l2 import Mode, choose_mode, read_modes
from capture.source import Pictures, Source, SourceKind, SourceLost, SourceOptions

BY_ID = "/dev/v4l/by-id"
"""The folder in which udev gives each camera a name that stays when cameras are plugged in another order."""
REASONS = {
    errno.EBUSY: "another program uses it",
    errno.ENODEV: "it was unplugged",
    errno.EACCES: "no permission for {path}; add the user to the group video",
    errno.ENOENT: "{path} does not exist; is the camera plugged in?",
}


class Camera(Source):
    """A camera that Video4Linux reads."""

    def __init__(self, device: str, options: SourceOptions) -> None:
        is_number = device.isdecimal()
        self._path = Path(f"/dev/video{int(device)}") if is_number else Path(BY_ID, device)  # an absolute path stays as it is
        self._name = f"camera {device}"
        self._options = options

    def pictures(self) -> Pictures:
        """Yields pictures as the camera takes them. Raises `SourceLost`."""
        from capture.drivers.device import open_device  # noqa: PLC0415  # the driver

        options = self._options
        try:
            mode = choose_mode(self._read_modes(), options.camera_format, options.camera_size, options.camera_rate)
        except ValueError as error:
            raise SourceLost(f"{self._name}: {error}") from None
        try:
            with open_device(self._name, self._path, *mode, options.camera_rate) as device:
                yield from device.pictures()
        except SourceLost as error:
            raise self._lost(error.errno, str(error)) from None
        raise SourceLost(f"{self._name}: it stopped sending pictures")

    def _read_modes(self) -> list[Mode]:
        """Returns what the camera offers. Raises `SourceLost`."""
        try:
            modes = read_modes(str(self._path))
        except OSError as error:
            raise self._lost(error.errno, f"{self._name}: {error.strerror}") from None
        if modes is None:
            raise SourceLost(f"{self._name}: {self._path} is not a camera; many cameras have a second file for metadata")
        return modes

    def _lost(self, number: int | None, text: str) -> SourceLost:
        """Returns the loss for one of the system's errors, with a clearer text if there is one."""
        reason = REASONS.get(number or 0)
        return SourceLost(text if reason is None else f"{self._name}: {reason.format(path=self._path)}", number)


KIND = SourceKind(
    "camera number, /dev/video* or its name in /dev/v4l/by-id",
    Camera,
    pattern=r"\d+\Z|/dev/|usb-[^/]*-video-index\d+\Z",
    settings=("camera_size", "camera_rate", "camera_format"),
)
