"""Recognises visitors in pictures: with one model, or with a detector and a classifier that looks at each visitor it finds."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bus import Box, Detection, Label
from classifier import InvalidExport
from classifier.decoders import MIN_CONFIDENCE, Finding
from classifier.labels import listed
from classifier.model import Model
from classifier.preprocess import Picture, Tensor
from classifier.visitors import Rules, visitor_labels
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

WantedVisitors = Callable[[str], tuple[str, ...]]
"""Returns the labels that make a visitor at a camera; none: as VISITORS says."""
MAX_LABELS = 64
"""Upper bound of labels, and of detections, in a prediction, which keeps it within its size limit."""
MAX_CLASSES = 100
"""Upper bound of the labels in a status."""
MAX_CROP_LABELS = 3
"""Upper bound of labels of a visitor, for the same reason."""
MAX_CAMERAS = 64
"""Upper bound of cameras whose turn is remembered, and of the choices of visitors."""
DECIMALS = 5
"""Decimals of a probability or a part of a picture; models are not more precise."""
MAX_NAME = 100
"""Upper bound of the characters of each model's identity where there are two."""


class Prepared(NamedTuple):
    """A picture, and the input tensor of the first model for it."""

    picture: Picture
    tensor: Tensor


class Result(NamedTuple):
    """What a picture shows, the duration of all inferences, and the identity of the models; see `bus.Prediction`."""

    labels: tuple[Label, ...]
    detections: tuple[Detection, ...]
    inference_ms: float
    model: str


