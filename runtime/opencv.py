"""The limits of OpenCV, which reads them when it is imported. Imports nothing large, so that the trial of a model starts fast."""

import os

MAX_PIXELS = 16_000_000
"""Pixels of a decoded picture, which then takes 48 MB, and as much again while OpenCV hands it over."""


def set_limits() -> None:
    """Limits the size of pictures, and turns off OpenCV's log: programs count and log pictures that cannot be decoded."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
