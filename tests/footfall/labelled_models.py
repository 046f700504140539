"""Small models for the tests of commands: a classifier of colours, and a detector that finds the halves of a bright picture."""

from pathlib import Path

import cv2
import numpy as np

from tests.classifier.model_server import write_files
from tests.support import tflite

SIDE = 64
"""Width and height of the test pictures in px."""
COLOURS = {"blue": (250, 0, 0), "green": (0, 250, 0), "grey": (120, 120, 120), "red": (0, 0, 250), "dark": (10, 10, 10)}
"""Colours by name, BGR."""


def write_classifier(folder: Path, *labels: str) -> Path:
    """Writes a classifier whose three labels have the mean blue, green and red as probabilities. Returns its folder."""
    model = tflite.classification(np.eye(3) / 255, np.zeros(3))
    return write_files(folder, {"model.tflite": model, "labels.txt": "\n".join(labels or ("blue", "green", "red")).encode()})


def write_detector(folder: Path) -> Path:
    """Writes a detector that finds a person in each half: with 0.4 in a dark picture, and up to 1 in a bright one."""
    halves = np.array([0, 0, 0.5, 1, 0.5, 0, 1, 1])
    outputs = {
        "detected_boxes": ((2, 4), np.zeros((8, 3)), halves),
        "detected_classes": ((2,), np.zeros((2, 3)), np.zeros(2)),
        "detected_scores": ((2,), np.full((2, 3), 0.2 / 255), np.full(2, 0.4)),
    }
    return write_files(folder, {"model.tflite": tflite.boxes(outputs), "labels.txt": b"person\nchair"})


def write_walker(folder: Path) -> Path:
    """Writes a detector that finds one person, who stands the lower the brighter the picture is. Returns its folder."""
    brightness = np.zeros((4, 3))
    brightness[[1, 3]] = 1 / 3 / 255
    outputs = {
        "detected_boxes": ((1, 4), brightness, np.array([0.4, -0.5, 0.6, 0.0])),
        "detected_classes": ((1,), np.zeros((1, 3)), np.zeros(1)),
        "detected_scores": ((1,), np.zeros((1, 3)), np.full(1, 0.9)),
    }
    return write_files(folder, {"model.tflite": tflite.boxes(outputs), "labels.txt": b"person\nchair"})


def write_picture(path: Path, left: str, right: str = "") -> None:
    """Writes a picture with one colour, or with one in each half."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[:, : SIDE // 2], picture[:, SIDE // 2 :] = COLOURS[left], COLOURS[right or left]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)
