"""A scene through the real preprocessing, model and visit rules, without a broker and as fast as the machine can."""

from pathlib import Path
from typing import NamedTuple

from bus import Prediction, Visit
from capture.prepare import jpeg
from capture.settings import Settings as CaptureSettings
from classifier.export import read_export
from classifier.interpreter import Classifier
from classifier.preprocess import decode
from counter.settings import Settings as CounterSettings
from counter.visits import Visits
from demo.about import MODEL
from demo.canvas import Picture
from demo.light import LightName
from demo.scenes import Moment, Scene
from demo.score import Span
from demo.visitors import FRAME_RATE, FULL_VIEW

NOBODY = "nobody"
BEGIN = 1e9
"""Unix time at which a scene is taken to begin."""


class FrameVerdict(NamedTuple):
    """What one frame showed, a visitor in full view or nobody, and the label of the model."""

    truth: str
    light: LightName
    label: str
    traits: tuple[str, ...] = ()
    """Of the visitor: clothes, hair, side."""


class VisitorTruth(NamedTuple):
    """A true visit and the light in its middle."""

    span: Span
    light: LightName


class Watched(NamedTuple):
    """The frames, true visits and counted visits of a scene."""

    seed: int
    seconds: float
    frames: list[FrameVerdict]
    visitors: list[VisitorTruth]
    visits: list[Span]


class Chain:
    """From picture to visits with the modules' own parts and their default settings, not those of the environment."""

    def __init__(self, model: Path = MODEL) -> None:
        self._classifier = Classifier(read_export(model))
        self._quality = CaptureSettings.model_construct().jpeg_quality
        self._visits = Visits("door", CounterSettings.model_construct().rules)
        self.ended: list[Visit] = []

    def process(self, picture: Picture, number: int) -> str:
        """Processes the next frame; the label that the model gives it."""
        tensor = self._classifier.input.to_tensor(decode(jpeg(picture, self._quality)))
        result = self._classifier.classify(tensor)
        seconds = number / FRAME_RATE
        at = BEGIN + seconds
        prediction = Prediction(
            "door", "demo", number, seconds, at, at, result.inference_ms, self._classifier.identity, result.labels
        )
        self.ended += self._visits.process(prediction)
        return result.labels[0].name

    def end(self) -> list[Span]:
        """The visits, all of them over."""
        self.ended += self._visits.end_all()
        return [Span(visit.label, visit.started_at - BEGIN, visit.ended_at - BEGIN) for visit in self.ended]


def watch(seed: int, seconds: float, model: Path = MODEL) -> Watched:
    """Watches a scene for so many seconds, and on until nobody is in view."""
    scene, chain = Scene(seed), Chain(model)
    frames, visitors = [], []
    for moment in scene.excerpt(seconds):
        label = chain.process(scene.frame(moment), moment.number)
        if (truth := full_truth(moment)) is not None:
            frames.append(FrameVerdict(truth, moment.light.name, label, traits(moment)))
        visitor = moment.visitor
        if visitor is not None and moment.number == (visitor.first + visitor.last) // 2:
            span = Span(visitor.label, visitor.first / FRAME_RATE, visitor.last / FRAME_RATE)
            visitors.append(VisitorTruth(span, moment.light.name))
    return Watched(seed, moment.seconds, frames, visitors, chain.end())


def full_truth(moment: Moment) -> str | None:
    """The label of a visitor in full view, or that nobody is in view; None between the two."""
    if moment.visitor is None:
        return NOBODY
    return moment.visitor.label if moment.share >= FULL_VIEW else None


def traits(moment: Moment) -> tuple[str, ...]:
    """What may make a visitor harder to recognise, in words."""
    visitor = moment.visitor
    if visitor is None:
        return ()
    figure, pose = visitor.figure, visitor.way.pose(moment.seconds - visitor.begin)
    side = "from the side" if abs(pose.side) > 0.7 else "from the front" if pose.facing else "from behind"
    hair = "bald" if figure.hair == "bald" else f"hair: {figure.hair}"
    where = "outside" if visitor.is_outside(moment.seconds) else "inside"
    return tuple(f"{figure.label}, {trait}" for trait in (figure.garment, hair, f"bag: {figure.bag}", side, where))
