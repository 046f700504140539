"""The settings of the classifier."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from bus.settings import BusSettings, CameraNames, SiteName
from runtime.settings import CommaSeparated, Port, Seconds, UserPath


class Settings(BusSettings):
    """One classifier serves the frames of all cameras on its broker, unless CAMERAS names some."""

    model: UserPath = Field(
        default=Path("model"),
        description="folder or zip of an export: model.tflite, labels.txt, cvexport.manifest; a change of its files is served"
        " within seconds, also in place of a downloaded model: the last change wins",
    )
    state_dir: UserPath | None = Field(
        default=None, description="folder of this classifier's own where downloaded models are kept; without it, none are taken"
    )
    cameras: CameraNames = Field(default=(), description="the cameras to serve (commas between); all, without it")
    share: SiteName | None = Field(
        default=None, description="name under which several classifiers divide the frames among them; each needs a MODULE_NAME"
    )
    max_frame_age: Seconds = Field(default=2.0, description="seconds after which a frame is too old to be worth a prediction")
    num_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="threads of TensorFlow Lite; more than 1 only pays on an otherwise idle machine"
    )
    xnnpack: bool = Field(default=True, description="run float models by XNNPACK, which is faster")
    delegate: str | None = Field(
        default=None, description="library of a TensorFlow Lite delegate for an accelerator, as libedgetpu.so.1"
    )
    http_port: Port | None = Field(default=None, description="serve Custom Vision's HTTP interface on this port; off without it")
    http_host: str = Field(default="127.0.0.1", description="address to serve it at; 0.0.0.0 is all of this machine's")
    url_hosts: CommaSeparated = Field(
        default=(), description="machines (name or name:port, commas between) that POST /url may fetch pictures from"
    )
