"""The Raspberry Pi's camera (CSI), read by GStreamer's libcamerasrc in another process, which can be killed when it hangs."""

import math
import os
import re
import shlex
import subprocess

from bus.images import UnusablePicture
from capture.drivers.mjpeg import find_jpegs
from capture.drivers.program import Program, check_program
from capture.drivers.v4l2 import DEFAULT_SIZE
from capture.source import Pictures, Source, SourceKind, SourceLost, SourceOptions

LAUNCH, LIST = "gst-launch-1.0", "gst-device-monitor-1.0"
PACKAGES = {LAUNCH: "gstreamer1.0-tools", LIST: "gstreamer1.0-plugins-base-apps"}
"""The packages of Debian and Raspberry Pi OS with these programs."""
ELEMENTS = {"libcamerasrc": "gstreamer1.0-libcamera", "jpegenc": "gstreamer1.0-plugins-good"}
"""The packages with these elements. The others are in gstreamer1.0-plugins-base and libgstreamer1.0-0."""
LIST_TIMEOUT = 15.0
ENVIRONMENT = {"LIBCAMERA_LOG_LEVELS": "*:ERROR", "LIBCAMERA_LOG_NO_COLOR": "1", "LC_ALL": "C"}
_ERROR = re.compile(r"^(?:ERROR: from element \S+: |WARNING: erroneous pipeline: )(.+)$", re.MULTILINE)
_MISSING = re.compile(r'no element "(.+)"')
_CAMERA = re.compile(r"\blibcamerasrc camera-name=(.+?) !")


class LibCamera(Source):
    """A camera that libcamera knows: the first one, one by its number, or one by its id in libcamera."""

    def __init__(self, video_path: str, options: SourceOptions) -> None:
        self._camera = video_path.partition(":")[2]
        self._name = f"camera {video_path}"
        self._options = options

    def pictures(self) -> Pictures:
        """Yields pictures as the camera takes them. Raises `SourceLost`."""
        from capture.pictures.jpeg import JpegPicture  # noqa: PLC0415  # the driver

        check_program(self._name, LAUNCH, PACKAGES[LAUNCH])
        command = [LAUNCH, "-q", "--no-fault", *self._pipeline(self._find_camera())]
        with Program(self._name, command, ENVIRONMENT, self._explain) as program:
            for data in find_jpegs(program.chunks()):
                if data is None:
                    yield None
                    continue
                try:
                    yield JpegPicture(data)
                except UnusablePicture:
                    self._options.on_unusable()

    def _pipeline(self, camera: str) -> list[str]:
        """Returns GStreamer's pipeline: JPEGs of the wanted size, not many more than `frame_rate`, at the standard output.

        The format must be given, because the Raspberry Pi's camera may choose grey otherwise. JPEGs have the full range of
        brightness (colorimetry 1:4:0:0), unlike videos.
        """
        options = self._options
        width, height = options.camera_size or DEFAULT_SIZE
        caps = f"video/x-raw,format=NV12,width={width},height={height}"
        if options.camera_rate is not None:
            caps += f",framerate={round(options.camera_rate * 1000)}/1000"
        escaped = camera.replace("\\", "\\\\")  # ids of other computers than a Raspberry Pi have backslashes
        elements = (
            ["libcamerasrc", *([f"camera-name={escaped}"] if camera else [])],
            [caps],
            ["videorate", "drop-only=true", f"max-rate={math.ceil(options.frame_rate)}"],
            ["videoconvert"],
            ["video/x-raw,format=I420,colorimetry=1:4:0:0"],
            ["jpegenc", f"quality={options.jpeg_quality}"],
            ["fdsink", "sync=false"],
        )
        return [word for element in elements for word in (*element, "!")][:-1]

    def _find_camera(self) -> str:
        """Returns libcamera's id of the camera, or "" for the first one. Raises `SourceLost`."""
        if self._camera in ("", "0"):
            return ""
        if not self._camera.isdecimal():
            return self._camera
        ids = list_cameras(self._name)
        if int(self._camera) >= len(ids):
            raise SourceLost(f"{self._name}: libcamera knows {len(ids)} cameras; the first has the number 0")
        return ids[int(self._camera)]

    def _explain(self, errors: str) -> str:
        """Returns the reason in GStreamer's messages, or ""."""
        if missing := _MISSING.search(errors):
            package = ELEMENTS.get(missing[1], "gstreamer1.0-plugins-base")
            return f"GStreamer's element {missing[1]} is missing; install the package {package}"
        if "not-negotiated" in errors:
            return "the camera does not offer this size or rate; set other ones in CAMERA_SIZE and CAMERA_RATE"
        found = _ERROR.search(errors)
        return found[1].rstrip(".") if found else ""


def list_cameras(name: str) -> list[str]:
    """Returns libcamera's ids of the cameras, in its order. Raises `SourceLost`."""
    check_program(name, LIST, PACKAGES[LIST])
    environment = os.environ | ENVIRONMENT
    try:
        listed = subprocess.run([LIST, "Source/Video"], env=environment, capture_output=True, timeout=LIST_TIMEOUT, check=True)
    except subprocess.TimeoutExpired:
        raise SourceLost(f"{name}: the list of cameras takes longer than {LIST_TIMEOUT:g} s") from None
    except subprocess.CalledProcessError as error:
        raise SourceLost(f"{name}: {LIST} ended with exit code {error.returncode}") from None
    return camera_ids(listed.stdout.decode(errors="replace"))


def camera_ids(listed: str) -> list[str]:
    """Returns the ids in the device monitor's list. It describes each camera with the command that would show it."""
    return [shlex.split(found)[0] for found in _CAMERA.findall(listed)]


KIND = SourceKind(
    "libcamera[:number] for the Raspberry Pi's camera",
    LibCamera,
    pattern=r"libcamera(:|\Z)",
    settings=("camera_size", "camera_rate"),
)
