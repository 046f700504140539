"""The module that publishes a camera, file, stream or folder as frames."""

import os

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # failures are reported in the module's state
