"""Results: the JSON messages that leave the site, the same for all sinks."""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import IntEnum
from typing import Any

from bus import Alert, Box, Crossing, Label, Prediction, Summary, Visit, labelled

MAX_LABELS = 100
"""Maximum number of labels in a prediction. Even with the longest names, a result then fits into IoT Hub's 256 KB."""
_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")


class Kind(IntEnum):
    """The kind of a result. A full outbox drops the lowest kind first."""

    PREDICTION = 0
    CHANGE = 1
    SUMMARY = 2
    CROSSING = 3
    VISIT = 4
    ALERT = 5

    @property
    def output(self) -> str:
        """The name of the module output in IoT Edge routes."""
        return "summary" if self is Kind.SUMMARY else f"{self.name.lower()}s"


@dataclass(frozen=True, slots=True)
class Result:
    """A message for the sinks. `body` is JSON; `properties` repeat parts of it for routing.

    Results with the same `id` and `version` are repeats. A result with a new `version` replaces the earlier one; only visits
    and crossings have versions, for corrected times.
    """

    id: str
    kind: Kind
    body: str
    properties: Mapping[str, str]
    version: str = ""


def from_visit(visit: Visit) -> Result:
    names = ("demo", "label", "started_at", "ended_at", "peak", "frames", "direction", "zones")
    fields = {name: getattr(visit, name) for name in names}
    result = _new_result(visit.id, Kind.VISIT, visit.camera, visit.ended_at, fields, [(Label(visit.label, visit.peak), None)])
    return replace(result, version=f"{visit.started_at!r} {visit.ended_at!r}")


def from_crossing(crossing: Crossing) -> Result:
    """A crossing has no probability, so `predictions` is empty."""
    fields = {name: getattr(crossing, name) for name in ("demo", "visit", "line", "direction", "label", "at")}
    result = _new_result(crossing.id, Kind.CROSSING, crossing.camera, crossing.at, fields, [])
    return replace(result, version=f"{crossing.at!r}")


def from_summary(summary: Summary, labels: Collection[str] = ()) -> Result:
    """Includes only visits and crossings with one of the `labels`, or all if `labels` is empty."""

    def select(totals: Mapping[str, int]) -> dict[str, int]:
        return {label: number for label, number in totals.items() if not labels or label in labels}

    fields = {name: getattr(summary, name) for name in ("demo", "day", "hour", "began_at", "ended_at")}
    fields["visits"] = select(summary.visits)
    fields["crossings"] = {
        line: {direction: select(totals) for direction, totals in directions.items()}
        for line, directions in summary.crossings.items()
    }
    fields["zones"] = {zone: {"visits": select(one.visits), "seconds": one.seconds} for zone, one in summary.zones.items()}
    return _new_result(summary.id, Kind.SUMMARY, summary.camera, summary.ended_at, fields, [])


def from_alert(alert: Alert) -> Result:
    """An alert has no label, so `predictions` is empty."""
    names = ("demo", "alert", "active", "rule", "kind", "zone", "limit", "value", "since", "at")
    fields = {name: getattr(alert, name) for name in names}
    return _new_result(alert.id, Kind.ALERT, alert.camera, alert.at, fields, [])


def from_change(camera: str, label: Label | None, at: float, is_demo: bool = False) -> Result:
    """Returns the change to a label at `at` (Unix seconds). The label None means that nobody is there any more."""
    name = None if label is None else label.name
    result_id = _derive_id(camera, "change", name or "", at)
    fields = {"demo": is_demo, "label": name, "at": at}
    return _new_result(result_id, Kind.CHANGE, camera, at, fields, [] if label is None else [(label, None)])


def from_prediction(prediction: Prediction) -> Result:
    """Includes all labels of the picture, or the visitors that a detector found, each with its first label and its box."""
    names = ("demo", "sequence", "captured_at", "classified_at", "inference_ms", "model")
    fields = {name: getattr(prediction, name) for name in names}
    result_id = _derive_id(prediction.camera, "prediction", prediction.session, prediction.sequence)
    found = labelled(prediction.labels, prediction.detections)[:MAX_LABELS]
    return _new_result(result_id, Kind.PREDICTION, prediction.camera, prediction.captured_at, fields, found)


def _derive_id(camera: str, *parts: object) -> str:
    """Returns an id that is always the same for the same arguments."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join([camera, "", *map(str, parts)])))


def _new_result(
    result_id: str, kind: Kind, camera: str, created: float, fields: dict[str, Any], found: list[tuple[Label, Box | None]]
) -> Result:
    """Combines Footfall's fields with those of a Custom Vision response, which existing cloud queries use."""
    body = {
        "v": 1,
        "id": result_id,
        "type": kind.name.lower(),
        "camera": camera,
        **fields,
        "created": datetime.fromtimestamp(created, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "predictions": [_to_custom_vision(label, box) for label, box in found],
    }
    properties = {"type": kind.name.lower(), "camera": camera}
    properties |= {name: fields[name] for name in ("label", "direction", "line", "rule") if fields.get(name) is not None}
    if fields["demo"]:
        properties["demo"] = "true"
    if found:
        best = max((label for label, _ in found), key=lambda label: label.probability)
        properties |= {"label": best.name, "probability": f"{best.probability:.4f}"}
    return Result(result_id, kind, json.dumps(body, ensure_ascii=False), properties)


def _to_custom_vision(label: Label, box: Box | None) -> dict[str, Any]:
    """Returns a prediction in the format of Custom Vision's service and containers."""
    prediction: dict[str, Any] = {"tagName": label.name, "probability": label.probability}
    if box is not None:
        prediction["boundingBox"] = {"left": box.x, "top": box.y, "width": box.w, "height": box.h}
    return prediction
