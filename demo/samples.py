"""Training samples: moments of many scenes after the classifier's preprocessing, with their labels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capture.pictures.prepare import encode_jpeg
from classifier.preprocess import centre_crop, decode
from demo.cores import on_all_cores
from demo.figure import LABELS
from demo.light import DAY_SECONDS
from demo.rng import create_rng
from demo.scenes import Moment, Scene
from demo.visitors import FRAME_RATE, IN_VIEW

ALL_LABELS = (*LABELS, "nobody")
SEEDS = range(100_000, 100_800)
"""Scenes for training. The scenes of the report have small seeds."""
INPUT_SIZE = 224
"""Side of the model's square input, px."""
NETWORK_SIZE = INPUT_SIZE // 2
"""Side of the trained network's input, px. The exported model's first layer averages each 2 x 2 pixels."""
STEP = 2 * FRAME_RATE - 3
"""Frames between two samples of a scene: neighbouring frames are nearly the same."""
NOBODY_SHARE = 0.2
"""Share of the moments without a visitor that become samples: they are many, and easy to learn."""
CLEAR_VIEW = 0.35
"""Visible share of a figure from which a sample has its label alone; below, the sample is partly `nobody`."""


class Samples(NamedTuple):
    """Pictures, n x 112 x 112 x 3 in BGR, 0 to 255; and probabilities, n x 3 in the order of `ALL_LABELS`."""

    pictures: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


def draw_samples(seeds: range) -> Samples:
    """Draws one day of each scene, on all cores. The samples are in the order of the seeds."""
    parts = on_all_cores(_draw_day, seeds, chunksize=4)
    return Samples(np.concatenate([part.pictures for part in parts]), np.concatenate([part.probabilities for part in parts]))


def _draw_day(seed: int) -> Samples:
    scene, rng = Scene(seed), create_rng(seed, "sample")
    pictures, probabilities = [], []
    for moment in scene.moments(STEP):
        if moment.seconds >= DAY_SECONDS:
            break
        if moment.visitor is None and rng.random() >= NOBODY_SHARE:
            continue
        picture = decode(encode_jpeg(scene.frame(moment), int(rng.integers(60, 95))))
        seen = centre_crop(picture, (INPUT_SIZE, INPUT_SIZE))
        pictures.append(seen.reshape(NETWORK_SIZE, 2, NETWORK_SIZE, 2, 3).mean(axis=(1, 3)).round().astype(np.uint8))
        probabilities.append(_probabilities(moment))
    return Samples(np.array(pictures), np.array(probabilities, np.float32))


def _probabilities(moment: Moment) -> list[float]:
    """Returns the target probabilities: from `IN_VIEW` to `CLEAR_VIEW` they move from `nobody` to the visitor's label."""
    visible = min(1.0, max(0.0, (moment.share - IN_VIEW) / (CLEAR_VIEW - IN_VIEW)))
    label = moment.visitor.label if moment.visitor else None
    return [visible if name == label else 1 - visible if name == "nobody" else 0.0 for name in ALL_LABELS]
