"""The pipeline: newest frames in turn, old ones dropped, bad ones survived."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

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


class Setup:
    """A pipeline whose predictions and warnings are kept, with itself for a model: one that takes its time, or waits for `go`."""

    identity = "slow@000000000000"
    is_demo = False
    input = ImageInput(8, 8, np.dtype("float32"))

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.go, self.busy = threading.Event(), threading.Event()
        self.go.set()
        self.fail = False
        self.meanwhile: Callable[[], object] = lambda: None
        self.metrics = Metrics()
        self.predictions: list[Prediction] = []
        self.warnings: list[tuple[str, str]] = []
        model: Any = self
        self.pipeline = Pipeline(model, 2.0, self.metrics, self.predictions.append, self._count_and_warn)

    def classify(self, tensor: Tensor) -> Result:
        """A label with the grey level of the picture."""
        self.busy.set()
        assert self.go.wait(limit(10))
        time.sleep(self.seconds)
        self.meanwhile()
        if self.fail:
            self.fail = False
            raise RuntimeError("the model broke")
        return Result((Label(f"level {round(float(tensor.mean()))}", 0.9),), 1.0, self.identity)

    @contextmanager
    def running(self) -> Iterator[None]:
        decode, classify = self.pipeline.workers
        with decode, classify:
            yield

    def _count_and_warn(self, metric: str, text: str, sender: str) -> None:
        self.metrics.add(metric)
        self.warnings.append((sender, text))

    def offer(self, camera: str = "door", sequence: int = 0, age: float = 0.0, jpeg: bytes = b"") -> None:
        """A frame of that age."""
        self.pipeline.offer(Frame(camera, "a1", sequence, sequence / 10, time.time() - age, 64, 48, jpeg or samples.jpeg()))


def test_a_prediction_belongs_to_its_frame() -> None:
    """Camera, number and time are the frame's; what the model saw is its picture, even if the frame says another size."""
    setup = Setup()
    with setup.running():
        for sequence, (level, side) in enumerate(((20, 64), (120, 64), (220, 60_000))):
            setup.pipeline.offer(Frame("side", "a1", sequence, 0.0, time.time(), side, side, samples.jpeg(level=level)))
            until(lambda: len(setup.predictions) > sequence)  # noqa: B023  # called at once
    found = [(one.camera, one.sequence, one.labels[0].name) for one in setup.predictions]
    assert found == [("side", 0, "level 20"), ("side", 1, "level 120"), ("side", 2, "level 220")]
    assert setup.predictions[0].model == Setup.identity
    assert 0 <= setup.predictions[0].classified_at - setup.predictions[0].captured_at < limit(5)


@pytest.mark.parametrize(("drawn", "of_demo"), [(True, False), (False, True), (False, False)])
def test_a_prediction_is_the_demos_by_its_frame_or_its_model(drawn: bool, of_demo: bool) -> None:
    setup = Setup()
    setup.is_demo = of_demo
    with setup.running():
        setup.pipeline.offer(replace(samples.frame(captured_at=time.time()), demo=drawn))
        until(lambda: setup.predictions)
    assert setup.predictions[0].demo is (drawn or of_demo)


def test_a_slow_model_gets_the_newest() -> None:
    """While the model is busy only the last of many frames waits, one more is decoded ahead; the rest are counted."""
    setup = Setup()
    setup.go.clear()
    with setup.running():
        setup.offer(sequence=0)
        assert setup.busy.wait(limit(10))
        for sequence in range(1, 50):
            setup.offer(sequence=sequence)
        setup.go.set()
        until(lambda: setup.predictions and setup.predictions[-1].sequence == 49)
    assert len(setup.predictions) <= 4
    dropped = setup.metrics.snapshot()[names.DROPPED_FOR_NEWER]
    assert dropped == 50 - len(setup.predictions)


def test_cameras_take_turns() -> None:
    """A camera that sends ten times as often as the others gets no more of the model than they."""
    setup = Setup(0.005)
    sequences, chance = itertools.count(), random.Random(1)

    def offer() -> None:
        cameras = ["busy"] * 10 + ["a", "b"]
        for camera in chance.sample(cameras, len(cameras)):
            setup.offer(camera, next(sequences))

    setup.meanwhile = offer  # so that there always are frames of all of them, however slow this machine is
    with setup.running():
        offer()
        until(lambda: len(setup.predictions) >= 90)
    shares = Counter(one.camera for one in setup.predictions[:90])
    assert set(shares) == {"busy", "a", "b"}
    assert max(shares.values()) - min(shares.values()) <= 3


@pytest.mark.parametrize(
    ("frame", "metric", "reason"),
    [
        ({"age": 3.0}, names.DROPPED_OLD, "3.0 s old, dropped; MAX_FRAME_AGE is 2"),
        ({"age": -3.0}, names.DROPPED_AHEAD, "s ahead of this machine's clock"),
        ({"jpeg": b"garbage"}, names.INVALID, "not a whole JPEG"),
        ({"jpeg": samples.jpeg()[:200]}, names.INVALID, "not a whole JPEG"),
        ({"jpeg": b"\xff\xd8\xff\xd9"}, names.INVALID, "cannot be decoded"),
        ({}, names.FAILED, "RuntimeError: the model broke"),
    ],
)
def test_a_bad_frame(frame: dict[str, Any], metric: str, reason: str) -> None:
    """It is counted with its topic, so that one camera's line does not hide another's; the next one is classified."""
    setup = Setup()
    setup.fail = metric == names.FAILED
    with setup.running():
        setup.offer(sequence=1, **frame)
        until(lambda: setup.metrics.snapshot().get(metric) == 1)
        setup.offer(sequence=2)
        until(lambda: setup.predictions)
    assert [one.sequence for one in setup.predictions] == [2]
    ((sender, warning),) = setup.warnings
    assert sender == "footfall/door/frame"
    assert warning.startswith("footfall/door/frame: ")
    assert reason in warning


def test_decoding_and_the_model_overlap() -> None:
    """The next frame is decoded while the model is at work on the one before, and no further ahead than that."""
    setup = Setup()
    setup.go.clear()
    with setup.running():
        for number in range(4):
            setup.offer(f"camera{number}", number)
        assert setup.busy.wait(limit(10))
        until(lambda: setup.pipeline._ready.qsize() == 1)
        assert not setup.pipeline._may_decode.acquire(blocking=False)
        setup.go.set()
        until(lambda: len(setup.predictions) == 4)


def test_frames_and_requests_take_turns() -> None:
    """While frames come faster than they are predicted and eight clients ask without pause, both get answers all the time."""
    setup = Setup(0.005)
    ended, answers = threading.Event(), [0]
    picture = samples.jpeg(level=120)

    def ask() -> None:
        while not ended.is_set():
            assert setup.pipeline.ask(picture).labels[0].name == "level 120"
            answers[0] += 1

    setup.meanwhile = setup.offer
    clients = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    with setup.running():
        setup.offer()
        for one in clients:
            one.start()
        until(lambda: len(setup.predictions) > 40 and answers[0] > 40)
        ended.set()
        for one in clients:
            one.join(limit(10))
