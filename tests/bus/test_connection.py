"""The connection to a real Mosquitto: reconnecting, restoring subscriptions and retained messages, refusals."""

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
from bus import metric_names as names
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
    """Returns settings for a bus that connects to `port`."""
    return BusSettings.model_validate({"mqtt_port": port, "MODULE_NAME": name} | others)


def wait_for_state(listener: Listener, state: str, name: str = "tester") -> Status:
    """Waits until a module is in the state, and returns its last status."""

    def status() -> Status | None:
        last = [Status.unpack(payload) for payload in listener.payloads(topics.status(name))[-1:]]
        return last[0] if last and last[0].state == state else None

    return until(status, 35, f"{name} {state}")


def receiver(port: int, received: list[Prediction], **options: float) -> Bus:
    """Creates a bus that appends its predictions to `received`."""
    bus = Bus(settings(port), **options)  # type: ignore[arg-type]  # intervals only
    bus.subscribe(PREDICTIONS, Prediction, received.append)
    return bus


def delivered(sender: Listener, received: list[Prediction]) -> bool:
    """Publishes a prediction, and returns whether any prediction has arrived so far."""
    sender.publish(topics.prediction("door"), samples.prediction().pack())
    return bool(received)


def test_several_handlers_of_one_filter(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """Every handler gets each message, even if one fails, which is logged once. After `unsubscribe` none gets any.

    Deleting a retained message is not an error, and calls `on_cleared` with its topic.
    """
    received, later, cleared = list[Prediction](), list[Prediction](), list[str]()
    fail = Mock(side_effect=ZeroDivisionError)
    bus = Bus(settings(broker.port, "a"))
    bus.subscribe(PREDICTIONS, Prediction, fail)
    bus.subscribe(PREDICTIONS, Prediction, received.append)
    bus.subscribe(topics.pixels(), Pixels, print)
    bus.subscribe(topics.label(), CurrentLabel, print, on_cleared=cleared.append)
    with bus, Listener(broker.port) as sender:
        until(lambda: bus.connected)
        until(lambda: delivered(sender, received) and len(received) > 2)
        assert received[0] == samples.prediction()
        metrics = bus.metrics.snapshot
        until(lambda: fail.call_count == len(received) == metrics()["predictions_in"] == metrics()["failed"])
        bus.unsubscribe(PREDICTIONS)
        bus.subscribe(topics.prediction("door"), Prediction, later.append)
        until(lambda: delivered(sender, later))
        before, number = (fail.call_count, len(received)), len(later)
        until(lambda: delivered(sender, later) and len(later) > number)
        assert (fail.call_count, len(received)) == before
        for topic in (topics.pixels("matrix"), topics.label("door")):
            sender.publish(topic, b"", retain=True)
        until(lambda: cleared == ["footfall/door/label"])
    assert "invalid" not in bus.metrics.snapshot()
    assert caplog.text.count("Traceback") == 1


def test_a_broker_that_starts_late_and_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A module connects when the broker starts. If both start together, there is no warning.

    After the broker was killed, subscriptions work again and all retained messages are back, also those published meanwhile.
    """
    received, port = list[Prediction](), free_port()
    with receiver(port, received, startup_time=600.0) as bus:
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
                until(lambda: delivered(listener, received))


def test_without_a_broker(caplog: pytest.LogCaptureFixture) -> None:
    """A module warns once, and stops quickly."""
    with Bus(settings(free_port()), startup_time=0.0) as bus:
        until(lambda: bus.metrics.snapshot().get("connect_failed", 0) >= 2)
        begin = time.monotonic()
    assert time.monotonic() - begin < limit(5)
    assert caplog.text.count("no broker at") == 1


def test_a_broker_that_was_away_for_long_is_found_at_once() -> None:
    """The pause between two attempts to connect does not grow, however long the broker is away."""
    with Bus(settings(free_port())) as bus:
        until(lambda: bus.metrics.snapshot()[names.CONNECT_FAILED] >= 8, 8, "eight attempts")


def test_a_session_is_protected_by_its_password(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """A client that knows only a module's name does not disconnect it.

    Two clients with its password disconnect each other. The log says why, at a limited rate.
    """
    caplog.set_level(logging.INFO)
    secret = settings(broker.port, mqtt_password="secret")
    assert secret_name("tester", None) == "tester"  # as tools on another machine show it
    assert secret_name("tester", "secret") == "tester-" + hmac.new(b"secret", b"tester", "sha256").hexdigest()[:12]
    with Bus(secret) as bus:
        until(lambda: bus.connected)
        with Listener(broker.port, topics.status(), client=mqtt.Client("tester")) as other:
            wait_for_state(other, "starting")
        assert bus.metrics.snapshot()["disconnected"] == 0
        with Bus(secret) as second:
            until(lambda: second.metrics.snapshot().get("disconnected", 0) > 1, 30)
    assert "if another client is named tester, set a different MODULE_NAME" in caplog.text
    assert caplog.text.count("connected to the broker") <= 4


@pytest.mark.parametrize("passwords", [(None, None), ("one", "other")], ids=["one client id", "two client ids"])
def test_a_second_program_of_one_name_is_found(
    broker: Broker, passwords: tuple[str | None, str | None], caplog: pytest.LogCaptureFixture
) -> None:
    """Within ten seconds, both say so in their log and state, whether they disconnect each other or count everything twice.

    When one of them has ended, the other one's state is what it was.
    """
    caplog.set_level(logging.INFO)
    first, second = (
        Bus(settings(broker.port, "counter", **({"mqtt_password": one, "MQTT_USERNAME": "x"} if one else {})), report_interval=1)
        for one in passwords
    )
    with Listener(broker.port, topics.status()) as listener:
        with first:
            first.state(states.LEDGER_UNAVAILABLE, "disk full")
            wait_for_state(listener, "ledger-unavailable", "counter")
            begin = time.monotonic()
            with second:
                second.state(states.RUNNING)
                until(lambda: caplog.text.count("name-taken: another counter is connected with this name") == 2, 10)
                assert time.monotonic() - begin < limit(10)
                found = wait_for_state(listener, "name-taken", "counter")
                assert "set a different MODULE_NAME" in found.detail
                until(lambda: b"; ledger-unavailable: disk full" in b"".join(listener.payloads(topics.status("counter"))), 20)
            assert wait_for_state(listener, "ledger-unavailable", "counter").detail == "disk full"
        assert caplog.text.count("the other counter has gone") == 1


def test_an_earlier_process_is_no_second_program(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """A module that is killed and started again, and one whose connection breaks, find nobody, although a status is retained."""
    with Listener(broker.port, topics.status()) as listener:
        left = Status("tester", states.RUNNING, time.time(), time.time(), instance="of a killed process")
        listener.publish(left.topic, left.pack(), retain=True)
        with Bus(settings(broker.port), report_interval=0.5) as bus:
            bus.state(states.RUNNING)
            for number in range(1, 3):
                until(lambda number=number: bus.connection == number and bus.settled)  # type: ignore[misc]
                listener.wait_for(topics.status("tester"), len(listener.payloads()) + 2)
                connection = bus._client.socket()
                assert isinstance(connection, socket.socket)
                connection.shutdown(socket.SHUT_RDWR)
        assert "name-taken" not in caplog.text
        assert "name-taken" not in b"".join(listener.payloads()).decode()


def test_the_last_will_says_offline(broker: Broker) -> None:
    """After a lost connection the broker publishes the last will, with `about`. A module that stops publishes its own status.

    A long detail is truncated.
    """
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
def test_a_dead_network_thread_is_restarted(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside the MQTT library ends its thread silently; the module connects again."""
    received: list[Prediction] = []
    with receiver(broker.port, received, report_interval=0.2) as bus, Listener(broker.port, topics.status()) as listener:
        wait_for_state(listener, "starting")
        before = bus._client.socket()
        monkeypatch.setattr(bus._client, "_packet_handle", Mock(side_effect=ZeroDivisionError))
        until(lambda: bus.metrics.snapshot().get("revived"), 35)
        monkeypatch.undo()
        until(lambda: bus._client.socket() not in (before, None), 35, "a new connection")
        until(lambda: delivered(listener, received), 35)


@pytest.mark.parametrize("camera", [None, "back"])
def test_a_refused_connection_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture, camera: str | None) -> None:
    """No message counts as published. For a capture, the log says where a new camera must be added."""
    configuration = tmp_path / "closed.conf"
    configuration.write_text(f"user root\nlistener {(port := free_port())} 127.0.0.1\nallow_anonymous false\n")
    with Broker(tmp_path / "closed", configuration, port), Bus(settings(port), about=About(camera)) as bus:
        until(lambda: "refused 'tester': unknown user or wrong password" in caplog.text)
        assert ("; if 'back' is a new camera, add it to CAMERAS" if camera else "password; retrying\n") in caplog.text
        assert not bus.publish(samples.frame())
        assert bus.metrics.snapshot()["dropped_offline"] == 1


