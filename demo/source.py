"""The demo's source for capture. SOURCE_MODULES=demo.source VIDEO_PATH=demo:7 draws scene 7 as it plays."""

import re

from capture.source import Pictures, Source, SourceKind, SourceOptions
from capture.timing import in_time

PREFIX = "demo:"
"""What VIDEO_PATH starts with; the scene's seed follows."""


class DrawnScene(Source):
    """The endless scene of a seed, at the scene's own frame rate."""

    def __init__(self, video_path: str, options: SourceOptions) -> None:
        """Raises `ValueError` if the path has no valid seed."""
        seed = video_path.removeprefix(PREFIX)
        if not re.fullmatch(r"\d{1,9}", seed, re.ASCII):
            raise ValueError(f"a scene of the demo is {PREFIX} and a number of at most nine digits, as {PREFIX}7")
        self._seed = int(seed)
        self._clock = options.clock

    def is_drawn(self) -> bool:
        return True

    def pictures(self) -> Pictures:
        """Yields pictures without end, from the scene's start; None while it waits for the next frame's time."""
        from demo.scenes import Scene  # noqa: PLC0415  # imports OpenCV, which reading the settings does not need
        from demo.visitors import FRAME_RATE  # noqa: PLC0415

        scene = Scene(self._seed)
        for moment in in_time(scene.moments(), 1 / FRAME_RATE, clock=self._clock):
            yield None if moment is None else scene.frame(moment)


KIND = SourceKind(f"{PREFIX}SEED, a drawn scene", DrawnScene, pattern=PREFIX)
