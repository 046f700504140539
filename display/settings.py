"""Settings of the display."""

from typing import Literal

from pydantic import Field

from bus.settings import LabelSettings, SiteName
from runtime.settings import Seconds, UserPath


class Settings(LabelSettings):
    """Settings of the display. It shows a label or a number, of one camera or of all."""

    display_name: SiteName = Field(default="matrix", description="name of the display in topics")
    matrix: Literal["sensehat", "terminal", "none"] = Field(
        default="none", description="where to show the pixels, in addition to publishing them: sensehat, terminal or none"
    )
    show: Literal["label", "occupancy"] = Field(
        default="label",
        description="what to show: label (who is there; of several detected visitors who came last) or occupancy (how many are"
        " inside, by lines, or where there are none in zones)",
    )
    camera: SiteName | None = Field(default=None, description="camera to show; default: all cameras")
    icons: UserPath | None = Field(
        default=None, description="folder of additional icons, which take precedence over the built-in ones"
    )
    hold_seconds: Seconds = Field(default=1.0, description="seconds that a label stays after it was last seen")
    max_frame_age: Seconds = Field(default=2.0, description="maximum age of a prediction, in seconds")

    @property
    def default_name(self) -> str:
        """The default name on the broker, which differs for each display."""
        default = type(self).model_fields["display_name"].default
        return "display" if self.display_name == default else f"display-{self.display_name}"[:64]
