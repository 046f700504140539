"""Recordings of a hall's scenes: what is true in each frame, and what the detector finds in it."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from bus import Detection
from capture.pictures.decoded import shrunk
from capture.pictures.picture import Pixels
from capture.pictures.prepare import encode_jpeg
from capture.settings import Settings as CaptureSettings
from classifier.export import read_export
from classifier.model import Model
from classifier.preprocess import decode
from classifier.recogniser import Recogniser
from classifier.settings import Settings as ClassifierSettings
from counter.tracking.things import Area
from demo.about import DETECTOR
from demo.canvas import Picture
from demo.hall_samples import CLEAR
from demo.hall_scenes import HallMoment, HallScene
from demo.light import LightName
from demo.shop import HEIGHT, WIDTH
from demo.truth import Box, PersonTruth, TrueCrossing
from demo.visitors import FRAME_RATE

ASPECT = WIDTH / HEIGHT
"""Width of a picture divided by its height."""


class Finder:
    """The steps from picture to boxes, with the modules' own code and default settings. The environment is ignored."""

    def __init__(self, detector: Path = DETECTOR) -> None:
        self._recogniser = Recogniser(Model(read_export(detector)), ClassifierSettings.model_construct().rules)
        self._quality = CaptureSettings.model_construct().jpeg_quality

    def find(self, picture: Picture) -> tuple[Detection, ...]:
        """Returns what the detector finds in a picture after its transport as JPEG."""
        return self._recogniser.recognise(self._recogniser.prepare(decode(encode_jpeg(picture, self._quality)))).detections


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """A frame at a second of the scene: the light, the truth about its people, and what was found.

    `held` is as in `bus.Frame`; None if the motion gate held this frame back. Without a picture there is no `thumbnail`.
    """

    at: float
    light: LightName
    truth: tuple[PersonTruth, ...]
    detections: tuple[Detection, ...] = ()
    thumbnail: Pixels | None = None
    held: float | None = 0.0

    @property
    def people(self) -> dict[int, Area]:
        """The boxes of the people who can be seen: those whom the detector must find."""
        return {one.id: area(one.box) for one in self.truth if one.visible >= CLEAR}

    @property
    def ignored(self) -> dict[int, Area]:
        """The boxes of the people who are hidden for the most part. It does not matter whether they are found."""
        return {one.id: area(one.box) for one in self.truth if one.visible < CLEAR}


class Recording(NamedTuple):
    """A scene of a number of seconds, with `FRAME_RATE` frames a second or fewer, and its true crossings."""

    seed: int
    seconds: float
    frames: tuple[RecordedFrame, ...]
    crossings: tuple[TrueCrossing, ...]
    rate: int = FRAME_RATE

    def sampled(self, rate: int) -> "Recording":
        """Returns the recording at a lower frame rate, which divides its own."""
        return self._replace(frames=self.frames[:: self.rate // rate], rate=rate)


def area(box: Box) -> Area:
    """Returns a box, which is in parts of the picture, in picture heights."""
    x, y, w, h = box
    return Area(x * ASPECT, y, w * ASPECT, h)


def record(seed: int, seconds: float, pause: float | None = None, detector: Path | None = DETECTOR) -> Recording:
    """Records a scene. Without a detector nothing is drawn, and nothing found. `pause` is that between parties, if not usual."""
    scene, finder = HallScene(seed, pause), Finder(detector) if detector else None
    frames = []
    for moment in itertools.takewhile(lambda moment: moment.seconds < seconds, scene.moments()):
        frame = recorded(moment, ())
        if finder:
            picture = scene.frame(moment)
            frame = replace(frame, detections=finder.find(picture), thumbnail=shrunk(picture))
        frames.append(frame)
    return Recording(seed, seconds, tuple(frames), tuple(scene.crossings(seconds)))


def recorded(moment: HallMoment, found: tuple[Detection, ...]) -> RecordedFrame:
    """Returns the recorded frame of a moment."""
    return RecordedFrame(moment.seconds, moment.light.name, moment.people, found)
