"""What can be set about the display."""

from typing import Literal

from pydantic import Field

from bus.settings import LabelSettings, Seconds, SiteName, UserPath


class Settings(LabelSettings):
    """One display shows the newest label of one camera, or of all."""

    display_name: SiteName = Field(default="matrix", description="the display's name in topics")
    matrix: Literal["sensehat", "terminal", "none"] = Field(
        default="none", description="where the pixels go besides the broker: sensehat, terminal (in colour) or none"
    )
    camera: SiteName | None = Field(default=None, description="the camera to show; without one, all of them")
    icons: UserPath | None = Field(default=None, description="a folder of more icons, which go before those that come with it")
    hold_seconds: Seconds = Field(default=1.0, description="how long a label stays after it was last seen")
    max_frame_age: Seconds = Field(default=2.0, description="seconds after which a prediction is too old to be shown")

    @property
    def own_name(self) -> str:
        """The second display on a broker needs a name of its own there."""
        default = type(self).model_fields["display_name"].default
        return "display" if self.display_name == default else f"display-{self.display_name}"[:64]
