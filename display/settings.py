"""Settings of the display."""

from typing import Literal

from pydantic import Field

from bus.settings import LabelSettings, SiteName
from runtime.settings import Seconds, UserPath


class Settings(LabelSettings):
    """One display shows the label of one camera, or the first one that was seen at any of them."""

    display_name: SiteName = Field(default="matrix", description="the display's name in topics")
    matrix: Literal["sensehat", "terminal", "none"] = Field(
        default="none", description="where the pixels are shown, besides being published: sensehat, terminal or none"
    )
    camera: SiteName | None = Field(default=None, description="the camera to show; without one, all of them")
    icons: UserPath | None = Field(
        default=None, description="a folder of more icons, which take precedence over the built-in ones"
    )
    hold_seconds: Seconds = Field(default=1.0, description="how long a label stays after it was last seen")
    max_frame_age: Seconds = Field(default=2.0, description="seconds after which a prediction is too old to be shown")

    @property
    def default_name(self) -> str:
        """A second display on a broker needs another name."""
        default = type(self).model_fields["display_name"].default
        return "display" if self.display_name == default else f"display-{self.display_name}"[:64]
