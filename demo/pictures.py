"""The pictures in the demo's README."""

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")  # no screen is needed

import cv2
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from demo.figure import LABELS
from demo.light import DAY_SECONDS
from demo.pipeline import NOBODY, SceneResult
from demo.scenes import Scene
from demo.score import Span
from demo.visitors import FULL_VIEW

COLOURS = {"man": "#0072b2", "woman": "#d55e00"}
"""From the Okabe-Ito palette, which colour-blind people can distinguish."""
STEP = 5
"""Frames between two candidates for a picture of a scene."""
THUMBNAIL_SIZE = (256, 192)
"""Width and height in px."""
TIMELINE_SECONDS = 150.0
"""Seconds of each scene that the timeline shows."""
TIMELINE_SCENES = 4
"""Scenes in the timeline."""


def draw_report(path: Path, scenes: Sequence[SceneResult]) -> None:
    """Draws the confusion matrix of the frames, and a timeline of true and counted visits."""
    figure, (matrix, timeline) = plt.subplots(1, 2, figsize=(13, 4), width_ratios=(1, 2.6), layout="constrained")
    _draw_confusion_matrix(matrix, scenes)
    _draw_timeline(timeline, scenes[:TIMELINE_SCENES])
    figure.savefig(path, dpi=90)
    plt.close(figure)


def draw_scenes(path: Path, seeds: Sequence[int], columns: int = 5) -> None:
    """Draws a row for each scene: moments of one day with a visitor in full view, and one with nobody."""
    rows = []
    for seed in seeds:
        scene = Scene(seed)
        day = list(itertools.takewhile(lambda moment: moment.seconds < DAY_SECONDS, scene.moments(STEP)))
        full = [moment for moment in day if moment.share >= FULL_VIEW]
        alone = [moment for moment in day if not moment.visitors and moment.distractions]
        chosen = [full[len(full) * number // (columns - 1)] for number in range(columns - 1)] + alone[:1]
        pictures = [scene.frame(moment) for moment in sorted(chosen, key=lambda moment: moment.number)]
        rows.append(np.hstack([cv2.resize(picture, THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA) for picture in pictures]))
    cv2.imwrite(str(path), np.vstack(rows))


def _draw_confusion_matrix(axes: Axes, scenes: Sequence[SceneResult]) -> None:
    labels = (*LABELS, NOBODY)
    found = Counter((frame.truth, frame.label) for scene in scenes for frame in scene.frames)
    numbers = np.array([[found[truth, label] for label in labels] for truth in labels])
    shares = numbers / np.maximum(1, numbers.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        text = f"{100 * shares[row, column]:.1f} %\n{numbers[row, column]}"
        axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("label of the model")
    axes.set_ylabel("truth, in full view")


def _draw_timeline(axes: Axes, scenes: Sequence[SceneResult]) -> None:
    names = []
    for row, scene in enumerate(scenes):
        for height, spans in ((0.0, [visitor.span for visitor in scene.visitors]), (0.36, scene.visits)):
            _draw_bars(axes, row + height, spans)
        names.append(f"seed {scene.seed}")
    axes.set_yticks(np.arange(len(names)) + 0.33, names)
    axes.invert_yaxis()
    axes.set_xlim(0, TIMELINE_SECONDS)
    axes.set_xlabel("seconds; in each pair of rows: true visits above, counted visits below")
    handles = [Patch(color=colour, label=label) for label, colour in COLOURS.items()]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)


def _draw_bars(axes: Axes, top: float, spans: Sequence[Span]) -> None:
    for label, colour in COLOURS.items():
        bars = [(span.start, span.end - span.start) for span in spans if span.label == label]
        axes.broken_barh(bars, (top, 0.3), color=colour)
