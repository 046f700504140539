"""The demo's source for capture: SOURCE_MODULES=demo.source VIDEO_PATH=demo:7 draws scene 7 while it is played."""

import re

from capture.source import Pictures, Source, SourceKind, SourceOptions
from capture.timing import paced

PREFIX = "demo:"
"""Before the scene's seed, in VIDEO_PATH."""


class DrawnScene(Source):
    """The scene of a seed, at its own rate; no two moments are the same, and there is no end."""

    def __init__(self, video_path: str, options: SourceOptions) -> None:
        """Raises `ValueError` where no seed is in the path."""
        seed = video_path.removeprefix(PREFIX)
        if not re.fullmatch(r"\d{1,9}", seed, re.ASCII):
            raise ValueError(f"a scene of the demo is {PREFIX} and a number of at most nine digits, as {PREFIX}7")
        self._seed = int(seed)
        self._clock = options.clock

    def is_drawn(self) -> bool:
        return True

    def pictures(self) -> Pictures:
        """Pictures without end, from the scene's beginning."""
        from demo.scenes import Scene  # noqa: PLC0415  # with OpenCV, which settings do not need
        from demo.visitors import FRAME_RATE  # noqa: PLC0415

        scene = Scene(self._seed)
        for moment in paced(scene.moments(), 1 / FRAME_RATE, clock=self._clock):
            yield None if moment is None else scene.frame(moment)


KIND = SourceKind(f"{PREFIX}SEED, a drawn scene", DrawnScene, pattern=PREFIX)
