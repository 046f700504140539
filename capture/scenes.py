"""Scenes of the demo, drawn while they are played: no two moments are the same, and there is no end."""

import json
from pathlib import Path

from capture.pace import in_time
from capture.source import Pictures, SourceLost

PREFIX = "demo:"
"""Before the scene's seed, in VIDEO_PATH."""
ABOUT = "A drawn scene"
"""How `about` begins in the JSON file beside a clip of such a scene."""


def is_drawn(video_path: str) -> bool:
    """Whether a VIDEO_PATH means a scene of the demo: drawn live, or a clip whose JSON file, of the same name, says so."""
    if video_path.startswith(PREFIX):
        return True
    try:
        truth = json.loads(Path(video_path).expanduser().with_suffix(".json").read_text("utf-8"))
    except (OSError, ValueError, RuntimeError):  # no file, no JSON, no home
        return False
    return isinstance(truth, dict) and str(truth.get("about", "")).startswith(ABOUT)


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
