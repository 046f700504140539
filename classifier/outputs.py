"""From a model's outputs to labels: one reader for each kind of model that is served."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from bus import Box, FootfallError, Label
from classifier import InvalidExport, yolo
from classifier.description import Kind, Role
from classifier.export import Export

Array = NDArray[Any]

MOST_LABELS = 64
"""Labels told of one picture, the highest; keeps a prediction within its limit."""
DIGITS = 5
"""Decimals of a probability that are told: a person reads them, and the model means no more."""
BY_NAME: dict[str, Role] = {"detected_boxes": "boxes", "detected_classes": "classes", "detected_scores": "scores"}
SSD_ORDER: tuple[Role, ...] = ("boxes", "classes", "scores", "count")
"""That of the operator TFLite_Detection_PostProcess."""
KINDS = (
    "classification: one output, 1 x labels; yolo: one, 1 x rows x columns x anchors*(5 + labels); detection: detected_boxes,"
    " detected_classes, detected_scores; ssd: boxes, classes, scores, count"
)


class UnknownClass(FootfallError):
    """A detector's class that labels.txt has no line for."""


class Output(NamedTuple):
    """What is known of one of a model's outputs before it runs."""

    name: str
    shape: tuple[int, ...]


class Reader(Protocol):
    """How one kind of model is read."""

    is_detector: bool

    def read(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        """The labels in what the model gave, as real numbers in the model's order; highest first."""


class Probabilities:
    """A classifier: one probability a label. Those of several labels need not sum to 1, and are never made to."""

    is_detector = False

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels

    def read(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        """As `Reader.read`."""
        return _ranked(Label(name, _share(value)) for name, value in zip(self._labels, outputs[0][0].tolist(), strict=True))


class Grid:
    """A detector of Custom Vision's compact domain."""

    is_detector = True

    def __init__(self, labels: Sequence[str], anchors: tuple[tuple[float, float], ...]) -> None:
        self._labels = labels
        self._anchors = anchors

    def read(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        """As `Reader.read`."""
        found = yolo.boxes(outputs[0][0], self._anchors)
        return _ranked(Label(self._labels[one.label], _share(one.probability), _box(one.box[:2], one.box[2:])) for one in found)


class Boxes:
    """A detector that gives its boxes itself: corners x1, y1, x2, y2, or with `rows_first` y1, x1, y2, x2, all in 0..1."""

    is_detector = True

    def __init__(self, labels: Sequence[str], roles: Sequence[Role], rows_first: bool) -> None:
        self._labels = labels
        self._roles = roles
        self._columns = [1, 0, 3, 2] if rows_first else [0, 1, 2, 3]

    def read(self, outputs: Sequence[Array]) -> tuple[Label, ...]:
        """As `Reader.read`. Raises `UnknownClass`."""
        by_role = dict(zip(self._roles, outputs, strict=True))
        scores, classes = by_role["scores"].ravel().tolist(), by_role["classes"].ravel().tolist()
        corners = by_role["boxes"].reshape(-1, 4)[:, self._columns].tolist()
        number = int(by_role["count"].ravel()[0]) if "count" in by_role else len(scores)
        found = list(zip(scores, classes, corners, strict=True))[:number]
        return _ranked(
            Label(self._name(round(label)), _share(score), _box((x1, y1), (x2 - x1, y2 - y1)))
            for score, label, (x1, y1, x2, y2) in found
            if score > yolo.LEAST
        )

    def _name(self, number: int) -> str:
        if not 0 <= number < len(self._labels):
            raise UnknownClass(f"the model found class {number}, labels.txt has {len(self._labels)} labels, from 0")
        return self._labels[number]


def reader_of(export: Export, outputs: Sequence[Output]) -> Reader:
    """The reader that fits the outputs, and what the description says. Raises `InvalidExport`."""
    kind = export.description.kind or _kind(outputs)
    if kind == "classification" and _is_of(outputs, 2):
        _agree(export, outputs[0].shape[1], "outputs")
        return Probabilities(export.labels)
    if kind == "yolo" and _is_of(outputs, 4):
        anchors = export.description.anchors or yolo.ANCHORS
        depth, rest = divmod(outputs[0].shape[3], len(anchors))
        if rest or depth < 6:
            raise _unfit(export, outputs, f"not {len(anchors)} anchors times 5 + labels in its last dimension")
        _agree(export, depth - 5, "labels in its grid")
        return Grid(export.labels, anchors)
    if kind == "detection" and {output.name for output in outputs} == set(BY_NAME):
        return Boxes(export.labels, [BY_NAME[output.name] for output in outputs], rows_first=False)
    if kind == "ssd" and len(outputs) == len(SSD_ORDER):
        return Boxes(export.labels, export.description.outputs or SSD_ORDER, rows_first=True)
    raise _unfit(export, outputs, f"not of the kind {kind}" if kind else "of no kind that is served")


def _kind(outputs: Sequence[Output]) -> Kind | None:
    if {output.name for output in outputs} == set(BY_NAME):
        return "detection"
    if len(outputs) == len(SSD_ORDER):
        return "ssd"
    if len(outputs) == 1:
        return {2: "classification", 4: "yolo"}.get(len(outputs[0].shape))  # type: ignore[return-value]
    return None


def _is_of(outputs: Sequence[Output], dimensions: int) -> bool:
    return len(outputs) == 1 and len(outputs[0].shape) == dimensions and outputs[0].shape[0] == 1


def _agree(export: Export, number: int, what: str) -> None:
    if number != len(export.labels):
        raise InvalidExport(
            f"{export.name}: labels.txt has {len(export.labels)} labels, the model has {number} {what}; they must agree"
        )


def _unfit(export: Export, outputs: Sequence[Output], reason: str) -> InvalidExport:
    found = ", ".join(f"{output.name} {'x'.join(map(str, output.shape))}" for output in outputs)
    return InvalidExport(f"{export.name}: outputs {found}: {reason}; served are {KINDS}")


def _ranked(labels: Iterable[Label]) -> tuple[Label, ...]:
    return tuple(sorted(labels, key=lambda label: (-label.probability, label.name))[:MOST_LABELS])


def _share(value: float) -> float:
    """Within 0..1 and rounded; what is no number is 0."""
    return 0.0 if math.isnan(value) else round(float(min(max(value, 0.0), 1.0)), DIGITS)


def _box(corner: Sequence[float], size: Sequence[float]) -> Box:
    """What of a box lies in the picture."""
    left, top = (_share(one) for one in corner)
    right, bottom = (_share(begin + length) for begin, length in zip(corner, size, strict=True))
    return Box(left, top, round(max(0.0, right - left), DIGITS), round(max(0.0, bottom - top), DIGITS))
