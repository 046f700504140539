"""What leaves the site: one message for each result that is selected."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import IntEnum
from typing import Any

from bus import CurrentLabel, Label, Prediction, Visit
from counter.identity import identity_of

MOST_LABELS = 100
"""Of one prediction: with the longest of names they stay below the 256 KB that IoT Hub takes."""


class Kind(IntEnum):
    """What a message tells; of a full outbox the lowest goes first."""

    PREDICTION = 0
    CHANGE = 1
    SUMMARY = 2
    VISIT = 3

    @property
    def output(self) -> str:
        """The output of the module that routes name."""
        return "summary" if self is Kind.SUMMARY else f"{self.name.lower()}s"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message; `body` is JSON text, `properties` stand beside it for who routes without looking inside."""

    id: str
    kind: Kind
    body: str
    properties: Mapping[str, str]


def of_visit(visit: Visit) -> Outgoing:
    """A visit that is over."""
    fields = {name: getattr(visit, name) for name in ("demo", "label", "started_at", "ended_at", "peak", "frames")}
    labels = [Label(visit.label, visit.peak)]
    return _outgoing(visit.id, Kind.VISIT, visit.camera, visit.ended_at, fields, labels)


def of_prediction(prediction: Prediction) -> Outgoing:
    """What the model said of one frame."""
    names = ("demo", "sequence", "captured_at", "classified_at", "inference_ms", "model")
    fields = {name: getattr(prediction, name) for name in names}
    identity = identity_of(prediction.camera, "", "prediction", prediction.session, prediction.sequence)
    labels = prediction.labels[:MOST_LABELS]
    return _outgoing(identity, Kind.PREDICTION, prediction.camera, prediction.captured_at, fields, labels)


def of_change(now: CurrentLabel, at: float, is_demo: bool = False) -> Outgoing:
    """A label that is another from `at` (Unix seconds) on; None when nobody is there any more."""
    labels = [] if now.label is None or now.probability is None else [Label(now.label, now.probability)]
    identity = identity_of(now.camera, "", "change", now.label or "", repr(at))
    return _outgoing(identity, Kind.CHANGE, now.camera, at, {"demo": is_demo, "label": now.label, "at": at}, labels)


def of_hour(camera: str, begin: float, end: float, totals: Mapping[str, int], is_demo: bool = False) -> Outgoing:
    """The visits begun at a camera from `begin` to `end` (Unix seconds, an hour of the site), by label."""
    local = datetime.fromtimestamp(begin).astimezone()
    fields = {
        "demo": is_demo,
        "day": local.date().isoformat(),
        "hour": f"{local.hour:02}",
        "began_at": begin,
        "ended_at": end,
        "visits": dict(totals),
    }
    return _outgoing(identity_of(camera, "", "summary", repr(begin)), Kind.SUMMARY, camera, end, fields, [])


def _outgoing(
    identity: str, kind: Kind, camera: str, created: float, fields: dict[str, Any], labels: tuple[Label, ...] | list[Label]
) -> Outgoing:
    """Footfall's fields beside those of a Custom Vision answer, which cloud queries may know.

    What is the demo's has `demo` as a property too, so that a route can leave it out.
    """
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
    return Outgoing(identity, kind, json.dumps(body, ensure_ascii=False), properties)


def _custom_vision(label: Label) -> dict[str, Any]:
    """A prediction as Custom Vision's service and containers give it."""
    told: dict[str, Any] = {"tagName": label.name, "probability": label.probability}
    if label.box is not None:
        told["boundingBox"] = {"left": label.box.x, "top": label.box.y, "width": label.box.w, "height": label.box.h}
    return told
