"""Tests of preprocessing, and of the pipeline: it takes the newest frames in turn, drops old ones and survives bad ones."""

import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from unittest.mock import DEFAULT, Mock

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bus import Frame, InvalidMessage, Prediction
from bus import metric_names as names
from classifier import pipeline
from classifier.decoders import Finding
from classifier.flood import FloodDetector
from classifier.pipeline import Pipeline
from classifier.preprocess import REDUCTIONS, Fit, ImageInput, Tensor, decode, decode_any
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from runtime.metrics import Metrics
from tests.support import samples
from tests.support.wait import limit, until

FLOAT = np.dtype("float32")
FITS: tuple[Fit, ...] = ("centre", "square", "whole", "letterbox")
PICTURE = np.random.default_rng(1).integers(0, 256, (256, 512, 3), np.uint8)
SIDES, LARGER = st.integers(100, 600), st.integers(100, 8000)
HUGE = samples.jpeg().replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 30_000, 30_000))


def test_exif_orientation_is_applied() -> None:
    """A picture with orientation 6 is rotated clockwise by 90 degrees."""
    jpeg = cv2.imencode(".jpg", PICTURE)[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = decode_any(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    assert turned.shape == (512, 256, 3)
    assert (turned == np.rot90(decode_any(jpeg), -1)).all()


@given(st.binary(max_size=300), st.integers(0, 600))
def test_damaged_pictures(damage: bytes, where: int) -> None:
    """A JPEG damaged anywhere gives a picture or raises InvalidMessage."""
    jpeg = samples.jpeg()
    with suppress(InvalidMessage):
        assert decode(b"\xff\xd8" + (jpeg[2:where] + damage + jpeg[where + len(damage) : -2]) + b"\xff\xd9").ndim == 3


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(227, 227), (256, 256), (300, 300), (128, 96)])
@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (100, 100), (31, 500)])
def test_the_tensor_fits_the_model(shape: tuple[int, int], size: tuple[int, int], fit: Fit) -> None:
    """A picture of any shape becomes a tensor of the model's shape, in floats from 0 to 255."""
    tensor = ImageInput(*size, FLOAT, fit=fit, padding=77).to_tensor(np.full((*shape, 3), 77, np.uint8))
    assert (tensor.shape, tensor.dtype) == ((1, size[1], size[0], 3), FLOAT)
    assert (tensor == 77).all()


@pytest.mark.parametrize("times", [1, 2])
def test_the_centre_crop(times: int) -> None:
    """Both ends of the longer side are cut off, and then a margin of 14/256 of the square."""
    picture = PICTURE.repeat(times, 0).repeat(times, 1)
    takes = ImageInput(227, 227, FLOAT)
    assert (takes.to_tensor(picture)[0] == PICTURE[14:241, 142:369]).all()
    assert (takes.to_tensor(picture.transpose(1, 0, 2))[0] == PICTURE[14:241, 142:369].transpose(1, 0, 2)).all()


