"""Scenes of the demo, drawn while they are played: no two moments are the same, and there is no end."""

from capture.pace import in_time
from capture.source import Pictures, SourceLost

PREFIX = "demo:"
"""Before the scene's seed, in VIDEO_PATH."""


class DrawnScene:
    """The scene of a seed, at its own rate."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def pictures(self) -> Pictures:
        """Pictures without end, from the scene's beginning. Raises `SourceLost` where the demo is not installed."""
        try:
            from demo.scenes import Scene  # noqa: PLC0415  # nobody else needs it
            from demo.visitors import FRAME_RATE  # noqa: PLC0415
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "demo":
                raise
            raise SourceLost(f"{PREFIX}{self._seed}: the demo is not installed here") from None
        scene = Scene(self._seed)
        for moment in in_time(scene.moments(), 1 / FRAME_RATE):
            yield None if moment is None else scene.frame(moment)
