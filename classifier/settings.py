"""The settings of the classifier."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from bus.settings import BusSettings, CameraNames, SiteName
from classifier.download import find_address_problem
from runtime.settings import CommaSeparated, Port, Seconds, UserPath


def _check_location(text: str) -> str:
    """Returns an address or a path. Raises `ValueError` for an invalid address."""
    if "://" in text and (problem := find_address_problem(text)):
        raise ValueError(problem)
    return text


class Settings(BusSettings):
    """Settings of the classifier, which serves all cameras on its broker unless CAMERAS lists some."""

    model: UserPath = Field(
        default=Path("model"),
        description="folder or zip of an export: model.tflite, labels.txt, cvexport.manifest; or person, the person detector;"
        " changed files are served within seconds, and replace a downloaded model",
    )
    person_model_url: Annotated[str, AfterValidator(_check_location)] = Field(
        default="https://storage.googleapis.com/download.tensorflow.org/models/tflite/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.zip",
        description="where MODEL=person is fetched from, once: https or http address, or path, of the model or its zip",
    )
    state_dir: UserPath | None = Field(
        default=None, description="folder for downloaded models, one per classifier; without it, requests for models are refused"
    )
    cameras: CameraNames = Field(default=(), description="cameras to serve, separated by commas; all by default")
    share: SiteName | None = Field(
        default=None, description="name of a group of classifiers that share the frames; each of them needs a MODULE_NAME"
    )
    max_frame_age: Seconds = Field(default=2.0, description="age in seconds above which a frame is dropped")
    num_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="threads of TensorFlow Lite; more than 1 helps only on an otherwise idle machine"
    )
    xnnpack: bool = Field(default=True, description="run float models with XNNPACK, which is faster")
    delegate: str | None = Field(
        default=None, description="library of a TensorFlow Lite delegate for an accelerator, such as libedgetpu.so.1"
    )
    http_port: Port | None = Field(default=None, description="port of Custom Vision's HTTP interface; off by default")
    http_host: str = Field(default="127.0.0.1", description="address of the HTTP interface; 0.0.0.0 means all of this machine's")
    url_hosts: CommaSeparated = Field(
        default=(), description="machines from which POST /url may fetch pictures: name or name:port, separated by commas"
    )
