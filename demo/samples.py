"""Pictures to learn from: moments of many scenes, as the classifier's preprocessing gives them, with what they show."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capture.prepare import jpeg
from classifier.preprocess import centre_crop, decode
from demo.chance import chance
from demo.figure import LABELS
from demo.light import DAY_SECONDS
from demo.scenes import Moment, Scene
from demo.visitors import FRAME_RATE, IN_VIEW

ALL_LABELS = (*LABELS, "nobody")
SEEDS = range(100_000, 100_800)
"""Scenes to learn from. Those that are reported on have small seeds."""
SIZE = 224
"""Side of the model's input, px."""
POOLED = SIZE // 2
"""Side of what the network sees, px: each 2 x 2 of the input averaged, which is the exported model's first layer."""
STEP = 2 * FRAME_RATE - 3
"""Frames from one sample of a scene to the next: neighbours show nearly the same."""
OF_NOBODY = 0.2
"""Share of the moments without a visitor that are taken: there are many of them, and they are easy."""
CLEAR = 0.35
"""Share of a figure from which on a sample is wholly of its label; below it is partly of nobody."""


class Samples(NamedTuple):
    """n x 112 x 112 x 3, BGR, 0..255, and n x 3 probabilities in the order of `ALL_LABELS`."""

    pictures: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


def draw_samples(seeds: range) -> Samples:
    """One day of each scene, drawn on all cores but in one order."""
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(_samples_of, seeds, chunksize=4))
    return Samples(np.concatenate([part.pictures for part in parts]), np.concatenate([part.probabilities for part in parts]))


def _samples_of(seed: int) -> Samples:
    scene, random = Scene(seed), chance(seed, "sample")
    pictures, probabilities = [], []
    for moment in scene.moments(STEP):
        if moment.seconds >= DAY_SECONDS:
            break
        if moment.visitor is None and random.random() >= OF_NOBODY:
            continue
        picture = decode(jpeg(scene.frame(moment), int(random.integers(60, 95))))
        seen = centre_crop(picture, (SIZE, SIZE))
        pictures.append(seen.reshape(POOLED, 2, POOLED, 2, 3).mean(axis=(1, 3)).round().astype(np.uint8))
        probabilities.append(_probabilities(moment))
    return Samples(np.array(pictures), np.array(probabilities, np.float32))


def _probabilities(moment: Moment) -> list[float]:
    """Somebody who has just come into view is as good as nobody; from there to `CLEAR` it goes over."""
    seen = min(1.0, max(0.0, (moment.share - IN_VIEW) / (CLEAR - IN_VIEW)))
    label = moment.visitor.label if moment.visitor else None
    return [seen if one == label else 1 - seen if one == "nobody" else 0.0 for one in ALL_LABELS]
