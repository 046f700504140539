"""What leaves the site."""

import io
import json

from bridge.upstream import LogUpstream, telemetry
from bus import Visit

VISIT = Visit("id-1", "door", "Frau Müller", 1_790_000_000.25, 1_790_000_003.5, 0.97, 31)


def test_the_shape_of_a_custom_vision_answer_is_kept() -> None:
    """A query on predictions[].tagName goes on working; Footfall's own fields stand beside it."""
    body = telemetry(VISIT)
    assert body["predictions"] == [{"tagName": "Frau Müller", "probability": 0.97}]
    assert body["created"] == "2026-09-21T14:13:23.500Z"
    assert {key: body[key] for key in ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")} == {
        name: getattr(VISIT, name) for name in ("id", "camera", "label", "started_at", "ended_at", "peak", "frames")
    }


def test_each_result_is_a_line_of_json() -> None:
    """Lines stand by themselves, whatever is in a label."""
    out = io.StringIO()
    with LogUpstream(out) as log:
        log.send(VISIT)
        log.send(Visit("id-2", "door", 'a "quoted" label', 1.0, 2.0, 0.5, 3))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["label"] for line in lines] == ["Frau Müller", 'a "quoted" label']
