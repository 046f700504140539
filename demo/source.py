"""The demo's source for capture. SOURCE_MODULES=demo.source VIDEO_PATH=demo:7 draws the scene of a hall as it plays."""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from capture.pictures.picture import Pixels
from capture.source import Pictures, Source, SourceKind, SourceOptions
from capture.timing import paced

PREFIX = "demo:"
"""What VIDEO_PATH starts with; the scene's seed follows."""
SHOP_PREFIX = f"{PREFIX}classifier:"
"""The prefix of a scene for the classifier: a shop with one visitor at a time."""
Moment = TypeVar("Moment")


class DrawnScene(Source):
    """The endless scene of a seed, at the scene's own frame rate."""

    def __init__(self, video_path: str, options: SourceOptions) -> None:
        """Raises `ValueError` if the path has no valid seed."""
        self._is_shop = video_path.startswith(SHOP_PREFIX)
        seed = video_path.removeprefix(SHOP_PREFIX).removeprefix(PREFIX)
        if not re.fullmatch(r"\d{1,9}", seed, re.ASCII):
            example = f"as {PREFIX}7, or {SHOP_PREFIX}7 for one visitor at a time"
            raise ValueError(f"a scene of the demo is {PREFIX} and a number of at most nine digits, {example}")
        self._seed = int(seed)
        self._clock = options.clock

    def is_drawn(self) -> bool:
        return True

    def pictures(self) -> Pictures:
        """Returns pictures without end, from the scene's start; None while it waits for the next frame's time."""
        from capture.pictures.decoded import DecodedPicture  # noqa: PLC0415  # imports OpenCV, which reading the settings does not need
        from demo.hall_scenes import HallScene  # noqa: PLC0415
        from demo.scenes import Scene  # noqa: PLC0415
        from demo.visitors import FRAME_RATE  # noqa: PLC0415

        def play(moments: Iterator[Moment], draw: Callable[[Moment], Pixels]) -> Pictures:
            timed = ((moment, number / FRAME_RATE) for number, moment in enumerate(moments))
            for moment in paced(timed, 1 / FRAME_RATE, clock=self._clock):
                yield None if moment is None else DecodedPicture(draw(moment))

        if self._is_shop:
            shop = Scene(self._seed)
            return play(shop.moments(), shop.frame)
        hall = HallScene(self._seed)
        return play(hall.moments(), hall.frame)


KIND = SourceKind(f"{PREFIX}SEED, a drawn scene", DrawnScene, pattern=PREFIX)
