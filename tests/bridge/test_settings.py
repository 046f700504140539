"""Settings, and sinks by name."""

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge import results, sinks
from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.sender import Sender
from bridge.settings import Settings
from bus import Bus
from runtime import process
from runtime.metrics import Metrics
from runtime.settings import load
from tests.support.wait import until


@pytest.mark.parametrize(
    ("given", "environment", "names"),
    [
        (None, {}, ("log",)),
        (None, {"IOTEDGE_MODULEID": "bridge"}, ("edgehub",)),
        ("log", {"IOTEDGE_MODULEID": "bridge"}, ("log",)),
        ("edgehub, log,log", {}, ("edgehub", "log")),
    ],
)
def test_sinks(given: str | None, environment: dict[str, str], names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """By default edgehub where IoT Edge runs the bridge; each once."""
    monkeypatch.delenv("SINKS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load(Settings, **({} if given is None else {"sinks": given})).sink_names == names


@pytest.mark.parametrize("given", ["webhok", "log,Log", "log.py", "__init__"])
def test_an_unknown_sink_is_refused_with_those_there_are(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By exit code 2 and one line."""
    monkeypatch.setenv("SINKS", given)
    assert process.run(lambda _settings, _stop: None, Settings, "", argv=[]) == 2
    error = capsys.readouterr().err
    assert error.startswith("bridge: SINKS=")
    assert "there are edgehub, log" in error
    assert error.count("\n") == 1


def test_a_third_sink_is_a_file_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else knows it: not the settings, not the sender."""
    (tmp_path / "third.py").write_text(
        "from bridge.sinks import Sink\n"
        "class Third(Sink):\n"
        "    got = []\n"
        "    def send(self, result): self.got.append(result.id)\n"
        "def create(context): return Third()\n"
    )
    monkeypatch.setattr(sinks, "__path__", [*sinks.__path__, str(tmp_path)])
    settings = load(Settings, sinks="log,third")
    bus = Bus(settings)
    with closing(Outbox(tmp_path, settings.sink_names, 9, Metrics())) as outbox:
        forwarder = Forwarder(bus, outbox, settings.policy, threading.Event())
        third: Any = sinks.open_sink("third", sinks.Context(settings, bus, outbox, forwarder))
        outbox.add([results.from_change("door", None, at) for at in (1.0, 2.0)])
        with Sender("third", third, outbox, Metrics()):
            until(lambda: len(third.got) == 2)
        assert [entry.result.id for entry in outbox.waiting("log", 9)] == third.got
