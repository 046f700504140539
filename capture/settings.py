"""The settings of a camera."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from bus.settings import BusSettings, CameraName
from capture.source import Source, SourceOptions
from capture.sources import create_source, load_kinds
from runtime.settings import CommaSeparated

Rate = Annotated[float, Field(ge=0.01, le=240, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=16, le=8192)]


class Settings(BusSettings):
    """One capture process is one camera."""

    camera: CameraName = Field(default="door", description="the camera's name in topics and counts")
    source_modules: CommaSeparated = Field(
        default=(), description="Python modules with more kinds of sources (commas between), as demo.source"
    )
    video_path: Annotated[str, Field(min_length=1)] = Field(
        default="0", description=", ".join(kind.description for kind in load_kinds())
    )
    loop_video: bool = Field(default=True, description="begin a file or folder again at its end")
    frame_rate: Rate = Field(default=10.0, description="most frames a second; also the rate at which a folder is shown")
    resize_width: Side | None = Field(default=None, description="width of the frames in px; alone, the shape is kept")
    resize_height: Side | None = Field(default=None, description="height of the frames in px; alone, the shape is kept")
    rotate: Literal[0, 90, 180, 270] = Field(
        default=0, description="degrees clockwise: 0, 90, 180 or 270; for a camera that is mounted askew"
    )
    convert_to_gray: bool = Field(default=False, description="take the colour out")
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = Field(default=80, description="1 to 100; higher is larger")

    @field_validator("source_modules")
    @classmethod
    def _importable(cls, modules: tuple[str, ...]) -> tuple[str, ...]:
        load_kinds(modules)
        return modules

    @field_validator("video_path")
    @classmethod
    def _usable(cls, path: str, others: ValidationInfo) -> str:
        create_source(path, SourceOptions(), others.data.get("source_modules", ()))
        return path

    @field_validator("rotate", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @property
    def default_name(self) -> str:
        """The second camera on a broker needs another name there: the broker drops the older of two of one name."""
        return "capture" if self.camera == type(self).model_fields["camera"].default else f"capture-{self.camera}"[:64]

    def create_source(self) -> Source:
        """The source that VIDEO_PATH means, not opened yet."""
        return create_source(self.video_path, SourceOptions(self.frame_rate, not self.loop_video), self.source_modules)
