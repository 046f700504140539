"""A scene processed by the real preprocessing, model and visit rules, without a broker and at full speed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bus import Prediction, Visit
from capture.pictures.decoded import shrunk
from capture.pictures.prepare import encode_jpeg
from capture.settings import Settings as CaptureSettings
from classifier.export import read_export
from classifier.model import Model
from classifier.preprocess import decode
from classifier.recogniser import Recogniser
from classifier.settings import Settings as ClassifierSettings
from counter.settings import Settings as CounterSettings
from counter.visitors import Result, VisitorCounter
from demo.about import MODEL
from demo.canvas import Picture
from demo.gated import create_gate
from demo.light import LightName
from demo.scenes import Moment, Scene
from demo.score import Span
from demo.visitors import FRAME_RATE, FULL_VIEW

NOBODY = "nobody"
START_TIME = 1e9
"""Unix time of a scene's start."""


class FrameVerdict(NamedTuple):
    """The truth of one frame, a visitor in full view or nobody, and the model's label."""

    truth: str
    light: LightName
    label: str
    traits: tuple[str, ...] = ()
    """The visitor's clothes, hair, bag, side and place."""


class VisitorTruth(NamedTuple):
    """A true visit, and the light halfway through it."""

    span: Span
    light: LightName


class SceneResult(NamedTuple):
    """The result of a scene: its frames, true visits and counted visits, also with the motion gate; and what it holds back."""

    seed: int
    seconds: float
    frames: list[FrameVerdict]
    visitors: list[VisitorTruth]
    visits: list[Span]
    gated_visits: list[Span]
    share_held: float


class VisitRecorder:
    """The visits that a counter with default settings makes of predictions. The environment is ignored."""

    def __init__(self) -> None:
        self._visitors = VisitorCounter("door", CounterSettings.model_construct().rules)
        self._ended: list[Visit] = []
        self.predictions = 0

    def process(self, prediction: Prediction, held: float = 0.0) -> None:
        """Processes the next prediction; for `held` see `bus.Frame`."""
        self._add(self._visitors.process(replace(prediction, sequence=self.predictions, held=held)))
        self.predictions += 1

    def end(self) -> list[Span]:
        """Ends the open visit. Returns every visit of the scene, with times from its start."""
        self._add(self._visitors.end_all())
        return [Span(visit.label, visit.started_at - START_TIME, visit.ended_at - START_TIME) for visit in self._ended]

    def _add(self, results: Sequence[Result]) -> None:
        self._ended += [one for one in results if isinstance(one, Visit)]


class Pipeline:
    """The steps from picture to visit, with the modules' own code and default settings. The environment is ignored.

    The frames of `gated` have passed the motion gate.
    """

    def __init__(self, model: Path = MODEL) -> None:
        self._recogniser = Recogniser(Model(read_export(model)), ClassifierSettings.model_construct().rules)
        self._quality = CaptureSettings.model_construct().jpeg_quality
        self._gate = create_gate()
        self.all, self.gated = VisitRecorder(), VisitRecorder()

    def process(self, picture: Picture, number: int) -> str:
        """Processes the next frame. Returns the model's label for it."""
        result = self._recogniser.recognise(self._recogniser.prepare(decode(encode_jpeg(picture, self._quality))))
        seconds = number / FRAME_RATE
        at = START_TIME + seconds
        prediction = Prediction("door", "demo", number, seconds, at, at, result.inference_ms, result.model, result.labels)
        self.all.process(prediction)
        if self._gate.passes(shrunk(picture), seconds):
            self.gated.process(prediction, round(self._gate.held, 3))
            self._gate.mark_published(seconds)
        return result.labels[0].name

    @property
    def share_held(self) -> float:
        """The share of frames that were held back, 0 to 1."""
        return 1 - self.gated.predictions / max(1, self.all.predictions)


def run_scene(seed: int, seconds: float, model: Path = MODEL) -> SceneResult:
    """Processes a scene for a number of seconds, and on until nobody is in view."""
    scene, pipeline = Scene(seed), Pipeline(model)
    frames, visitors = [], []
    for moment in scene.excerpt(seconds):
        label = pipeline.process(scene.frame(moment), moment.number)
        if (truth := true_label(moment)) is not None:
            frames.append(FrameVerdict(truth, moment.light.name, label, traits(moment)))
        visitor = moment.visitor
        if visitor is not None and moment.number == (visitor.first + visitor.last) // 2:
            span = Span(visitor.label, visitor.first / FRAME_RATE, visitor.last / FRAME_RATE)
            visitors.append(VisitorTruth(span, moment.light.name))
    visits = pipeline.all.end(), pipeline.gated.end()
    return SceneResult(seed, moment.seconds, frames, visitors, *visits, pipeline.share_held)


def true_label(moment: Moment) -> str | None:
    """Returns the label of a visitor in full view, `nobody` if there is none, or None while one is partly in view."""
    if moment.visitor is None:
        return NOBODY
    return moment.visitor.label if moment.share >= FULL_VIEW else None


def traits(moment: Moment) -> tuple[str, ...]:
    """Returns what might make the visitor harder to recognise, such as `woman, from behind`; nothing without a visitor."""
    visitor = moment.visitor
    if visitor is None:
        return ()
    figure, pose = visitor.figure, visitor.walk.pose(moment.seconds - visitor.start)
    side = "from the side" if abs(pose.side) > 0.7 else "from the front" if pose.facing else "from behind"
    hair = "bald" if figure.hair == "bald" else f"hair: {figure.hair}"
    where = "outside" if visitor.is_outside(moment.seconds) else "inside"
    return tuple(f"{figure.label}, {trait}" for trait in (figure.garment, hair, f"bag: {figure.bag}", side, where))
