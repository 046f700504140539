"""Training samples of the detector: moments of many scenes after the classifier's preprocessing, with the true boxes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capture.pictures.prepare import encode_jpeg
from classifier.preprocess import decode
from demo.cores import on_all_cores
from demo.figure import LABELS
from demo.hall_scenes import HallScene
from demo.light import DAY_SECONDS
from demo.rng import create_rng
from demo.shop import HEIGHT, WIDTH
from demo.visitors import FRAME_RATE

SEEDS = range(200_000, 200_420)
"""Scenes for training. The scenes of the report have small seeds."""
REDUCTION = 2
"""Factor by which a frame is larger than the detector's input. The classifier decodes a JPEG at the reduced size."""
INPUT_WIDTH, INPUT_HEIGHT = WIDTH // REDUCTION, HEIGHT // REDUCTION
STEP = 2 * FRAME_RATE - 3
"""Frames between two samples of a scene: neighbouring frames are nearly the same."""
EMPTY_SHARE = 0.15
"""Share of the moments without people that become samples."""
HIDDEN, CLEAR = 0.1, 0.35
"""Visible shares of a person below which the detector need not find them, and from which it must. In between it is unsure."""
MAX_PEOPLE = 12


class HallSamples(NamedTuple):
    """Pictures, n x 240 x 320 x 3 in BGR, 0 to 255; and people, n x 12 x 6.

    A row of a person has left, top, width and height as parts of the picture; the target of the objectness, 0 to 1; and the
    label's number in `LABELS`. A row without a person has only zeros. People are in the order from near to far.
    """

    pictures: NDArray[np.uint8]
    people: NDArray[np.float32]


def draw_samples(seeds: range) -> HallSamples:
    """Draws one day of each scene, on all cores. The samples are in the order of the seeds."""
    parts = on_all_cores(_draw_day, seeds, chunksize=4)
    return HallSamples(np.concatenate([part.pictures for part in parts]), np.concatenate([part.people for part in parts]))


def _draw_day(seed: int) -> HallSamples:
    scene, rng = HallScene(seed), create_rng(seed, "sample")
    pictures, people = [], []
    for moment in scene.moments(STEP):
        if moment.seconds >= DAY_SECONDS:
            break
        rows = [
            (*one.box, min(1.0, (one.visible - HIDDEN) / (CLEAR - HIDDEN)), LABELS.index(one.label))
            for one in sorted(moment.people, key=lambda one: -one.foot[1])
            if one.visible > HIDDEN
        ]
        if not rows and rng.random() >= EMPTY_SHARE:
            continue
        pictures.append(decode(encode_jpeg(scene.frame(moment), int(rng.integers(60, 95))), REDUCTION))
        people.append(np.zeros((MAX_PEOPLE, 6), np.float32))
        if rows:
            people[-1][: len(rows)] = rows
    return HallSamples(np.array(pictures), np.array(people))
