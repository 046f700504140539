"""What can be set about the classifier."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from bus.settings import BusSettings, Seconds, UserPath


class Settings(BusSettings):
    """One classifier serves the frames of all cameras on its broker."""

    model: UserPath = Field(
        default=Path("model"), description="folder or zip of a Custom Vision export: model.tflite, labels.txt, cvexport.manifest"
    )
    max_frame_age: Seconds = Field(default=2.0, description="seconds after which a frame is too old to be worth a prediction")
    num_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="threads of TensorFlow Lite; more than 1 only pays on an otherwise idle machine"
    )
    xnnpack: bool = Field(default=True, description="run float models by XNNPACK, which is faster")
    delegate: str | None = Field(
        default=None, description="library of a TensorFlow Lite delegate for an accelerator, as libedgetpu.so.1"
    )