class Recogniser:
    """One model, or a detector and a classifier. Not thread-safe, except for `prepare`."""

    def __init__(
        self, model: Model, rules: Rules, detector: Model | None = None, wanted_visitors: WantedVisitors = lambda _: ()
    ) -> None:
        """Raises `InvalidExport` if the models do not fit together, or if none of their labels makes a visitor."""
        if detector is not None:
            check_detector(detector)
            if model.is_detector:
                raise InvalidExport(f"{model.identity}: is a detection model; beside DETECTOR, MODEL must be a classifier")
        self._first, self._classifier, self._rules = detector or model, model if detector else None, rules
        self._visitors = visitor_labels(self._first.labels, rules.visitors, rules.background_labels)
        self._wanted_visitors = wanted_visitors
        self._visitors_by_choice: dict[tuple[str, ...], frozenset[str]] = {}
        self._throttle = LogThrottle()
        self._crop_visitors = visitor_labels(model.labels, (), rules.background_labels) if detector else frozenset()
        self._crop_input = replace(model.input, fit="whole")
        self._turns: dict[str, int] = {}
        """By camera, who is classified first in the next picture with too many visitors, counted from the left."""
        models = [detector, model] if detector else [model]
        self.is_demo = any(one.is_demo for one in models)
        self.runtime = "; ".join(dict.fromkeys(one.runtime for one in models))
        self.identity = "+".join(one.identity[-MAX_NAME:] for one in models) if detector else model.identity

    @property
    def finds_boxes(self) -> bool:
        """Whether predictions have detections instead of labels."""
        return self._first.is_detector

    @property
    def visitor_labels(self) -> tuple[str, ...]:
        """The labels that a visitor can have, in the model's order."""
        model, chosen = (self._classifier, self._crop_visitors) if self._classifier else (self._first, self._visitors)
        return tuple(label for label in model.labels if label in chosen)[:MAX_LABELS]

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels from which VISITORS, or the setup of a camera, can choose."""
        return self._first.labels[:MAX_CLASSES]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the model that decides the visitors' labels, in its order."""
        return (self._classifier or self._first).labels

    @property
    def description(self) -> str:
        """The models and their labels, for people."""
        text = f"{self.identity}: labels {listed(self.labels)}"
        return text if len(self.visitor_labels) == len(self.labels) else f"{text}; visitors {listed(self.visitor_labels)}"

    def max_reduction(self, width: int, height: int) -> int:
        """Returns by how much a picture of this size may be reduced when it is decoded. Crops need all its pixels."""
        return 1 if self._classifier else self._first.input.max_reduction(width, height)

    def prepare(self, picture: Picture) -> Prepared:
        """Returns the picture with its tensor. Thread-safe."""
        return Prepared(picture, self._first.input.to_tensor(picture))

    def recognise(self, prepared: Prepared, camera: str | None = None) -> Result:
        """Recognises the visitors in a picture. Too many visitors of a camera take turns. Raises `UnusableOutput`.

        Without a camera the picture stands alone, and every visitor is classified.
        """
        begin = time.perf_counter()
        found, visitors = self._first.run(prepared.tensor)[:MAX_LABELS], self._visitors_at(camera)
        labels: tuple[Label, ...] = ()
        detections: list[Detection] = []
        if self._first.is_detector:
            likely = [one for one in found if one.probability >= MIN_CONFIDENCE]
            boxes = self._places(likely, prepared.picture)
            detections = [Detection(box, *self._judge(one, visitors)) for box, one in zip(boxes, likely, strict=True)]
        else:
            labels = tuple(_to_label(one, one.label in visitors) for one in found)
        if self._classifier is not None:
            self._classify_visitors(self._classifier, detections, prepared.picture, camera)
        return Result(labels, tuple(detections), (time.perf_counter() - begin) * 1000, self.identity)

    def _visitors_at(self, camera: str | None) -> frozenset[str]:
        """Returns the labels that make a visitor at a camera. If the model has none of those in its setup, VISITORS applies."""
        wanted = self._wanted_visitors(camera) if camera is not None else ()
        if not wanted:
            return self._visitors
        if wanted not in self._visitors_by_choice:
            if len(self._visitors_by_choice) >= MAX_CAMERAS:
                self._visitors_by_choice.clear()
            try:
                chosen = visitor_labels(self._first.labels, wanted, self._rules.background_labels)
            except InvalidExport as error:
                if (more := self._throttle(str(camera))) is not None:
                    log.warning("%s: the visitors in its setup are ignored: %s%s", camera, error, more)
                chosen = self._visitors
            self._visitors_by_choice[wanted] = chosen
        return self._visitors_by_choice[wanted]

    def _judge(self, finding: Finding, visitors: frozenset[str]) -> tuple[float, tuple[Label, ...]]:
        """Returns confidence and labels of a detection, before its classification."""
        label = _to_label(finding, finding.label in visitors)
        return label.probability, () if label.visitor and self._classifier else (label,)

    def _places(self, found: list[Finding], picture: Picture) -> list[Box]:
        """Returns the boxes of findings, clipped to the picture, in parts of it."""
        height, width = picture.shape[:2]
        window = self._first.input.window(width, height)
        boxes = np.array([one.box or (0.0, 0.0, 1.0, 1.0) for one in found]).reshape(-1, 2, 2)
        boxes[:, 1] += boxes[:, 0]
        corners = (boxes * (window.width, window.height) + (window.left, window.top)) / (width, height)
        placed = np.fmax(np.fmin(corners, 1), 0)  # NaN becomes 1
        placed[:, 1] = np.fmax(placed[:, 1] - placed[:, 0], 0)
        return [Box(*one) for one in np.round(placed, DECIMALS).reshape(-1, 4).tolist()]

    def _classify_visitors(self, model: Model, detections: list[Detection], picture: Picture, camera: str | None) -> None:
        """Sets the labels of the visitors whose turn it is; none if no label reaches the threshold.

        A detection below the threshold is probably no visitor, so it takes no turn.
        """
        rules, (height, width) = self._rules, picture.shape[:2]
        waiting = [number for number, one in enumerate(detections) if is_classified(one, width, height, rules)]
        waiting.sort(key=lambda number: detections[number].box.x)
        for number in self._take_turns(waiting, camera):
            shown = crop(picture, detections[number].box, rules.crop_margin)
            found = model.run(self._crop_input.to_tensor(shown))[:MAX_CROP_LABELS]
            if found[0].probability >= rules.threshold:
                labels = tuple(_to_label(one, one.label in self._crop_visitors) for one in found)
                detections[number] = replace(detections[number], labels=labels)

    def _take_turns(self, waiting: list[int], camera: str | None) -> list[int]:
        """Returns at most `crops` of the waiting visitors; in the camera's next picture, those after them."""
        if camera is None or len(waiting) <= self._rules.crops:
            return waiting
        if len(self._turns) >= MAX_CAMERAS:
            self._turns.clear()
        first = self._turns.get(camera, 0)
        self._turns[camera] = (first + self._rules.crops) % len(waiting)
        return [waiting[(first + step) % len(waiting)] for step in range(self._rules.crops)]


def is_classified(detection: Detection, width: int, height: int, rules: Rules) -> bool:
    """Returns whether a detection in a picture of this size (px) is a visitor, likely and large enough for the classifier."""
    box = detection.box
    is_likely = detection.is_visitor and detection.confidence >= rules.threshold
    return is_likely and min(box.w * width, box.h * height) >= rules.min_crop


def check_detector(model: Model) -> None:
    """Raises `InvalidExport` if the model finds no boxes."""
    if not model.is_detector:
        raise InvalidExport(f"{model.identity}: classifies whole pictures; DETECTOR must be a detection model")


def _to_label(finding: Finding, is_visitor: bool) -> Label:
    return Label(finding.label, round(finding.probability, DECIMALS), is_visitor)


def crop(picture: Picture, box: Box, margin: float) -> Picture:
    """Returns the pixels of a box with a margin on each side, in parts of the box."""
    height, width = picture.shape[:2]
    left, right = box.x - margin * box.w, box.x + (1 + margin) * box.w
    top, bottom = box.y - margin * box.h, box.y + (1 + margin) * box.h
    x1, y1 = max(0, round(left * width)), max(0, round(top * height))
    return picture[y1 : max(y1 + 1, round(bottom * height)), x1 : max(x1 + 1, round(right * width))]
