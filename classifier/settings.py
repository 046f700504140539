"""The settings of the classifier."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from bus.settings import CameraNames, LabelSettings, SiteName
from classifier.download import find_address_problem
from classifier.visitors import BACKGROUND_LABELS, Rules
from runtime.settings import CommaSeparated, Port, Seconds, UserPath


def _check_location(text: str) -> str:
    """Returns an address or a path. Raises `ValueError` for an invalid address."""
    if "://" in text and (problem := find_address_problem(text)):
        raise ValueError(problem)
    return text


class Settings(LabelSettings):
    """Settings of the classifier, which serves all cameras on its broker unless CAMERAS lists some."""

    model: UserPath = Field(
        default=Path("model"),
        description="folder or zip of an exported model, or its file; or person, the person detector;"
        " changed files are served within seconds, and replace a downloaded model",
    )
    detector: UserPath | None = Field(
        default=None,
        description="folder or zip of a detection model, or its file, or person; MODEL then classifies each of its visitors",
    )
    person_model_url: Annotated[str, AfterValidator(_check_location)] = Field(
        default="https://storage.googleapis.com/download.tensorflow.org/models/tflite/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.zip",
        description="where the person detector is fetched from, once: https or http address, or path, of the model or its zip",
    )
    visitors: CommaSeparated = Field(
        default=(),
        description="labels that make a visitor, separated by commas; by default person if the model knows it, and otherwise"
        " all but BACKGROUND_LABELS",
    )
    background_labels: CommaSeparated = Field(
        default=BACKGROUND_LABELS,
        description="labels that mean nobody is there, separated by commas; case and brackets do not matter",
    )
    crop_margin: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="with DETECTOR: margin around a visitor that MODEL sees too, in parts of its box"
    )
    crops: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="with DETECTOR: visitors that MODEL classifies in one frame at most; more take turns"
    )
    min_crop: Annotated[int, Field(ge=1, le=10000)] = Field(
        default=40, description="with DETECTOR: shorter side in pixels below which a visitor is not classified"
    )
    fast_decode: bool = Field(
        default=False, description="decode large frames at a half, a quarter or an eighth; faster, but probabilities change"
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
        default=1, description="threads of an inference; more than 1 helps only on an otherwise idle machine"
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

    @property
    def rules(self) -> Rules:
        """The rules for visitors."""
        return Rules(self.visitors, self.background_labels, self.threshold, self.crop_margin, self.crops, self.min_crop)
