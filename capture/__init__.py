"""The module that publishes a camera, file, stream or folder as frames."""

import os

from bus.images import MAX_PIXELS
from runtime.memory import return_large_blocks

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))  # read when OpenCV is imported
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # failures are reported in the module's state
return_large_blocks()
