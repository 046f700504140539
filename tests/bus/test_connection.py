"""The connection to a real Mosquitto: it comes back, and restores everything."""

import hmac
import logging
import signal
import socket
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
from paho.mqtt import client as mqtt

from bus import About, Bus, CurrentLabel, Frame, Pixels, Prediction, Status, states, topics
from bus.client import secret_name
from bus.settings import BusSettings
from bus.subscriptions import Subscriptions
from runtime.metrics import Metrics
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker

PREDICTIONS = topics.prediction()


def settings(port: int, name: str = "tester", **others: object) -> BusSettings:
    """Settings for a bus on a port."""
    return BusSettings.model_validate({"mqtt_port": port, "MODULE_NAME": name} | others)


def wait_for_state(listener: Listener, state: str, name: str = "tester") -> Status:
    """A module's last status, as soon as it is in that state."""

    def status() -> Status | None:
        last = [Status.unpack(payload) for payload in listener.payloads(topics.status(name))[-1:]]
        return last[0] if last and last[0].state == state else None

    return until(status, 35, f"{name} {state}")


def receiver(port: int, got: list[Prediction], **options: float) -> Bus:
    """A bus that collects predictions."""
    bus = Bus(settings(port), **options)  # type: ignore[arg-type]  # intervals only
    bus.subscribe(PREDICTIONS, Prediction, got.append)
    return bus


def delivered(sender: Listener, got: list[Prediction]) -> bool:
    """Publishes a prediction; whether one has arrived by now."""
    sender.publish(topics.prediction("door"), samples.prediction().pack())
    return bool(got)


def test_several_handlers_of_one_filter(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """Each message arrives whole at both, though one fails, which is logged once; after `unsubscribe` at neither. A deleted
    retained message is no error, and those who want to know get its topic.
    """
    whole, later, cleared = list[Prediction](), list[Prediction](), list[str]()
    fail = Mock(side_effect=ZeroDivisionError)
    bus = Bus(settings(broker.port, "a"))
    bus.subscribe(PREDICTIONS, Prediction, fail)
    bus.subscribe(PREDICTIONS, Prediction, whole.append)
    bus.subscribe(topics.pixels(), Pixels, print)
    bus.subscribe(topics.label(), CurrentLabel, print, on_cleared=cleared.append)
    with bus, Listener(broker.port) as sender:
        until(lambda: bus.connected)
        until(lambda: delivered(sender, whole) and len(whole) > 2)
        assert whole[0] == samples.prediction()
        until(
            lambda: fail.call_count == len(whole) == bus.metrics.snapshot()["predictions_in"] == bus.metrics.snapshot()["failed"]
        )
        bus.unsubscribe(PREDICTIONS)
        bus.subscribe(topics.prediction("door"), Prediction, later.append)
        until(lambda: delivered(sender, later))
        before, heard = (fail.call_count, len(whole)), len(later)
        until(lambda: delivered(sender, later) and len(later) > heard)
        assert (fail.call_count, len(whole)) == before
        for topic in (topics.pixels("matrix"), topics.label("door")):
            sender.publish(topic, b"", retain=True)
        until(lambda: cleared == ["footfall/door/label"])
    assert "invalid" not in bus.metrics.snapshot()
    assert caplog.text.count("Traceback") == 1


def test_a_broker_that_comes_and_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A module connects when the broker comes; if both start at once there is no warning. After a kill subscriptions work again,
    and all retained state is there, even what changed meanwhile.
    """
    got, port = list[Prediction](), free_port()
    with receiver(port, got, startup_time=600.0) as bus:
        bus.state(states.RUNNING)
        until(lambda: bus.metrics.snapshot().get("connect_failed", 0) >= 2)
        assert "no broker at" not in caplog.text
        with Broker(tmp_path, port=port) as broker:
            with Listener(port, topics.status()) as listener:
                wait_for_state(listener, "running")
            bus.publish(Pixels("old", "x", bytes(192)))
            broker.end(signal.SIGKILL)
            (broker.folder / "mosquitto.db").unlink(missing_ok=True)
            until(lambda: bus.metrics.snapshot().get("disconnected"))
            bus.publish(Pixels("new", "y", bytes(192)))
            bus.state(states.CAMERA_LOST, "while the broker was away")
            broker.start()
            with Listener(port, "footfall/#") as listener:
                listener.wait_for("old/pixels", seconds=35)
                listener.wait_for("new/pixels")
                wait_for_state(listener, "camera-lost")
                until(lambda: delivered(listener, got))


def test_without_a_broker(caplog: pytest.LogCaptureFixture) -> None:
    """A module warns once, and ends soon."""
    with Bus(settings(free_port()), startup_time=0.0) as bus:
        until(lambda: bus.metrics.snapshot().get("connect_failed", 0) >= 2)
        begin = time.monotonic()
    assert time.monotonic() - begin < limit(5)
    assert caplog.text.count("no broker at") == 1


def test_a_session_needs_the_password(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """A client with a module's name does not disconnect it. Two that know its password disconnect each other: the log says why,
    and not without end.
    """
    caplog.set_level(logging.INFO)
    secret = settings(broker.port, mqtt_password="secret")
    assert secret_name("tester", None) == "tester"  # what another machine's tools show
    assert secret_name("tester", "secret") == "tester-" + hmac.new(b"secret", b"tester", "sha256").hexdigest()[:12]
    with Bus(secret) as bus:
        until(lambda: bus.connected)
        with Listener(broker.port, topics.status(), client=mqtt.Client("tester")) as stranger:
            wait_for_state(stranger, "starting")
        assert "disconnected" not in bus.metrics.snapshot()
        with Bus(secret) as second:
            until(lambda: second.metrics.snapshot().get("disconnected", 0) > 1, 30)
    assert "is another client called tester? MODULE_NAME" in caplog.text
    assert caplog.text.count("connected to the broker") <= 4


def test_the_last_will_says_offline(broker: Broker) -> None:
    """A module that dies is offline with all it is about; one that ends says so itself. A long reason is cut."""
    with Listener(broker.port, topics.status()) as listener:
        with Bus(settings(broker.port), about=About("door")) as bus:
            bus.state(states.CAMERA_LOST, "x" * 5000)
            for labels in ((), ("man",)):
                wait_for_state(listener, "camera-lost")
                connection = bus._client.socket()
                assert isinstance(connection, socket.socket)
                connection.shutdown(socket.SHUT_RDWR)
                will = wait_for_state(listener, "offline")
                assert (will.detail, will.about) == ("connection lost", About("door", labels=labels))
                bus.describe(labels=("man",))
            wait_for_state(listener, "camera-lost")
        assert wait_for_state(listener, "offline").detail == "stopped"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_network_thread_that_ended_is_restarted(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside the MQTT library, which ends its thread silently, does not leave the module cut off."""
    got: list[Prediction] = []
    with receiver(broker.port, got, report_interval=0.2) as bus, Listener(broker.port, topics.status()) as listener:
        wait_for_state(listener, "starting")
        before = bus._client.socket()
        monkeypatch.setattr(bus._client, "_packet_handle", Mock(side_effect=ZeroDivisionError))
        until(lambda: bus.metrics.snapshot().get("revived"), 35)
        monkeypatch.undo()
        until(lambda: bus._client.socket() not in (before, None), 35, "a new connection")
        until(lambda: delivered(listener, got), 35)


@pytest.mark.parametrize("camera", [None, "back"])
def test_a_refused_connection_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture, camera: str | None) -> None:
    """Nothing counts as published; whoever has a new camera reads what the broker lacks."""
    configuration = tmp_path / "closed.conf"
    configuration.write_text(f"user root\nlistener {(port := free_port())} 127.0.0.1\nallow_anonymous false\n")
    with Broker(tmp_path / "closed", configuration, port), Bus(settings(port), about=About(camera)) as bus:
        until(lambda: "refuses 'tester': unknown user or wrong password" in caplog.text)
        assert ("; if 'back' is a new camera, add it to CAMERAS" if camera else "password\n") in caplog.text
        assert not bus.publish(samples.frame())
        assert bus.metrics.snapshot()["dropped_offline"] == 1


