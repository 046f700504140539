"""What can be set about the bridge."""

import os
from typing import Annotated, Literal

from pydantic import Field

from bus.settings import LabelSettings, Seconds


class Settings(LabelSettings):
    """One bridge counts the visits at all cameras on its broker."""

    visit_frames: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="by how many predictions a label must outnumber all else for its visit to begin"
    )
    visit_gap_seconds: Seconds = Field(
        default=1.5, description="how long nobody, or another, is seen before a visit ends; above the time between two frames"
    )
    upstream: Literal["log", "edgehub"] | None = Field(
        default=None,
        description="where visits go: log (standard output) or edgehub; without it, edgehub where IoT Edge runs this",
    )

    @property
    def goes_to_edgehub(self) -> bool:
        """Whether visits are sent to IoT Edge's edgeHub."""
        return self.upstream == "edgehub" or (self.upstream is None and "IOTEDGE_MODULEID" in os.environ)
