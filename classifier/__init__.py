"""Frames in, predictions out: a Custom Vision export run with TensorFlow Lite."""

import os

from runtime.errors import FootfallError

MOST_PIXELS = 16_000_000
"""A picture that says it has more is refused before it is decoded. As many take 110 MB at most: JPEG, PNG or WebP."""

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))  # OpenCV reads it when it is imported


class InvalidExport(FootfallError):
    """A model that cannot be served; the message names the file, what was found and what is needed."""


class TrialInterrupted(FootfallError):
    """The trial of a model was stopped from outside, as by Ctrl-C; it says nothing about the model."""
