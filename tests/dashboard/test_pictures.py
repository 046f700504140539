"""Pictures and their own predictions."""

import json
from dataclasses import replace

import pytest

from bus import Box, Frame, Label, Prediction
from dashboard.pictures import LEASE, MAX_BYTES, PREDICTION_TIMEOUT, SILENCE, Picture, Pictures
from tests.support import samples


class Watched:
    """Pictures, and what they asked of the broker."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.changes = 0
        self.now = 1000.0
        self.pictures = Pictures(self.heard.append, self.heard.remove, self._changed, lambda: self.now)

    def _changed(self) -> None:
        self.changes += 1

    def frame(self, sequence: int, camera: str = "door") -> Frame:
        """A frame comes."""
        frame = samples.frame(camera, sequence, 1000.0 + sequence)
        self.pictures.on_frame(frame)
        return frame

    def prediction(self, frame: Frame) -> Prediction:
        """Its prediction comes."""
        prediction = replace(samples.prediction(captured_at=frame.captured_at, camera=frame.camera), sequence=frame.sequence)
        self.pictures.on_prediction(prediction)
        return prediction


def test_a_picture_has_its_own_prediction() -> None:
    """Of three frames the one that was predicted is shown, with that prediction, and said to be new."""
    watched = Watched()
    watched.pictures.want("door")
    _, second, _ = (watched.frame(number) for number in range(3))
    assert watched.pictures.newest("door") is None
    prediction = watched.prediction(second)
    assert watched.pictures.newest("door") == Picture(second, prediction)
    assert watched.changes == 1


def test_predictions_of_other_frames_are_let_go() -> None:
    """One that is older than what is shown, or of a frame that never came, changes nothing."""
    watched = Watched()
    watched.pictures.want("door")
    first, second = watched.frame(0), watched.frame(1)
    shown = Picture(second, watched.prediction(second))
    watched.prediction(first)
    watched.prediction(samples.frame("door", 7, 1007.0))
    watched.pictures.on_prediction(replace(samples.prediction(captured_at=1.0), sequence=1))
    assert watched.pictures.newest("door") == shown


def test_frames_are_heard_only_while_somebody_looks() -> None:
    """A camera is subscribed to when a picture is wanted, and no more once nobody has wanted one for a while."""
    watched = Watched()
    watched.frame(0)
    assert watched.heard == []
    watched.pictures.want("door")
    watched.pictures.want("door")
    assert watched.heard == ["door"]
    watched.now += LEASE - 0.1
    watched.pictures.want("door")
    watched.now += LEASE - 0.1
    watched.pictures.apply_timeouts()
    assert watched.heard == ["door"]
    watched.prediction(watched.frame(1))
    watched.now += LEASE
    watched.pictures.apply_timeouts()
    assert watched.heard == []
    assert watched.pictures.newest("door") is None


def test_without_a_classifier_frames_are_shown_alone() -> None:
    """A frame that has waited long enough is shown without a prediction, but not while a slow model still answers."""
    watched = Watched()
    watched.pictures.want("door")
    watched.prediction(watched.frame(0))
    lonely = watched.frame(1)
    watched.now += PREDICTION_TIMEOUT + 0.1
    watched.pictures.apply_timeouts()
    shown = watched.pictures.newest("door")
    assert shown
    assert shown.frame.sequence == 0
    watched.now += SILENCE - 0.5
    watched.pictures.want("door")
    watched.frame(2)
    watched.pictures.apply_timeouts()
    assert watched.pictures.newest("door") == Picture(lonely, None)
    assert watched.changes == 2
    watched.pictures.apply_timeouts()
    assert watched.changes == 2


@pytest.mark.parametrize("session", ["session", "next"])
def test_a_clock_that_is_set_back_does_not_stop_the_pictures(session: str) -> None:
    """Frames whose time is before what is shown are shown too, with their own predictions: of this session or the next one."""
    watched = Watched()
    watched.pictures.want("door")
    shown = watched.frame(100)
    watched.prediction(shown)
    for number in (101, 102):
        frame = replace(samples.frame("door", number, 900.0 + number), session=session)
        watched.pictures.on_frame(frame)
        newest = watched.pictures.newest("door")
        assert newest is None if session == "next" and number == 101 else newest and newest.frame == shown
        prediction = replace(samples.prediction(captured_at=frame.captured_at), session=session, sequence=number)
        watched.pictures.on_prediction(prediction)
        assert watched.pictures.newest("door") == Picture(frame, prediction)
        shown = frame


def test_waiting_frames_are_bounded() -> None:
    """However many frames wait for a classifier, they take so many bytes at most; of the fullest camera the oldest go."""
    watched = Watched()
    for camera in ("door", "back"):
        watched.pictures.want(camera)
    size = 2 * 1024 * 1024
    kept = MAX_BYTES // size
    small = watched.frame(0, "back")
    frames = [replace(samples.frame("door", number, 1000.0 + number), jpeg=bytes(size)) for number in range(kept + 3)]
    for frame in frames:
        watched.pictures.on_frame(frame)
    watched.prediction(frames[3])
    assert watched.pictures.newest("door") is None
    watched.prediction(frames[4])
    assert watched.pictures.newest("door")
    watched.prediction(small)
    assert watched.pictures.newest("back")


def test_how_it_is_packed() -> None:
    """A length, a head as JSON that tells age, size and prediction, and the JPEG as it was."""
    frame = samples.frame("door", 3, 1000.0)
    labels = (Label("cat", 0.9, Box(0.0, 0.25, 0.5, 1.0)), Label("dog", 0.1))
    packed = Picture(frame, Prediction("door", "a1", 3, 0.3, 1000.0, 1000.02, 6.5, "m", labels)).packed(1000.25)
    end = 4 + int.from_bytes(packed[:4], "big")
    assert json.loads(packed[4:end]) == {
        "camera": "door", "sequence": 3, "captured_at": 1000.0, "age": 0.25, "width": 64, "height": 48,
        "prediction": {
            "labels": [
                {"name": "cat", "probability": 0.9, "box": [0.0, 0.25, 0.5, 1.0]},
                {"name": "dog", "probability": 0.1, "box": None},
            ],
            "classified_at": 1000.02, "inference_ms": 6.5, "model": "m",
        },
    }  # fmt: skip
    assert packed[end:] == frame.jpeg
    assert json.loads(Picture(frame, None).packed(1000.0)[4:].split(b"}")[0] + b"}")["prediction"] is None
