"""The module that publishes a camera, file, stream or folder as frames."""

from runtime import opencv
from runtime.memory import return_large_blocks

opencv.set_limits()
return_large_blocks()