def test_a_refused_subscription_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """MQTT 3.1.1 reports a refusal in the SUBACK only."""
    client = Mock()
    client.subscribe.return_value, client.unsubscribe.return_value = (mqtt.MQTT_ERR_SUCCESS, 7), (mqtt.MQTT_ERR_SUCCESS, 8)
    subscriptions = Subscriptions(client, "tester", "secret", Metrics(), Mock())
    subscriptions.add(PREDICTIONS, Prediction, print, share="some")
    subscriptions.on_connect()
    subscriptions.on_suback(7, (0x80,))
    shared = f"$share/{secret_name('some', 'secret')}/footfall/+/prediction"
    assert client.subscribe.call_args[0] == ([(shared, 1)],)
    assert caplog.messages == [f"broker refused the subscription of tester to {shared}; its messages will not arrive"]


def test_invalid_messages_are_counted(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """They are logged once a topic, in a short line, and the next valid message arrives. A retained prediction is invalid."""
    bad = {
        "not msgpack": b"\xc1",
        "classified_at": samples.frame().pack(),
        "at most 65536": bytes(70_000),
        "another topic": samples.prediction(camera="window").pack(),
    }
    received: list[Prediction] = []
    with Listener(broker.port, topics.status()) as sender:
        sender.publish(topics.prediction("kept"), samples.prediction(camera="kept").pack(), retain=True)
        with receiver(broker.port, received) as bus:
            wait_for_state(sender, "starting")
            for number, payload in enumerate(bad.values()):
                for _ in range(30):
                    sender.publish(topics.prediction(f"bad-{number}"), payload)
            until(lambda: delivered(sender, received))
            assert bus.metrics.snapshot()["invalid"] == 1 + 4 * 30
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    for reason, warning in zip(("must not be retained", *bad), warnings, strict=True):
        assert reason in warning
        assert len(warning) < 300


def test_frames_do_not_queue_up_for_a_frozen_broker(broker: Broker) -> None:
    """At most two frames wait in the client. When the broker reads again, new frames are sent."""
    picture = Frame("door", "a1", 0, 0.0, time.time(), 64, 48, b"\xff" * 1_500_000)
    with Listener(broker.port, topics.status()) as listener, Bus(settings(broker.port)) as bus:
        wait_for_state(listener, "starting")
        broker.freeze()
        accepted, since = 0, time.monotonic()
        while time.monotonic() - since < 0.5:
            if bus.publish(picture):
                accepted, since = accepted + 1, time.monotonic()
            assert accepted < 12, "more than two waiting frames and the kernel's buffers"
            time.sleep(0.002)
        broker.thaw()
        until(lambda: bus.publish(picture), 40)
