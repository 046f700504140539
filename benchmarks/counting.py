"""The speed of footfall count, compared with a bare loop over the same clip in the same process."""

import statistics
import time
from pathlib import Path

import av

from benchmarks.tables import print_row
from capture.settings import Settings as CaptureSettings
from classifier import backends
from classifier.export import read_export
from classifier.settings import Settings as ClassifierSettings
from counter.settings import Settings as CounterSettings
from footfall.clip import Clip, count_clip
from footfall.models import LoadedModels
from runtime.settings import load

MAX_RATE = 240.0
"""Frames a second of FRAME_RATE, so that no frame of a clip is left out."""


def measure_bare(model: Path, models: LoadedModels, clip: Path) -> float:
    """Decodes, preprocesses and invokes, in one thread. Returns the frames a second."""
    export, [loaded] = read_export(model), models.by_setting.values()
    backend = backends.get_backend(export.format).load(export.model, backends.Options())
    begin, frames = time.perf_counter(), 0
    with av.open(str(clip)) as video:
        for frame in video.decode(video=0):
            backend.run(loaded.input.to_tensor(frame.to_ndarray(format="bgr24")))
            frames += 1
    return frames / (time.perf_counter() - begin)


def measure_count(models: LoadedModels, clip: Path) -> float:
    """Counts the clip. Returns the frames a second."""
    settings, begin = load(CaptureSettings, video_path=str(clip), frame_rate=MAX_RATE), time.perf_counter()
    result = count_clip(Clip.open(settings), models.recogniser, load(CounterSettings))
    return result.frames / (time.perf_counter() - begin)


def report(model: Path, clip: Path, rounds: int) -> None:
    """Prints a table of the frames a second, and the median share."""
    models, shares = LoadedModels(load(ClassifierSettings, model=model), "count"), []
    print_row("frames/s", "bare loop", "count", "share")
    for number in range(1, rounds + 1):
        bare, counted = measure_bare(model, models, clip), measure_count(models, clip)
        shares.append(counted / bare)
        print_row(f"round {number}", bare, counted, shares[-1])
    print_row("median", "", "", statistics.median(shares))
