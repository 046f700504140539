"""What can be set about a camera."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bus.settings import BusSettings, CameraName
from capture.scenes import PREFIX
from capture.source import ADDRESS

Rate = Annotated[float, Field(ge=0.01, le=240, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=16, le=8192)]


class Settings(BusSettings):
    """One capture process is one camera."""

    camera: CameraName = Field(default="door", description="the camera's name in topics and counts")
    video_path: Annotated[str, Field(min_length=1)] = Field(
        default="0",
        description="camera number or /dev/video*, video file, folder of pictures, http(s):// or rtsp(s):// address, demo:SEED",
    )
    loop_video: bool = Field(default=True, description="begin a file or folder again at its end")
    frame_rate: Rate = Field(default=10.0, description="most frames a second; also the rate at which a folder is shown")
    resize_width: Side | None = Field(default=None, description="width of the frames in px; alone, the shape is kept")
    resize_height: Side | None = Field(default=None, description="height of the frames in px; alone, the shape is kept")
    rotate: Literal[0, 90, 180, 270] = Field(
        default=0, description="degrees clockwise: 0, 90, 180 or 270; for a camera that hangs askew"
    )
    convert_to_gray: bool = Field(default=False, description="take the colour out")
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = Field(default=80, description="1 to 100; higher is larger")

    @field_validator("video_path")
    @classmethod
    def _known_scheme(cls, path: str) -> str:
        scheme = re.match(r"\s*['\"]?([a-z][a-z0-9+.-]*)://", path, re.IGNORECASE)
        if (scheme and not ADDRESS.match(path)) or re.match(r"(https?|rtsps?)(:|//|\\\\)(?!//)", path, re.IGNORECASE):
            raise ValueError("an address begins with http://, https://, rtsp:// or rtsps://")
        if path.startswith(PREFIX) and not re.fullmatch(r"\d{1,9}", path.removeprefix(PREFIX), re.ASCII):
            raise ValueError(f"a scene of the demo is {PREFIX} and a number of at most nine digits, as {PREFIX}7")
        return path

    @field_validator("rotate", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @property
    def own_name(self) -> str:
        """The second camera on a broker needs a name of its own there: the broker drops the older of two of one name."""
        return "capture" if self.camera == type(self).model_fields["camera"].default else f"capture-{self.camera}"[:64]
