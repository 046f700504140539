"""The module that publishes a camera, file, stream or folder as frames."""

import os

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # otherwise FFmpeg writes to standard error, past the log
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # failures are reported in the module's state
