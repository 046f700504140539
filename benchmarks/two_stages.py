"""The cost of a detector with a classifier, beside the bare models; and the memory of a classifier process with both."""

import statistics
import tempfile
import time
from pathlib import Path

import cv2
import psutil

from benchmarks.people import load_model
from benchmarks.programs import Broker, Listener, Module
from benchmarks.tables import print_row
from bus import topics
from classifier.backends.tflite import Interpreter
from classifier.recogniser import Recogniser
from classifier.visitors import Rules

PAIRS = (
    ("ssd-person", "gender-faceapi"),
    ("ssd-person", "gender-dlib"),
    ("face-full-range", "gender-faceapi"),
    ("face-full-range", "gender-dlib"),
)
PHOTOGRAPH = "ComputerVision_Images_faces.jpg"
"""Six people."""
PREDICTIONS = 60
"""Predictions before the memory is measured: each of the 14 photographs four times."""


class Bare:
    """A model without anything around it."""

    def __init__(self, export: Path) -> None:
        self._interpreter = Interpreter(model_content=(export / "model.tflite").read_bytes(), num_threads=1)
        self._interpreter.allocate_tensors()

    def invoke(self, times: int) -> None:
        for _ in range(times):
            self._interpreter.invoke()


def measure(folder: Path, detector: str, classifier: str, rounds: int) -> tuple[int, float, float, float]:
    """Returns the crops in a picture; the ms of the bare models for it and of Footfall (medians); and the median ratio.

    Each round measures both, one after the other. The time is the thread's own, so other programs disturb less.
    """
    models = folder / "models"
    bare_detector, bare_classifier = Bare(models / detector), Bare(models / classifier)
    recogniser = Recogniser(load_model(models / classifier), Rules(), load_model(models / detector))
    prepared = recogniser.prepare(cv2.imread(str(folder / "photos" / PHOTOGRAPH)))
    crops = sum(bool(one.labels) and one.is_visitor for one in recogniser.recognise(prepared, "bench").detections)
    bare, footfall = [], []
    for _ in range(rounds):
        begin = time.thread_time()
        bare_detector.invoke(1)
        bare_classifier.invoke(crops)
        between = time.thread_time()
        recogniser.recognise(prepared, "bench")
        bare.append((between - begin) * 1000)
        footfall.append((time.thread_time() - between) * 1000)
    ratio = statistics.median(one / other for one, other in zip(footfall, bare, strict=True))
    return crops, statistics.median(bare), statistics.median(footfall), ratio


def measure_memory(folder: Path, detector: str, classifier: str) -> float:
    """Returns the resident MB of a classifier process with both models, after the photographs have passed it several times."""
    models = {"MODEL": folder / "models" / classifier, "DETECTOR": folder / "models" / detector}
    with (
        tempfile.TemporaryDirectory() as work,
        Broker(Path(work)) as broker,
        Listener(broker.port, topics.prediction()) as listener,
        Module("classifier", broker.port, **models) as process,
        Module("capture", broker.port, VIDEO_PATH=folder / "photos", FRAME_RATE=2),
    ):
        listener.wait_for("prediction", PREDICTIONS, 300)
        return psutil.Process(process.pid).memory_info().rss / 1e6


def report(folder: Path, rounds: int = 40) -> None:
    """Prints the cost of each pair of models, and the memory of the first."""
    print_row(f"{'models':<31}", "crops", "bare ms", "footfall ms", "ratio")
    for detector, classifier in PAIRS:
        print_row(f"{detector} {classifier:<15}", *measure(folder, detector, classifier, rounds))
    detector, classifier = PAIRS[0]
    print_row(f"resident MB with {detector}", measure_memory(folder, detector, classifier))
