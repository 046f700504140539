"""Tests of a classifier process with DETECTOR and MODEL, through a real broker."""

import time
from pathlib import Path

import cv2
import pytest

from bus import Frame, Prediction, Status, states, topics
from tests.classifier.model_server import write_export, write_files
from tests.classifier.squares import BLUE, GREEN, RED, grid, squares
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

pytestmark = pytest.mark.system
NAMES = ("nobody", "man", "woman")
"""The labels of the classifier, for blue, green and red."""


class Camera(Listener):
    """A camera that shows a green, a red and a blue square, and receives the predictions and the classifier's status."""

    def __init__(self, port: int) -> None:
        super().__init__(port, topics.prediction("door"), topics.status("classifier"))
        self._jpeg = cv2.imencode(".jpg", squares(GREEN, RED, BLUE))[1].tobytes()
        self._sent = 0

    def predict(self) -> Prediction:
        """Sends a frame. Returns its prediction."""
        self._sent += 1
        frame = Frame("door", "a1", self._sent, self._sent, round(time.time(), 3), 800, 800, self._jpeg)
        self.publish(frame.topic, frame.pack())
        return Prediction.unpack(self.wait_for("prediction", self._sent)[-1])

    def wait_for_status(self, state: str, reason: str = "") -> Status:
        def reached() -> Status | None:
            status = Status.unpack(self.wait_for("status/classifier")[-1])
            return status if status.state == state and reason in (status.detail) else None

        return until(reached, 30, f"{state} {reason}")


def seen(prediction: Prediction) -> list[tuple[str, bool]]:
    """Returns the label of each thing from the left, and whether it is a visitor."""
    found = sorted(prediction.detections, key=lambda one: one.box.x)
    return [(one.labels[0].name, one.is_visitor) for one in found]


def write_detector(folder: Path, *labels: str) -> Path:
    toml = b"kind = 'yolo'\nanchors = [[1, 1]]"
    return write_files(folder, {"model.tflite": grid(), "labels.txt": "\n".join(labels).encode(), "footfall.toml": toml})


def test_two_models_are_served_and_each_can_be_replaced(broker: Broker, tmp_path: Path) -> None:
    """Visitors get the labels of MODEL, other things keep those of DETECTOR.

    A detector that is none is refused, and the old one stays. The same files again, with other labels, are served.
    """
    detector, model = write_detector(tmp_path / "finds", "person", "chair"), write_export(tmp_path / "tells", NAMES)
    with Camera(broker.port) as camera, Module("classifier", broker.port, DETECTOR=detector, MODEL=model) as module:
        status = camera.wait_for_status(states.RUNNING)
        first = camera.predict()
        assert seen(first) == [("man", True), ("woman", True), ("chair", False)]
        assert first.labels == ()
        assert [one.partition("@")[0] for one in first.model.split("+")] == ["finds", "tells"]
        assert (status.about.model, status.about.labels) == (first.model, ("man", "woman"))
        write_detector(detector, "person", "table")
        until(lambda: seen(camera.predict())[2] == ("table", False), 30, "the new detector")
        write_export(model, ("nobody", "boy", "girl"))
        until(lambda: seen(camera.predict())[0] == ("boy", True), 30, "the new model")
        (detector / "footfall.toml").unlink()
        write_export(detector, NAMES)
        camera.wait_for_status(states.MODEL_REFUSED, "DETECTOR")
        assert "classifies whole pictures; DETECTOR must be a detection model" in module.log
        assert seen(camera.predict()) == [("boy", True), ("girl", True), ("table", False)]
        write_detector(detector, "person", "chair")
        camera.wait_for_status(states.RUNNING)
        assert seen(camera.predict()) == [("boy", True), ("girl", True), ("chair", False)]
