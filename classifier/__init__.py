"""The classifier: turns frames into predictions with an exported model, on this machine."""

import os

from runtime.errors import FootfallError

MAX_PIXELS = 16_000_000
"""Larger pictures are refused before they are decoded. A JPEG, PNG or WebP of this size takes at most 110 MB."""

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))  # read when OpenCV is imported


class InvalidExport(FootfallError):
    """A model that cannot be served. The message names the file, what was found and what is needed."""


class UnreadableExport(InvalidExport):
    """A model that cannot be read now, for a reason that may pass, such as a lack of memory or of file descriptors."""
