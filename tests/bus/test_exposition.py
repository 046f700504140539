"""The metrics of a module in the formats of Prometheus."""

import subprocess
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bus import About, Status, states
from bus import metric_names as names
from bus.exposition import Exposition
from runtime.metrics import Metrics
from tests.support.prometheus import find_program
from tests.support.wait import limit

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
TEXT = "text/plain;version=0.0.4"
ODD = 'a "label" \\ with\nall {that}, é'


@pytest.fixture
def exposition(tmp_path: Path) -> Exposition:
    """The metrics of a module that has counted everything once: each name in `bus.metric_names` and two kinds of messages."""
    metrics = Metrics()
    for name in [value for name, value in vars(names).items() if name.isupper()]:
        if name.endswith("_ms"):
            metrics.observe(name, 30.0, camera="door")
        elif name in (names.OUTBOX, names.CLOCK_JUMP_SECONDS, names.CLOCK_STEPPED, names.MOTION, names.EDGEHUB_STUCK):
            metrics.put(name, 3)
        else:
            metrics.add(name)
    metrics.add(names.VISITS, 4, camera="door", label=ODD)
    metrics.add("frames_in", 5, camera="door")
    metrics.add("visits_out", 6, camera="door")
    zone = tmp_path / "thermal_zone0"
    zone.mkdir()
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("48312\n")
    (tmp_path / "thermal_zone1").mkdir()  # a sensor that cannot be read
    status = Status("capture-door", states.CAMERA_LOST, about=About(camera="door"))
    return Exposition(metrics, lambda: status, tmp_path, thermal=tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "labels"),
    [
        ("footfall_messages_received_total", 5, {"kind": "frames", "camera": "door"}),
        ("footfall_messages_published_total", 6, {"kind": "visits", "camera": "door"}),
        ("footfall_visits_total", 4, {"camera": "door", "label": ODD}),
        ("footfall_dropped_total", 1, {"reason": "for_newer"}),
        ("footfall_dropped_total", 1, {"reason": "invalid"}),
        ("footfall_disconnected_total", 1, {}),
        ("footfall_outbox_results", 3, {}),
        ("footfall_clock_stepped_seconds", 3, {}),
        ("footfall_inference_seconds_bucket", 0, {"camera": "door", "le": "0.025"}),
        ("footfall_inference_seconds_bucket", 1, {"camera": "door", "le": "0.05"}),
        ("footfall_inference_seconds_bucket", 1, {"camera": "door", "le": "+Inf"}),
        ("footfall_inference_seconds_sum", 0.03, {"camera": "door"}),
        ("footfall_module_state", 1, {"camera": "door", "state": states.CAMERA_LOST}),
        ("footfall_module_state", 0, {"camera": "door", "state": states.RUNNING}),
        ("footfall_temperature_celsius", 48.312, {"zone": "0", "type": "cpu-thermal"}),
    ],
)
@pytest.mark.parametrize("accept", [TEXT, OPENMETRICS], ids=["text", "openmetrics"])
def test_series(exposition: Exposition, accept: str, name: str, value: float, labels: dict[str, str]) -> None:
    """A series has its name, value and labels in both formats, as their reference parsers read them."""
    body, content_type = exposition.render(accept)
    parse = parse_openmetrics if "openmetrics" in content_type else parse_text
    samples = [one for family in parse(body.decode()) for one in family.samples]
    expected = {"module": "capture-door", **labels}
    assert [one.value for one in samples if (one.name, one.labels) == (name, expected)] == [pytest.approx(value)]


@pytest.mark.system
def test_promtool_finds_nothing_to_criticise(exposition: Exposition) -> None:
    """Names, units and help texts follow the conventions of Prometheus, for all metrics there are."""
    body, _ = exposition.render(TEXT)
    command = [find_program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=body, capture_output=True, timeout=limit(20), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
