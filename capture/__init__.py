"""The module that publishes a camera, file, stream or folder as frames."""

import os

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded. One of this size takes about 300 MB.

In a command that imports the classifier first, the classifier's limit counts.
"""

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))  # read when OpenCV is imported
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # failures are reported in the module's state
