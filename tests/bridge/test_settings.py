"""Settings, and sinks by name."""

from pathlib import Path
from typing import Any

import pytest

from bridge import sinks
from bridge.settings import Settings
from bridge.sinks.edgehub import check_environment
from bus import InvalidSetting
from runtime.settings import load


@pytest.mark.parametrize(
    ("given", "module", "names"),
    [
        (None, "", ("log",)),
        (None, "bridge", ("edgehub",)),
        ("log", "bridge", ("log",)),
        ("edgehub, log,log", "", ("edgehub", "log")),
        ("webhok", "", None),
        ("log,Log", "", None),
        ("log.py", "", None),
        ("__init__", "", None),
    ],
)
def test_sinks(given: str | None, module: str, names: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default edgehub where IoT Edge runs the bridge; each once; one that there is not is refused."""
    for name, value in (("SINKS", given), ("IOTEDGE_MODULEID", module)):
        if value:
            monkeypatch.setenv(name, value)
    if names is not None:
        assert load(Settings).sink_names == names
    else:
        with pytest.raises(InvalidSetting, match=r"^SINKS=.*there are edgehub, log"):
            load(Settings)


def test_a_third_sink_is_a_file_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else knows it. It gets what a sink may use."""
    (tmp_path / "third.py").write_text("def create(context): return 'third', context")
    monkeypatch.setattr(sinks, "__path__", [*sinks.__path__, str(tmp_path)])
    context: Any = object()
    assert load(Settings, sinks="log,third").sink_names == ("log", "third")
    assert sinks.open_sink("third", context) == ("third", context)


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        ("", r"SINKS='edgehub'.*IOTEDGE_WORKLOADURI.*EdgeHubConnectionString"),
        ("HostName=foo", r"EdgeHubConnectionString: GatewayHostName.* missing"),
        ("HostName=a;GatewayHostName=;DeviceId=b;ModuleId=c;SharedAccessKey=d", "GatewayHostName missing"),
    ],
)
def test_an_environment_without_an_edgehub_is_refused(monkeypatch: pytest.MonkeyPatch, connection: str, reason: str) -> None:
    """At the start, with what is missing and without the key."""
    monkeypatch.setenv("EdgeModuleCACertificateFile", "authority.pem")
    monkeypatch.setenv("EdgeHubConnectionString", connection)
    with pytest.raises(InvalidSetting, match=reason) as refused:
        check_environment()
    assert "=d" not in str(refused.value)
