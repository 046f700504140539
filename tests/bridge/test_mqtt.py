"""Tests of the sink `mqtt`, with a real second broker that knows its clients by their certificates."""

import json
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge import results, sinks
from bridge.settings import Settings
from bridge.sinks import NotSent, Sink
from bridge.sinks.mqtt import check
from bridge.sinks.mqtt.connection import Connection, Target
from bridge.sinks.mqtt.sink import MqttSink
from bus import Crossing, CurrentLabel, DayCounts, InvalidSetting, Label, Occupancy, Prediction, Status, states, topics
from bus.tls import Tls
from runtime.settings import load
from tests.bridge.support import FakeBus, visit, visit_ids, visits
from tests.support import samples
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.tls_broker import TlsBroker
from tests.support.wait import until

ROOT = "shops/berlin-1"
RULES = ("user berlin-1", f"topic write {ROOT}/door/visit", "user head-office", "topic read #")


@pytest.fixture
def central(tmp_path: Path) -> Iterator[TlsBroker]:
    with TlsBroker(tmp_path / "central") as running:
        yield running


def connection(central: TlsBroker, puback_timeout: float = 20.0) -> Connection:
    tls = Tls(central.ca_file, *central.issue("berlin-1"))
    return Connection(Target("127.0.0.1", central.port, "berlin-1", ROOT, tls=tls), puback_timeout)


@contextmanager
def started(sink: Sink) -> Iterator[Sink]:
    sink.start()
    try:
        yield sink
    finally:
        sink.close()


def send(sink: Sink, result: results.Result) -> None:
    """Sends a result, as often as necessary."""

    def is_sent() -> bool:
        try:
            sink.send(result)
        except NotSent:
            return False
        return True

    until(is_sent)


def problem(sink: Sink) -> str:
    """Returns why a result cannot be sent."""
    try:
        sink.send(*visits(3))
    except NotSent as error:
        return str(error)
    return ""


@pytest.mark.broker
def test_each_kind_of_result_has_a_topic(central: TlsBroker) -> None:
    """The body is that for IoT Hub. Nothing is retained."""
    prediction: Prediction = samples.prediction()
    sent = [
        *visits(1),
        results.from_crossing(Crossing("c", "door", "id-1", "entrance", "in", "woman", 1000.0)),
        results.from_change("back", Label("man", 0.9), 1000.0),
        results.from_prediction(prediction),
    ]
    expected = ["door/visit", "door/crossing", "back/change", f"{prediction.camera}/prediction"]
    with central.listener("head-office", f"{ROOT}/#") as listener, started(MqttSink(connection(central), ROOT)) as sink:
        for result in sent:
            send(sink, result)
        listener.wait_for("", len(sent))
        assert [message.topic for message in listener.messages()] == [f"{ROOT}/{one}" for one in expected]
        assert [json.loads(body) for body in listener.payloads()] == [json.loads(result.body) for result in sent]
        assert not any(message.retain for message in listener.messages())


@pytest.mark.broker
def test_a_result_is_sent_when_the_broker_has_acknowledged_it(central: TlsBroker) -> None:
    """A frozen broker acknowledges nothing, and the result is sent again. Without a broker, the error says why."""
    with central.listener("head-office", f"{ROOT}/#") as listener, started(MqttSink(connection(central, 0.5), ROOT)) as sink:
        send(sink, *visits(1))
        central.freeze()
        with pytest.raises(NotSent, match=r"no acknowledgement within 0\.5 s \(shops/berlin-1/door/visit\)"):
            sink.send(*visits(2))
        central.thaw()
        send(sink, *visits(2))
        until(lambda: {json.loads(body)["id"] for body in listener.payloads()} == set(visit_ids(1, 2)))
    with started(MqttSink(connection(central), ROOT)) as sink:
        central.end(signal.SIGKILL)
        until(lambda: problem(sink).find("Connection refused") >= 0)


