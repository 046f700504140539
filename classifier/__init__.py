"""Frames in, predictions out: an exported model, run on this machine."""

import os

from runtime.errors import FootfallError

MAX_PIXELS = 16_000_000
"""A picture that announces more is refused before it is decoded. As many take 110 MB at most: JPEG, PNG or WebP."""

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))  # OpenCV reads it when it is imported


class InvalidExport(FootfallError):
    """A model that cannot be served; the message names the file, what was found and what is needed."""