def test_a_refused_subscription_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """MQTT 3.1.1 reports it in the SUBACK only."""
    client = Mock()
    client.subscribe.return_value = (mqtt.MQTT_ERR_SUCCESS, 7)
    subscriptions = Subscriptions(client, "tester", "secret", Metrics(), Mock())
    subscriptions.add(PREDICTIONS, Prediction, print, share="some")
    subscriptions.on_connect()
    subscriptions.on_suback(7, (0x80,))
    wanted = f"$share/{secret_name('some', 'secret')}/footfall/+/prediction"
    assert client.subscribe.call_args[0] == ([(wanted, 1)],)
    assert caplog.messages == [f"the broker refuses the subscription of tester to {wanted}"]


def test_garbage_is_counted(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """And logged once a topic, in a short line; the next valid message arrives. A retained prediction is refused too."""
    bad = {
        "no msgpack": b"\xc1",
        "classified_at": samples.frame().pack(),
        "at most 65536": bytes(70_000),
        "another topic": samples.prediction(camera="window").pack(),
    }
    got: list[Prediction] = []
    with Listener(broker.port, topics.status()) as sender:
        sender.publish(topics.prediction("kept"), samples.prediction(camera="kept").pack(), retain=True)
        with receiver(broker.port, got) as bus:
            wait_for_state(sender, "starting")
            for number, payload in enumerate(bad.values()):
                for _ in range(30):
                    sender.publish(topics.prediction(f"bad-{number}"), payload)
            until(lambda: delivered(sender, got))
            assert bus.metrics.snapshot()["invalid"] == 1 + 4 * 30
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    for reason, warning in zip(("only fresh ones", *bad), warnings, strict=True):
        assert reason in warning
        assert len(warning) < 300


def test_frames_do_not_pile_up_before_a_frozen_broker(broker: Broker) -> None:
    """At most two frames wait in the client; when the broker reads again, fresh ones go."""
    picture = Frame("door", "a1", 0, 0.0, time.time(), 64, 48, b"\xff" * 1_500_000)
    with Listener(broker.port, topics.status()) as listener, Bus(settings(broker.port)) as bus:
        wait_for_state(listener, "starting")
        broker.freeze()
        taken, since = 0, time.monotonic()
        while time.monotonic() - since < 0.5:
            if bus.publish(picture):
                taken, since = taken + 1, time.monotonic()
            assert taken < 12, "more than two that wait and what the kernel's buffers take"
            time.sleep(0.002)
        broker.thaw()
        until(lambda: bus.publish(picture), 40)
