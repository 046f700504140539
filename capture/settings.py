"""The settings of the capture module."""

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from bus.settings import BusSettings, CameraName
from capture.drivers.v4l2 import FFMPEG_NAMES, is_format
from capture.pictures.region import OptionalRegion
from capture.source import Recording, Source, SourceOptions
from capture.sources import create_source, find_kind, load_kinds
from runtime.settings import CommaSeparated

Rate = Annotated[float, Field(ge=0.01, le=240, allow_inf_nan=False)]
MIN_GATE_RATE = 2.0
"""Frames a second. At a lower rate there is little to hold back."""
Side = Annotated[int, Field(ge=16, le=8192)]


def _parse_size(value: object) -> object:
    """Returns 1280x720 as two numbers. Raises `ValueError`."""
    if isinstance(value, str) and not re.fullmatch(r"\d+x\d+", value, re.ASCII):
        raise ValueError("must be width and height in px, such as 1280x720")
    return value.split("x") if isinstance(value, str) else value


OptionalSize = Annotated[tuple[Side, Side] | None, BeforeValidator(_parse_size)]


class Settings(BusSettings):
    """The settings of one capture process, which serves one camera."""

    camera: CameraName = Field(default="door", description="the camera's name in topics and counts")
    source_modules: CommaSeparated = Field(
        default=(), description="Python modules with more kinds of sources (comma-separated), such as demo.source"
    )
    video_path: Annotated[str, Field(min_length=1)] = Field(
        default="0", description=", ".join(kind.description for kind in load_kinds())
    )
    camera_size: OptionalSize = Field(
        default=None,
        description="width and height in px of the pictures that a camera of this machine takes, such as 1280x720; otherwise "
        "those nearest to 640x480",
    )
    camera_rate: Rate | None = Field(
        default=None, description="pictures a second that a camera of this machine takes; otherwise the camera's own rate"
    )
    camera_format: str | None = Field(
        default=None,
        description="pixel format of a USB camera, such as MJPG or YUYV; otherwise MJPG if the camera offers it: it costs least",
    )
    loop_video: bool = Field(
        default=True, description="play a recording again at its end: a file, a folder, or a video at an address"
    )
    source_timeout: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = Field(
        default=60.0,
        description="seconds after which a call into the camera's driver counts as hung, and the camera is opened again; use 30 "
        "or more for network cameras, which have time-outs of 10 s for each step",
    )
    frame_rate: Rate = Field(default=10.0, description="upper bound of frames a second; also the playback rate of a folder")
    resize_width: Side | None = Field(default=None, description="width of the frames in px; alone, it keeps the aspect ratio")
    resize_height: Side | None = Field(default=None, description="height of the frames in px; alone, it keeps the aspect ratio")
    rotate: Literal[0, 90, 180, 270] = Field(default=0, description="rotation in degrees clockwise: 0, 90, 180 or 270")
    region: OptionalRegion = Field(
        default=None,
        description="part of the picture that is used, after ROTATE and before resizing, as x,y,w,h in parts of the picture: "
        "0.5,0,0.5,1 is the right half; lines, zones and mask refer to this part",
    )
    convert_to_gray: bool = Field(default=False, description="convert the frames to grey")
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = Field(
        default=80, description="1 to 100; higher values give sharper and larger frames"
    )
    motion: Literal["on", "off", "auto"] = Field(
        default="auto",
        description="hold frames back while nothing moves: on, off or auto; auto is on at a FRAME_RATE of 2 or more, but off "
        "for a folder of pictures and for a file that is played once",
    )
    heartbeat_seconds: Annotated[float, Field(ge=0.5, le=3600, allow_inf_nan=False)] = Field(
        default=5.0, description="while nothing moves, a frame is sent every so many seconds"
    )
    motion_hold: Annotated[float, Field(ge=1, le=60, allow_inf_nan=False)] = Field(
        default=2.0, description="seconds after the last motion until frames are held back"
    )

    @field_validator("source_modules")
    @classmethod
    def _check_source_modules(cls, modules: tuple[str, ...]) -> tuple[str, ...]:
        load_kinds(modules)
        return modules

    @field_validator("video_path")
    @classmethod
    def _check_video_path(cls, path: str, others: ValidationInfo) -> str:
        create_source(path, SourceOptions(), others.data.get("source_modules", ()))
        return path

    @field_validator("camera_format")
    @classmethod
    def _check_camera_format(cls, wanted: str | None) -> str | None:
        if wanted is not None and not any(is_format(name, wanted) for name in FFMPEG_NAMES):
            raise ValueError(f"must be one of {', '.join(FFMPEG_NAMES)}")
        return wanted

    @field_validator("rotate", mode="before")
    @classmethod
    def _parse_degrees(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @property
    def default_name(self) -> str:
        """The module's default name. It is different for each camera, because a broker drops the older of two equal names."""
        return "capture" if self.camera == type(self).model_fields["camera"].default else f"capture-{self.camera}"[:64]

    @property
    def unused(self) -> list[str]:
        """The names of settings that are set, but have no effect on the source."""
        limited = {name for kind in load_kinds(self.source_modules) for name in kind.settings}
        unused = limited - set(find_kind(self.video_path, self.source_modules).settings)
        return sorted(name.upper() for name in unused if getattr(self, name, None) is not None)

    def gate_applies(self, source: Source) -> bool:
        """Returns whether frames of a source are held back while nothing moves. Call it once its first picture is there."""
        if self.motion == "auto":
            is_played_once = isinstance(source, Recording) and not self.loop_video
            return self.frame_rate >= MIN_GATE_RATE and not is_played_once and source.is_continuous()
        return self.motion == "on"

    def create_source(self, on_unusable: Callable[[], object] = bool) -> Source:
        """Creates the source for VIDEO_PATH without opening it. It calls `on_unusable` for each picture that it skips."""
        options = SourceOptions(
            frame_rate=self.frame_rate,
            every_frame=not self.loop_video,
            camera_size=self.camera_size,
            camera_rate=self.camera_rate,
            camera_format=self.camera_format,
            jpeg_quality=self.jpeg_quality,
            on_unusable=on_unusable,
        )
        return create_source(self.video_path, options, self.source_modules)
