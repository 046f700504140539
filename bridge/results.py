"""What leaves the site: one result for each selected message of the broker, as the JSON that all sinks share."""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import IntEnum
from typing import Any

from bus import Label, Prediction, Summary, Visit

MAX_LABELS = 100
"""Labels of one prediction: with the longest of names they stay below the 256 KB that IoT Hub takes."""
_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")


class Kind(IntEnum):
    """The kind of a result; from a full outbox the lowest kind is dropped first."""

    PREDICTION = 0
    CHANGE = 1
    SUMMARY = 2
    VISIT = 3

    @property
    def output(self) -> str:
        """The module output that IoT Edge routes name."""
        return "summary" if self is Kind.SUMMARY else f"{self.name.lower()}s"


@dataclass(frozen=True, slots=True)
class Result:
    """One result: `body` is JSON text, `properties` are for routing without a look into the body.

    The same `id` and `version` is the same result. Another `version` of an `id` replaces the earlier one: only a visit has
    them, whose times were corrected.
    """

    id: str
    kind: Kind
    body: str
    properties: Mapping[str, str]
    version: str = ""


def from_visit(visit: Visit) -> Result:
    fields = {name: getattr(visit, name) for name in ("demo", "label", "started_at", "ended_at", "peak", "frames")}
    labels = [Label(visit.label, visit.peak)]
    result = _result(visit.id, Kind.VISIT, visit.camera, visit.ended_at, fields, labels)
    return replace(result, version=f"{visit.started_at!r} {visit.ended_at!r}")


def from_summary(summary: Summary, labels: Collection[str] = ()) -> Result:
    """With the visits of these `labels` only; without any, of all."""
    fields = {name: getattr(summary, name) for name in ("demo", "day", "hour", "began_at", "ended_at")}
    fields["visits"] = {label: number for label, number in summary.visits.items() if not labels or label in labels}
    return _result(summary.id, Kind.SUMMARY, summary.camera, summary.ended_at, fields, [])


def from_change(camera: str, label: Label | None, at: float, is_demo: bool = False) -> Result:
    """The label at a camera from `at` (Unix seconds) on; None when nobody is there any more."""
    name = None if label is None else label.name
    identity = _identity(camera, "change", name or "", at)
    fields = {"demo": is_demo, "label": name, "at": at}
    return _result(identity, Kind.CHANGE, camera, at, fields, [] if label is None else [label])


def from_prediction(prediction: Prediction) -> Result:
    names = ("demo", "sequence", "captured_at", "classified_at", "inference_ms", "model")
    fields = {name: getattr(prediction, name) for name in names}
    identity = _identity(prediction.camera, "prediction", prediction.session, prediction.sequence)
    labels = list(prediction.labels[:MAX_LABELS])
    return _result(identity, Kind.PREDICTION, prediction.camera, prediction.captured_at, fields, labels)


def _identity(camera: str, *parts: object) -> str:
    """The same camera and parts always give the same id."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join([camera, "", *map(str, parts)])))


def _result(identity: str, kind: Kind, camera: str, created: float, fields: dict[str, Any], labels: list[Label]) -> Result:
    """Footfall's fields beside those of a Custom Vision answer, which existing cloud queries use."""
    body = {
        "v": 1,
        "id": identity,
        "type": kind.name.lower(),
        "camera": camera,
        **fields,
        "created": datetime.fromtimestamp(created, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "predictions": [_custom_vision(label) for label in labels],
    }
    properties = {"type": kind.name.lower(), "camera": camera}
    if fields["demo"]:
        properties["demo"] = "true"
    if labels:
        best = max(labels, key=lambda label: label.probability)
        properties |= {"label": best.name, "probability": f"{best.probability:.4f}"}
    return Result(identity, kind, json.dumps(body, ensure_ascii=False), properties)


def _custom_vision(label: Label) -> dict[str, Any]:
    """A prediction in the shape of Custom Vision's service and containers."""
    prediction: dict[str, Any] = {"tagName": label.name, "probability": label.probability}
    if label.box is not None:
        prediction["boundingBox"] = {"left": label.box.x, "top": label.box.y, "width": label.box.w, "height": label.box.h}
    return prediction
