"""``footfall check MODEL [PICTURES]``: says what a model is taken for, times it, and tries it on labelled pictures."""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bus import InvalidSetting
from classifier.labels import listed
from classifier.model import Model
from classifier.preprocess import ImageInput
from classifier.settings import Settings
from footfall.labelled import LabelledPictures
from footfall.models import DEMO_WARNING, LoadedModels
from footfall.paths import argument_path
from runtime.settings import load

TIMED_PICTURE = (480, 640, 3)
"""Height, width and channels of the picture with which a model is timed."""
MIN_RUNS, MAX_RUNS, MAX_SECONDS = 5, 100, 3.0
"""Bounds of the runs that are timed, and the time after which a run is the last."""
FITS = {
    "centre": "the middle of the picture, as Custom Vision's service takes it",
    "square": "the largest square in the middle of the picture",
    "whole": "the whole picture or crop, scaled to this shape",
    "letterbox": "the whole picture with its proportions, and a border",
}


def main(arguments: argparse.Namespace) -> None:
    """Prints the report about a model. Raises `InvalidSetting` for a model that cannot be served, and for unusable PICTURES."""
    settings = load(Settings, model=arguments.model)
    folder = arguments.pictures and argument_path("PICTURES=", arguments.pictures)
    if arguments.crops and settings.detector is not None:
        raise InvalidSetting("--crops: the pictures are crops already; leave DETECTOR out")
    models = LoadedModels(settings, "check")
    recogniser, model = models.recogniser, models.by_setting["MODEL"]
    if arguments.crops or settings.detector is not None:
        model.input = replace(model.input, fit="whole")  # as the classifier scales crops
    pictures = folder and LabelledPictures(folder, recogniser, settings)
    for setting, one in models.by_setting.items():
        print(describe(setting, one))
    others = [label for label in recogniser.labels if label not in recogniser.visitor_labels]
    print(_row("visitors", listed(recogniser.visitor_labels)))
    print(_row("ignored" if model.is_detector else "nobody", listed(others) or "no label"))
    for note in [*models.notes, *([DEMO_WARNING] if recogniser.is_demo else [])]:
        print(_row("note", note))
    for setting, one in models.by_setting.items():
        print(_row("speed", f"{setting}: {time_model(one)}"), flush=True)
    if pictures:
        print(f"\n{pictures.report()}")


def describe(setting: str, model: Model) -> str:
    """Returns lines about a loaded model; `setting` is MODEL or DETECTOR."""
    what = "finds boxes" if model.is_detector else "classifies the whole picture"
    rows = [
        _row(setting.lower(), model.identity),
        _row("exporter", model.exporter or "unknown"),
        _row("kind", f"{model.kind}: {what}"),
        _row("input", _describe_input(model.input)),
        _row("fit", f"{model.input.fit}: {FITS[model.input.fit]}"),
        _row("labels", f"{len(model.labels)}: {listed(model.labels)}"),
        _row("runtime", model.runtime),
    ]
    return "\n".join(rows)


def _describe_input(image: ImageInput) -> str:
    colour, order = "RGB" if image.is_rgb else "BGR", "channels first" if image.channels_first else "channels last"
    text = f"{image.width} x {image.height} px, {colour}, {image.dtype.name}, {order}"
    if not any(image.mean) and image.scale == (1.0, 1.0, 1.0):
        return f"{text}, pixels of 0 to 255"
    ends = [f"{(level - image.mean[0]) / image.scale[0]:.3g}" for level in (0, 255)]
    return f"{text}, {' to '.join(ends)}: (pixel - {_numbers(image.mean)}) / {_numbers(image.scale)}"


def _numbers(values: tuple[float, float, float]) -> str:
    return f"{values[0]:.4g}" if len(set(values)) == 1 else f"[{', '.join(f'{one:.4g}' for one in values)}]"


def time_model(model: Model) -> str:
    """Returns the median time of an inference, and that of preprocessing, as text."""
    picture = np.random.default_rng(1).integers(0, 256, TIMED_PICTURE, np.uint8)
    tensor = model.input.to_tensor(picture)
    inferences, preparations = _durations(lambda: model.run(tensor)), _durations(lambda: model.input.to_tensor(picture))
    inference, height, width = statistics.median(inferences), *TIMED_PICTURE[:2]
    return (
        f"{inference * 1000:.3g} ms an inference, {1 / inference:.1f} a second (median of {len(inferences)});"
        f" preprocessing {statistics.median(preparations) * 1000:.2g} ms for {width} x {height} px"
    )


def _durations(call: Callable[[], object]) -> list[float]:
    """Returns the seconds that each of several calls takes."""
    found: list[float] = []
    while len(found) < MIN_RUNS or (len(found) < MAX_RUNS and sum(found) < MAX_SECONDS):
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return found


def _row(name: str, text: str) -> str:
    return f"{name:9} {text}"