@pytest.mark.broker
def test_a_password_signs_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without TLS, if the settings say so. A wrong password is the reason in the error and in one line of the log."""
    with GuardedBroker(tmp_path / "central", observed=True) as central, central.listener("observer", f"{ROOT}/#") as listener:
        target = Target("127.0.0.1", central.port, "berlin-1", ROOT, "observer", central.password("observer"))
        with started(MqttSink(Connection(target), ROOT)) as sink:
            send(sink, *visits(1))
            listener.wait_for("door/visit")
        with started(MqttSink(Connection(replace(target, password="wrong-secret")), ROOT)) as sink:
            until(lambda: problem(sink).find("it refused 'berlin-1': Not authorized") >= 0)
            until(lambda: "it refused 'berlin-1': Not authorized; retrying" in caplog.text)
    assert "wrong-secret" not in caplog.text


@pytest.mark.broker
def test_a_refused_result_is_not_sent(tmp_path: Path) -> None:
    """MQTT 3.1.1 would acknowledge what the access list denies. The connection stays, and later results are accepted."""
    with TlsBroker(tmp_path / "central", RULES) as central, started(MqttSink(connection(central), ROOT)) as sink:
        send(sink, *visits(1))
        with pytest.raises(NotSent, match=r"it refused a message: Not authorized \(shops/berlin-1/back/visit\)"):
            sink.send(results.from_visit(replace(visit(2), camera="back")))
        sink.send(*visits(3))


@pytest.mark.broker
def test_acknowledged_results_survive_a_crash_of_the_broker(central: TlsBroker) -> None:
    """Mosquitto loses its queues of the last seconds. Results of that time are sent again, so an absent subscriber gets all."""
    options: dict[str, Any] = {"client_id": "head-office", "clean_session": False}
    with central.listener("head-office", f"{ROOT}/#", **options):
        until((central.folder / "mosquitto.db").exists, what="the session on the disk")
    with started(MqttSink(connection(central), ROOT)) as sink:
        for number in range(20):
            send(sink, *visits(number))
        central.end(signal.SIGKILL)
        central.start()
        send(sink, *visits(20))
        with central.listener("head-office", f"{ROOT}/#", **options) as listener:
            until(lambda: {json.loads(body)["id"] for body in listener.payloads()} == set(visit_ids(*range(21))))


@contextmanager
def with_state(central: TlsBroker) -> Iterator[FakeBus]:
    """Starts the sink with the state of the cameras. The site's messages come from the returned bus."""
    files = dict(zip(("cert_file", "key_file"), central.issue("berlin-1"), strict=True)) | {"ca_file": central.ca_file}
    settings = load(
        Settings,
        sinks="mqtt",
        topic_root=ROOT,
        mqtt_sink_host="127.0.0.1",
        mqtt_sink_port=central.port,
        mqtt_sink_state=True,
        **{f"mqtt_sink_{name}": file for name, file in files.items()},
    )
    bus = FakeBus()
    context: Any = sinks.Context(settings, bus, None, None)  # type: ignore[arg-type]  # this sink uses neither
    with started(sinks.open_sink("mqtt", context)):
        yield bus


def retained(listener: Listener, ending: str) -> Any:
    """Returns the newest message with this ending; None if there is none or an empty one."""
    payloads = listener.payloads(ending)
    return json.loads(payloads[-1]) if payloads and payloads[-1] else None


@pytest.mark.broker
def test_the_state_of_a_site_is_retained(central: TlsBroker) -> None:
    """It is published again after a crash of the broker. A status is published when it changes, not with each report."""
    status = Status("capture", states.RUNNING, since=1.0, at=2.0, metrics={"frames_in": 1})
    with with_state(central) as bus:
        for message in (CurrentLabel("door", "woman", 0.9, 1.0), DayCounts("door", "2026-11-27", {"woman": 3}, {}), status):
            bus.receive(message)
        for inside in (1, 2):
            bus.receive(Occupancy("door", inside=inside))
        bus.receive(replace(status, at=12.0, metrics={"frames_in": 101}))
        with central.listener("head-office", f"{ROOT}/#") as listener:
            until(
                lambda: (
                    {one.topic[len(ROOT) + 1 :] for one in listener.messages()}
                    >= {
                        "door/label",
                        "door/counts",
                        "door/occupancy",
                        "status/capture",
                    }
                )
            )
            until(lambda: retained(listener, "door/occupancy")["inside"] == 2)
            assert retained(listener, "status/capture")["state"] == states.RUNNING
            assert len(listener.messages("status/capture")) == 1
        central.end(signal.SIGKILL)
        (central.folder / "mosquitto.db").unlink(missing_ok=True)
        central.start()
        with central.listener("head-office", f"{ROOT}/#") as listener:
            until(lambda: retained(listener, "door/counts"))
            bus.receive(CurrentLabel("door", None, None, None), is_cleared=True)
            until(lambda: listener.payloads("door/label")[-1:] == [b""])
    with central.listener("head-office", f"{ROOT}/#") as listener:
        until(lambda: retained(listener, topics.status("bridge").partition("/")[2]))
        assert retained(listener, "status/bridge")["detail"] == "stopped"
        assert not listener.messages("door/label")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"topic_root": ROOT}, "SINKS='mqtt' needs MQTT_SINK_HOST and TOPIC_ROOT"),
        ({"mqtt_sink_host": "central.example"}, "SINKS='mqtt' needs MQTT_SINK_HOST and TOPIC_ROOT"),
        ({"topic_root": "shops/+"}, "TOPIC_ROOT='shops/[+]': must be a topic such as shops/berlin-1"),
        ({"topic_root": "/shops"}, "TOPIC_ROOT='/shops': must be a topic"),
        ({"mqtt_sink_host": "mqtts://central.example"}, "MQTT_SINK_HOST=.*must be a host name or IP address, without mqtt://"),
        ({"mqtt_sink_password": "a-secret", "mqtt_sink_password_file": "p"}, "set either MQTT_SINK_PASSWORD or"),
        (
            {"mqtt_sink_tls": "no", "mqtt_sink_cert_file": "p"},
            "MQTT_SINK_CA_FILE and MQTT_SINK_CERT_FILE need MQTT_SINK_TLS=true",
        ),
        ({"mqtt_sink_key_file": "p"}, "MQTT_SINK_KEY_FILE needs MQTT_SINK_CERT_FILE"),
    ],
)
def test_invalid_settings_are_refused(
    given: dict[str, str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Before anything starts, with one line without the password."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    Path("p").write_text("secret")
    for name, value in given.items():
        monkeypatch.setenv(name.upper(), value)
    with pytest.raises(InvalidSetting, match=f"^{problem}") as refused:
        check()
    assert "a-secret" not in str(refused.value)
