"""Camera, file, stream or folder in; frames on the broker."""

import os

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # else FFmpeg writes to standard error, past the log
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # failures are reported as the camera's state
