"""A stand-in for a USB camera: a driver that answers V4L2's calls inside the process that reads it (see v4l2_camera.c)."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import cv2
import pytest
from typing_extensions import Self

from tests.support import videos
from tests.support.wait import limit

SOURCE = Path(__file__).with_suffix(".c")
SIZES = ((640, 480), (1280, 720))
"""The sizes of its JPEGs."""
PICTURES = 12
"""The number of its JPEGs of each size; the first follows the last."""


class V4l2Camera:
    """A camera with a device file below /dev, plugged in while entered. `environment` loads its driver into a process."""

    def __init__(self, folder: Path) -> None:
        """Compiles the driver into `folder`. Skips the test if there is no compiler or no shared memory."""
        compiler = shutil.which("cc")
        if compiler is None or not Path("/dev/shm").is_dir():
            pytest.skip("the camera's driver needs a C compiler (cc) and /dev/shm")
        driver = folder / "v4l2_camera.so"
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(driver), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True, timeout=limit(60))
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm", prefix="footfall-")
        self.path = Path(self._folder.name, "video0")
        self.environment = {"LD_PRELOAD": str(driver), "V4L2_CAMERA": str(self.path)}
        self.jpegs = {size: [_jpeg(number, *size) for number in range(PICTURES)] for size in SIZES}

    def __enter__(self) -> Self:
        self.write(self.jpegs)
        self.behave()
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def write(self, jpegs: dict[tuple[int, int], list[bytes]]) -> None:
        """Gives the camera other pictures to send."""
        folder = Path(f"{self.path}.d")
        folder.mkdir(exist_ok=True)
        for (width, height), pictures in jpegs.items():
            for number, data in enumerate(pictures):
                (folder / f"{width}x{height}-{number}.jpg").write_bytes(data)

    def behave(self, words: str = "") -> None:
        """Sets how the camera behaves, in the words of v4l2_camera.c, and plugs it in."""
        new = self.path.with_suffix(".new")
        new.write_text(words)
        new.replace(self.path)

    def unplug(self) -> None:
        """Removes the device file. Open descriptors of it then fail."""
        self.path.unlink()


def _jpeg(number: int, width: int, height: int) -> bytes:
    return cv2.imencode(".jpg", videos.numbered(number, width, height))[1].tobytes()