@example((227, 227), (1024, 1920), "centre")
@example((227, 227), (1024, 1920), "square")
@example((320, 320), (2560, 1280), "whole")
@example((320, 320), (2560, 1280), "letterbox")
@example((300, 300), (1280, 599), "centre")
@given(st.tuples(SIDES, SIDES), st.tuples(LARGER, LARGER), st.sampled_from(FITS))
def test_large_pictures_are_decoded_smaller(model: tuple[int, int], picture: tuple[int, int], fit: Fit) -> None:
    """The reduction leaves at least the pixels that the model takes: of the whole picture, or of its centred square.

    A letterbox takes fewer pixels of the shorter side.
    """
    square = {"centre": max(256, *model), "square": max(model)}
    scale = max(has / needs for has, needs in zip(picture, model, strict=True))
    needed = (square[fit],) * 2 if fit in square else model if fit == "whole" else [side / scale for side in picture]
    enough = [number for number in REDUCTIONS if all(has >= number * needs for has, needs in zip(picture, needed, strict=True))]
    assert ImageInput(*model, FLOAT, fit=fit).max_reduction(*picture) == max(enough, default=1)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_reduced_pictures(reduction: int) -> None:
    """The sides are shorter by the reduction; the tensor is nearly the same. A grey JPEG gets three channels too."""
    y, x = np.mgrid[:1024, :1536]
    picture = np.stack([x / 1536 * 255, y / 1024 * 255, 128 + 100 * np.sin(x / 90) * np.cos(y / 70)], -1).astype(np.uint8)
    takes, shape = ImageInput(64, 64, FLOAT, fit="whole"), (1024 // reduction, 1536 // reduction, 3)
    reduced = decode(cv2.imencode(".jpg", picture)[1].tobytes(), reduction)
    assert reduced.shape == decode(cv2.imencode(".jpg", picture[..., 0])[1].tobytes(), reduction).shape == shape
    assert abs(takes.to_tensor(reduced) - takes.to_tensor(picture)).max() < 8


class Rig:
    """A pipeline that records predictions and warnings. The rig is also its model, which takes 5 ms and calls `on_classify`."""

    identity, runtime = "slow@000000000000", "none"
    is_demo = is_detector = False
    input = ImageInput(8, 8, FLOAT)
    labels = tuple(f"level {number}" for number in range(256))

    def __init__(self, fast_decode: bool = False) -> None:
        self.on_classify: Callable[[], object] = lambda: None
        self.metrics = Metrics()
        self.predictions: list[Prediction] = []
        self.warnings: list[tuple[str, str]] = []
        self.tensors: list[Tensor] = []
        self.pipeline = Pipeline(
            self.recogniser, 2.0, self.metrics, self.predictions.append, self._count_and_warn, fast_decode=fast_decode
        )

    @property
    def recogniser(self) -> Recogniser:
        model: Any = self
        return Recogniser(model, Rules())

    def run(self, tensor: Tensor) -> list[Finding]:
        """Returns a label with the grey level of the picture."""
        time.sleep(0.005)
        self.on_classify()
        self.tensors.append(tensor)
        return [Finding(f"level {round(float(tensor.mean()))}", 0.9)]

    def _count_and_warn(self, metric: str, text: str, sender: str) -> None:
        self.metrics.add(metric)
        self.warnings.append((sender, text))

    def submit(self, camera: str = "door", sequence: int = 0, age: float = 0.0, jpeg: bytes = samples.jpeg()) -> None:
        """Submits a frame of this age."""
        self.pipeline.submit(Frame(camera, "a1", sequence, sequence / 10, time.time() - age, 64, 48, jpeg))


@pytest.fixture
def rig() -> Iterator[Rig]:
    running = Rig()
    decode, classify = running.pipeline.workers
    with decode, classify:
        yield running


def test_a_prediction_belongs_to_its_frame(rig: Rig) -> None:
    """A prediction has its frame's camera, number and time, and fits its picture, even if the frame states another size.

    It is marked as the demo's if the frame or the model is.
    """
    frames = ((20, 64, False, False), (120, 64, True, False), (220, 60_000, False, True))
    for sequence, (level, side, drawn, rig.is_demo) in enumerate(frames):
        rig.pipeline.switch(rig.recogniser)
        jpeg = samples.jpeg(level=level)
        rig.pipeline.submit(Frame("side", "a1", sequence, 0.0, time.time(), side, side, jpeg, drawn))
        until(lambda: len(rig.predictions) > sequence)  # noqa: B023  # called at once
    found = [(one.camera, one.sequence, one.labels[0].name, one.demo) for one in rig.predictions]
    assert found == [("side", 0, "level 20", False), ("side", 1, "level 120", True), ("side", 2, "level 220", True)]
    assert rig.predictions[0].model == Rig.identity
    assert 0 <= rig.predictions[0].classified_at - rig.predictions[0].captured_at < limit(5)


def test_a_pipeline_without_work_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads wait long for work, but not for the end."""
    monkeypatch.setattr(pipeline, "QUEUE_TIMEOUT", 3600.0)
    running = Rig()
    decode, classify = running.pipeline.workers
    with decode, classify:
        until(lambda: decode.stalled > 0 and classify.stalled > 0)
    assert running.pipeline.stalled == 0


@pytest.mark.parametrize(("fast_decode", "reduction"), [(False, 1), (True, 4)])
def test_large_frames_are_decoded_smaller_on_request(fast_decode: bool, reduction: int) -> None:
    """A frame of four times the size that the model needs is decoded in full, unless FAST_DECODE is set."""
    picture = np.random.default_rng(1).integers(0, 256, (1024, 1024, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    running = Rig(fast_decode)
    with running.pipeline.workers[0], running.pipeline.workers[1]:
        running.pipeline.submit(Frame("door", "a1", 0, 0.0, time.time(), 1024, 1024, jpeg))
        until(lambda: running.tensors)
    expected = {number: running.input.to_tensor(decode(jpeg, number)) for number in (1, 4)}
    assert abs(expected[1] - expected[4]).max() > 10
    assert (running.tensors[0] == expected[reduction]).all()


def test_a_slow_model_gets_the_newest(rig: Rig) -> None:
    """While the model works, one frame is decoded ahead, and each camera's newest frame waits. The others are counted."""
    busy, go = threading.Event(), threading.Event()

    def work() -> None:
        busy.set()
        assert go.wait(limit(10))

    rig.on_classify = work
    rig.submit(sequence=0)
    assert busy.wait(limit(10))
    rig.submit(sequence=1)
    until(lambda: rig.pipeline._prepared.qsize() == 1)
    for sequence in range(2, 50):
        rig.submit("door", sequence)
        rig.submit("back", sequence)
        time.sleep(0.002)  # enough time to decode more
    go.set()
    until(lambda: len(rig.predictions) >= 4)
    found = [(one.camera, one.sequence) for one in rig.predictions]
    assert found == [("door", 0), ("door", 1), ("door", 49), ("back", 49)]
    assert rig.metrics.snapshot()[names.DROPPED_FOR_NEWER] == 2 * 47


def test_a_frame_is_chosen_when_it_is_time_to_decode_it() -> None:
    """Frames that arrive until then replace older ones. Cameras take turns as ever."""
    running, is_waiting, is_time = Rig(), threading.Event(), threading.Event()

    def wait() -> float:
        is_waiting.set()
        assert is_time.wait(limit(10))
        return time.monotonic()

    running.pipeline._pace.wait = wait  # type: ignore[method-assign]
    with running.pipeline.workers[0], running.pipeline.workers[1]:
        running.submit("door", 0)
        assert is_waiting.wait(limit(10))
        for sequence in range(1, 5):
            running.submit("back", sequence)
            running.submit("door", sequence)
        is_time.set()
        until(lambda: len(running.predictions) >= 2)
    assert [(one.camera, one.sequence) for one in running.predictions] == [("door", 4), ("back", 4)]


@pytest.mark.parametrize(
    ("frame", "metric", "reason"),
    [
        ({"age": 3.0}, names.DROPPED_OLD, "3.0 s old, dropped; MAX_FRAME_AGE is 2"),
        ({"age": -3.0}, names.DROPPED_AHEAD, "s ahead of this machine's clock"),
        *(({"jpeg": samples.jpeg()[:cut]}, names.INVALID, "not a complete JPEG") for cut in (1, 2, 200, -2, -1)),
        ({"jpeg": b"\x89PNG\xff\xd9"}, names.INVALID, "not a complete JPEG"),
        ({"jpeg": b"\xff\xd8\xff\xd9"}, names.INVALID, "4 bytes that are not a JPEG"),
        ({"jpeg": HUGE}, names.INVALID, "30000x30000 pixels; a side can have 1 to 16384"),
        ({}, names.FAILED, "RuntimeError: the model broke"),
        ({}, names.FAILED, "InvalidMessage: Prediction: 70000 bytes"),
    ],
)
def test_a_bad_frame(rig: Rig, frame: dict[str, Any], metric: str, reason: str) -> None:
    """A frame is dropped if it is old, from the future, truncated, not a JPEG, too large, or if the model fails on it.

    So is one whose prediction is too large for a message.

    It is counted with its topic, so that one camera's log lines do not suppress another's. The next frame is classified.
    """
    if "InvalidMessage" in reason:
        error = InvalidMessage("Prediction: 70000 bytes; at most 65536 are allowed")
        rig.pipeline._publish = Mock(side_effect=[error, DEFAULT], wraps=rig.predictions.append)
    elif metric == names.FAILED:
        rig.on_classify = Mock(side_effect=[RuntimeError("the model broke"), None])
    rig.submit(sequence=1, **frame)
    until(lambda: rig.metrics.snapshot().get(metric) == 1)
    rig.submit(sequence=2)
    until(lambda: rig.predictions)
    assert [one.sequence for one in rig.predictions] == [2]
    ((sender, warning),) = rig.warnings
    assert sender == "footfall/door/frame"
    assert warning.startswith("footfall/door/frame: ")
    assert reason in warning


def test_frames_and_requests_take_turns(rig: Rig) -> None:
    """While frames arrive faster than they are classified, and eight clients send requests without a pause, both get results."""
    ended, answers = threading.Event(), [0]

    def ask() -> None:
        while not ended.is_set():
            assert rig.pipeline.classify(samples.jpeg(level=120)).labels[0].name == "level 120"
            answers[0] += 1

    rig.on_classify = rig.submit
    clients = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    rig.submit()
    for one in clients:
        one.start()
    until(lambda: len(rig.predictions) > 40 and answers[0] > 40)
    ended.set()
    for one in clients:
        one.join(limit(10))


@pytest.mark.parametrize("inference", [0.06, 0.08])
def test_a_camera_that_floods_takes_no_share_of_others(rig: Rig, inference: float) -> None:
    """Beside 528 frames a second of one camera, another keeps nine of ten predictions at 10 frames a second.

    The clock is the test's: each inference advances it, and the frames of that time arrive meanwhile.
    """
    now, sent = 0.0, Counter[str]()
    rig.pipeline._flood = FloodDetector(lambda: now)

    def work() -> None:
        nonlocal now
        end = now + inference
        while now < end:
            now += 1 / 528
            for camera, rate in (("flood", 528), ("door", 10)):
                if now * rate >= sent[camera]:
                    rig.submit(camera, sent[camera])
                    sent[camera] += 1
        time.sleep(0.01)  # enough to decode the next one

    rig.on_classify = work
    rig.submit("flood")
    until(lambda: now > 12)
    rig.on_classify = lambda: None
    found = [one.sequence for one in list(rig.predictions) if one.camera == "door" and one.sequence >= 20]
    assert len(found) >= 0.9 * (sent["door"] - 20)
    assert rig.metrics.snapshot()[names.FLOODED] >= 500 * 11
    assert sum(one.camera == "flood" for one in rig.predictions) <= 12 * 12, "a flood does not use all of the processor"
    assert {sender for sender, _ in rig.warnings} == {"footfall/flood/frame"}
