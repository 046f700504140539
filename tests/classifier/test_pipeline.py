"""The pipeline: newest frames in turn, old ones dropped, bad ones survived."""

import itertools
import random
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from bus import Frame, Label, Prediction
from bus import metric_names as names
from classifier.interpreter import Result
from classifier.pipeline import Pipeline
from classifier.preprocess import ImageInput, Tensor
from runtime.metrics import Metrics
from tests.support import samples
from tests.support.wait import limit, until


class Rig:
    """A pipeline whose predictions and warnings are kept, with itself for a model, which takes 5 ms and calls `meanwhile`."""

    identity = "slow@000000000000"
    is_demo = False
    input = ImageInput(8, 8, np.dtype("float32"))

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None
        self.metrics = Metrics()
        self.predictions: list[Prediction] = []
        self.warnings: list[tuple[str, str]] = []
        model: Any = self
        self.pipeline = Pipeline(model, 2.0, self.metrics, self.predictions.append, self._count_and_warn)

    def classify(self, tensor: Tensor) -> Result:
        """A label with the grey level of the picture."""
        time.sleep(0.005)
        self.meanwhile()
        return Result((Label(f"level {round(float(tensor.mean()))}", 0.9),), 1.0, self.identity)

    def _count_and_warn(self, metric: str, text: str, sender: str) -> None:
        self.metrics.add(metric)
        self.warnings.append((sender, text))

    def offer(self, camera: str = "door", sequence: int = 0, age: float = 0.0, jpeg: bytes = samples.jpeg()) -> None:
        """A frame of that age."""
        self.pipeline.offer(Frame(camera, "a1", sequence, sequence / 10, time.time() - age, 64, 48, jpeg))


@pytest.fixture
def rig() -> Iterator[Rig]:
    running = Rig()
    decode, classify = running.pipeline.workers
    with decode, classify:
        yield running


def test_a_prediction_belongs_to_its_frame(rig: Rig) -> None:
    """Camera, number and time are the frame's; what the model saw is its picture, even if the frame says another size.

    It is the demo's if the frame or the model is.
    """
    frames = ((20, 64, False, False), (120, 64, True, False), (220, 60_000, False, True))
    for sequence, (level, side, drawn, rig.is_demo) in enumerate(frames):
        jpeg = samples.jpeg(level=level)
        rig.pipeline.offer(Frame("side", "a1", sequence, 0.0, time.time(), side, side, jpeg, drawn))
        until(lambda: len(rig.predictions) > sequence)  # noqa: B023  # called at once
    found = [(one.camera, one.sequence, one.labels[0].name, one.demo) for one in rig.predictions]
    assert found == [("side", 0, "level 20", False), ("side", 1, "level 120", True), ("side", 2, "level 220", True)]
    assert rig.predictions[0].model == Rig.identity
    assert 0 <= rig.predictions[0].classified_at - rig.predictions[0].captured_at < limit(5)


def test_a_slow_model_gets_the_newest(rig: Rig) -> None:
    """While it is at work one frame is decoded ahead, and of those that come then the last one waits; the rest are counted."""
    busy, go = threading.Event(), threading.Event()

    def work() -> None:
        busy.set()
        assert go.wait(limit(10))

    rig.meanwhile = work
    rig.offer(sequence=0)
    assert busy.wait(limit(10))
    rig.offer(sequence=1)
    until(lambda: rig.pipeline._ready.qsize() == 1)
    for sequence in range(2, 50):
        rig.offer(sequence=sequence)
    go.set()
    until(lambda: len(rig.predictions) >= 3)
    assert [one.sequence for one in rig.predictions] == [0, 1, 49]
    assert rig.metrics.snapshot()[names.DROPPED_FOR_NEWER] == 47


def test_cameras_take_turns(rig: Rig) -> None:
    """A camera that sends ten times as often as the others gets no more of the model than they."""
    sequences, chance = itertools.count(), random.Random(1)

    def offer() -> None:
        """So that there always are frames of all of them, however slow this machine is."""
        cameras = ["busy"] * 10 + ["a", "b"]
        for camera in chance.sample(cameras, len(cameras)):
            rig.offer(camera, next(sequences))

    rig.meanwhile = offer
    offer()
    until(lambda: len(rig.predictions) >= 90)
    shares = Counter(one.camera for one in rig.predictions[:90])
    assert set(shares) == {"busy", "a", "b"}
    assert max(shares.values()) - min(shares.values()) <= 3


HUGE = samples.jpeg().replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 30_000, 30_000))


@pytest.mark.parametrize(
    ("frame", "metric", "reason"),
    [
        ({"age": 3.0}, names.DROPPED_OLD, "3.0 s old, dropped; MAX_FRAME_AGE is 2"),
        ({"age": -3.0}, names.DROPPED_AHEAD, "s ahead of this machine's clock"),
        *(({"jpeg": samples.jpeg()[:cut]}, names.INVALID, "not a whole JPEG") for cut in (1, 2, 200, -2, -1)),
        ({"jpeg": b"\x89PNG\xff\xd9"}, names.INVALID, "not a whole JPEG"),
        ({"jpeg": b"\xff\xd8\xff\xd9"}, names.INVALID, "cannot be decoded"),
        ({"jpeg": HUGE}, names.INVALID, "at most 16000000 pixels"),
        ({}, names.FAILED, "RuntimeError: the model broke"),
    ],
)
def test_a_bad_frame(rig: Rig, frame: dict[str, Any], metric: str, reason: str) -> None:
    """Old, of the future, cut off, no JPEG, or huge by its header, which takes no memory; or one on which the model breaks.

    It is counted with its topic, so that one camera's line does not hide another's; the next one is classified.
    """
    if metric == names.FAILED:
        rig.meanwhile = Mock(side_effect=[RuntimeError("the model broke"), None])
    rig.offer(sequence=1, **frame)
    until(lambda: rig.metrics.snapshot().get(metric) == 1)
    rig.offer(sequence=2)
    until(lambda: rig.predictions)
    assert [one.sequence for one in rig.predictions] == [2]
    ((sender, warning),) = rig.warnings
    assert sender == "footfall/door/frame"
    assert warning.startswith("footfall/door/frame: ")
    assert reason in warning


def test_frames_and_requests_take_turns(rig: Rig) -> None:
    """While frames come faster than they are predicted and eight clients ask without pause, both get answers all the time."""
    ended, answers = threading.Event(), [0]

    def ask() -> None:
        while not ended.is_set():
            assert rig.pipeline.ask(samples.jpeg(level=120)).labels[0].name == "level 120"
            answers[0] += 1

    rig.meanwhile = rig.offer
    clients = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    rig.offer()
    for one in clients:
        one.start()
    until(lambda: len(rig.predictions) > 40 and answers[0] > 40)
    ended.set()
    for one in clients:
        one.join(limit(10))
