"""The connection to a real Mosquitto: it comes back, and brings everything with it."""

import hmac
import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import Mock

import pytest
from paho.mqtt import client as mqtt

from bus import About, Bus, CurrentLabel, Frame, Pixels, Prediction, topics
from bus.client import unguessable
from bus.settings import BusSettings
from tests.edgehub.hub import EdgeHub
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.listener import Listener
from tests.support.wait import limit, until

PREDICTIONS = topics.prediction()


def settings(port: int, name: str = "tester", **others: object) -> BusSettings:
    """Settings for a bus on a port."""
    return BusSettings.model_validate({"mqtt_port": port, "MODULE_NAME": name} | others)


def status_of(listener: Listener, name: str = "tester") -> Callable[[], str]:
    """The state that a module's status was last told to be."""

    def state() -> str:
        told = listener.payloads(topics.status(name))
        return str(json.loads(told[-1])["state"]) if told else ""

    return state


def test_messages_go_through(broker: Broker) -> None:
    """What one bus publishes another is handed, whole."""
    got: list[Prediction] = []
    receiver, sender = Bus(settings(broker.port, "a")), Bus(settings(broker.port, "b"))
    receiver.subscribe(PREDICTIONS, Prediction, got.append)
    with receiver, sender:
        until(lambda: sender.publish(samples.prediction()) and got)
    assert got[0] == samples.prediction()
    assert int(str(receiver.metrics.snapshot()["predictions_in"])) >= 1


def test_two_subscribers_of_one_filter_both_hear(broker: Broker) -> None:
    """Each message is unpacked once and handed to both, though one of them fails; after `unsubscribe` neither hears."""
    first: list[Prediction] = []
    second: list[Prediction] = []
    receiver, sender = Bus(settings(broker.port, "a")), Bus(settings(broker.port, "b"))

    def fail(prediction: Prediction) -> None:
        first.append(prediction)
        raise ZeroDivisionError

    receiver.subscribe(PREDICTIONS, Prediction, fail)
    receiver.subscribe(PREDICTIONS, Prediction, second.append)
    with receiver, sender:
        until(lambda: receiver.connected and sender.connected)
        until(lambda: sender.publish(samples.prediction()) and second)
        until(lambda: len(first) == len(second) == receiver.metrics.snapshot()["predictions_in"])
        receiver.unsubscribe(PREDICTIONS)
        receiver.subscribe(topics.prediction("door"), Prediction, (third := list[Prediction]()).append)
        until(lambda: sender.publish(samples.prediction()) and third)
        before = len(first), len(second)
        heard = len(third)
        sender.publish(samples.prediction())
        until(lambda: len(third) > heard)
        assert (len(first), len(second)) == before


def test_starts_before_the_broker(tmp_path: Path) -> None:
    """A module may be up before the broker is; it connects when the broker comes."""
    port = free_port()
    with ExitStack() as stack:
        bus = stack.enter_context(Bus(settings(port)))
        bus.state("running")
        until(lambda: bus.metrics.snapshot().get("connect_failed"))
        broker = stack.enter_context(Broker(tmp_path, port=port))
        listener = stack.enter_context(Listener(broker.port, topics.status()))
        until(lambda: status_of(listener)() == "running", 35)


@pytest.mark.parametrize(("quiet", "number"), [(600.0, 0), (0.0, 1)])
def test_a_broker_that_starts_later_is_no_warning(
    quiet: float, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever starts both at once reads no warning; one who has waited for longer does, once."""
    monkeypatch.setattr("bus.connection.QUIET", quiet)
    with Bus(settings(free_port())) as bus:
        until(lambda: int(str(bus.metrics.snapshot().get("connect_failed", 0))) >= 2)
    assert caplog.text.count("no broker at") == number


def delivered(sender: Listener, got: list[Prediction]) -> bool:
    """Publishes a prediction; whether one has arrived by now."""
    sender.publish(topics.prediction("door"), samples.prediction().pack())
    return bool(got)


def _socket_of(bus: Bus) -> socket.socket:
    found = bus._client.socket()
    assert isinstance(found, socket.socket)
    return found


def test_a_killed_broker_gets_everything_back(broker: Broker) -> None:
    """After a crash of the broker, subscriptions work again and all retained state is there, even what changed meanwhile."""
    got: list[Prediction] = []
    bus = Bus(settings(broker.port))
    bus.subscribe(PREDICTIONS, Prediction, got.append)
    with bus:
        bus.state("running")
        with Listener(broker.port, topics.status()) as listener:
            until(lambda: status_of(listener)() == "running")
        bus.publish(Pixels("old", "x", bytes(192)))
        broker.end(signal.SIGKILL)
        (broker.folder / "mosquitto.db").unlink(missing_ok=True)
        until(lambda: bus.metrics.snapshot().get("disconnected"))
        bus.publish(Pixels("new", "y", bytes(192)))
        bus.state("camera-lost", "while the broker was away")
        broker.start()
        with Listener(broker.port, "footfall/#") as listener:
            listener.wait_for("old/pixels", seconds=35)
            listener.wait_for("new/pixels")
            until(lambda: status_of(listener)() == "camera-lost")
            until(lambda: delivered(listener, got))


def test_the_newest_state_is_what_stays_after_a_crash(broker: Broker) -> None:
    """State that the broker had not acknowledged when it crashed does not come again after the newer one."""
    with Bus(settings(broker.port)) as bus, Listener(broker.port, topics.status()) as listener:
        until(lambda: status_of(listener)() == "starting")
        broker.freeze()
        bus.publish(CurrentLabel("door", "Apple", 0.9, 1000.0))
        broker.end(signal.SIGKILL)  # before it has read what waits for it
        bus.publish(CurrentLabel("door", None, None, None))
        until(lambda: not bus.connected)
        broker.start()
        until(lambda: bus.connected, 35)
        with Listener(broker.port, topics.label()) as late:
            until(lambda: late.payloads() and CurrentLabel.unpack(late.payloads()[-1]).label is None)
            late.publish(topics.label("other"), b"{}", retain=False)
            until(lambda: late.messages("other/label"))
            assert CurrentLabel.unpack(late.payloads("door/label")[-1]).label is None


def test_two_of_one_name_are_told(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """Two modules of one name throw each other off the broker; the log says what may be the matter, and not without end."""
    caplog.set_level(logging.INFO)
    with Bus(settings(broker.port)), Bus(settings(broker.port)) as second:
        until(lambda: second.metrics.snapshot().get("disconnected", 0) not in (0, 1), 30)
    assert "is another client called tester? MODULE_NAME" in caplog.text
    assert caplog.text.count("connected to the broker") <= 4


def test_a_name_is_no_place_without_the_password(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """Who connects under a module's name, or its user's, does not throw it off; two that know its password notice each other."""
    secret = settings(broker.port, mqtt_password="secret")
    with Bus(secret) as bus:
        until(lambda: bus.connected)
        other = mqtt.Client("tester-" + hmac.digest(b"other", b"tester", "sha256").hex()[:12])
        for stranger in (mqtt.Client("tester"), other):
            with Listener(broker.port, topics.status(), client=stranger) as listener:
                until(lambda: status_of(listener)() == "starting")
        assert "disconnected" not in bus.metrics.snapshot()
        with Bus(secret):
            until(lambda: bus.metrics.snapshot().get("disconnected"), 30)
    assert "is another client called tester? MODULE_NAME" in caplog.text


def test_the_id_on_the_broker() -> None:
    """Without a password the bare name, which is what another machine's tools show."""
    assert unguessable("bridge", None) == "bridge"
    assert unguessable("bridge", "secret") == "bridge-" + hmac.new(b"secret", b"bridge", "sha256").hexdigest()[:12]


def test_a_long_reason_is_cut(broker: Broker) -> None:
    """However long the reason for a state is, it is told."""
    with Listener(broker.port, topics.status()) as listener, Bus(settings(broker.port)) as bus:
        bus.state("camera-lost", "x" * 5000)
        until(lambda: status_of(listener)() == "camera-lost")


def test_the_last_will_says_offline(broker: Broker) -> None:
    """A module that dies without a word is told to be offline; one that ends says so itself, with the time."""
    with Listener(broker.port, topics.status()) as listener:
        with Bus(settings(broker.port)) as bus:
            bus.state("running")
            until(lambda: status_of(listener)() == "running")
        until(lambda: status_of(listener)() == "offline")
        assert json.loads(listener.payloads()[-1])["detail"] == "stopped"
        with Bus(settings(broker.port)) as bus:
            bus.state("running")
            until(lambda: status_of(listener)() == "running")
            _socket_of(bus).shutdown(socket.SHUT_RDWR)
            until(lambda: "connection lost" in [json.loads(told)["detail"] for told in listener.payloads()])
            until(lambda: status_of(listener)() == "running", 35)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_network_thread_that_ended_is_started_again(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside the MQTT library, which ends its thread in silence, does not leave the module cut off."""
    monkeypatch.setattr("bus.connection.REPORT_EVERY", 0.2)
    got: list[Prediction] = []
    bus = Bus(settings(broker.port))
    bus.subscribe(PREDICTIONS, Prediction, got.append)
    with bus, Listener(broker.port, topics.status()) as listener:
        until(lambda: status_of(listener)() == "starting")
        before = _socket_of(bus)
        monkeypatch.setattr(bus._client, "_packet_handle", Mock(side_effect=ZeroDivisionError))
        until(lambda: bus.metrics.snapshot().get("revived"), 35)
        monkeypatch.undo()
        until(lambda: bus._client.socket() not in (before, None), 35, "a new connection")
        until(lambda: delivered(listener, got), 35)


def test_status_tells_figures(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status document comes again and again, with what has been counted."""
    monkeypatch.setattr("bus.connection.REPORT_EVERY", 0.2)
    with Listener(broker.port, topics.status()) as listener, Bus(settings(broker.port)) as bus:
        bus.state("running")
        bus.metrics.add("things", 3)
        until(lambda: '"things": 3' in (listener.payloads() or [b""])[-1].decode())
        number = len(listener.payloads())
        until(lambda: len(listener.payloads()) > number + 2)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (About(), "refuses 'tester': unknown user or wrong password\n"),
        (About("back"), "wrong password; if 'back' is a new camera, add it to CAMERAS where the broker starts\n"),
    ],
    ids=["any module", "a camera's"],
)
def test_a_refused_connection_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture, about: About, words: str) -> None:
    """A CONNACK that refuses is not taken for a connection; the log says why, once, and nothing counts as published."""
    port = free_port()
    configuration = tmp_path / "closed.conf"
    configuration.write_text(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous false\n")
    with Broker(tmp_path / "closed", configuration, port) as broker, Bus(settings(broker.port), about=about) as bus:
        until(lambda: "refuses 'tester'" in caplog.text)
        assert words in caplog.text
        assert not bus.publish(samples.frame())
        assert bus.metrics.snapshot()["dropped_offline"] == 1


def test_tls_with_the_right_authority(tmp_path: Path) -> None:
    """With MQTT_CA_FILE the connection is TLS, and the broker's certificate is checked against it."""
    with EdgeHub(tmp_path / "ours") as broker, broker.listener(topics.status()) as listener:
        with Bus(settings(broker.port, mqtt_host=broker.host, mqtt_ca_file=broker.authority)):
            until(lambda: status_of(listener)() == "starting")
        other = EdgeHub(tmp_path / "other").authority
        with Bus(settings(broker.port, "stranger", mqtt_host=broker.host, mqtt_ca_file=other)) as bus:
            until(lambda: bus.metrics.snapshot().get("connect_failed"))
        assert not status_of(listener, "stranger")()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "no msgpack"),
        (b"\xc1", "no msgpack"),
        (b"{}", "no msgpack"),
        (samples.prediction().pack()[:-3], "no msgpack"),
        (samples.prediction().pack() + b"x", "no msgpack"),
        (samples.frame().pack(), "classified_at"),
        (bytes(70_000), "at most 65536"),
        (samples.prediction(camera="window").pack(), "another topic"),
    ],
)
def test_garbage_is_counted_and_survived(broker: Broker, caplog: pytest.LogCaptureFixture, payload: bytes, reason: str) -> None:
    """Whatever comes on a topic, it is counted, said once, and the next good message is taken."""
    got: list[Prediction] = []
    bus = Bus(settings(broker.port))
    bus.subscribe(PREDICTIONS, Prediction, got.append)
    with bus, Listener(broker.port, topics.status()) as sender:
        until(lambda: status_of(sender)() == "starting")
        for _ in range(30):
            sender.publish(topics.prediction("door"), payload)
        sender.publish(topics.prediction("door"), samples.prediction().pack())
        until(lambda: got)
        assert bus.metrics.snapshot()["invalid"] == 30
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert reason in warnings[0]
    assert len(warnings[0]) < 300


def test_a_handler_that_fails_does_not_end_the_connection(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """An error in a module's own code is counted and logged; the next message comes all the same."""
    calls: list[Prediction] = []

    def fail(prediction: Prediction) -> None:
        calls.append(prediction)
        raise ZeroDivisionError

    bus = Bus(settings(broker.port))
    bus.subscribe(PREDICTIONS, Prediction, fail)
    with bus, Listener(broker.port, topics.status()) as sender:
        until(lambda: status_of(sender)() == "starting")
        for _ in range(3):
            sender.publish(topics.prediction("door"), samples.prediction().pack())
        until(lambda: len(calls) == 3)
        until(lambda: bus.metrics.snapshot().get("failed") == 3)
    assert caplog.text.count("Traceback") == 1


def test_a_retained_message_is_not_taken_for_a_fresh_one(broker: Broker) -> None:
    """A prediction that somebody retained is not handed over again at every connection."""
    got: list[Prediction] = []
    with Listener(broker.port) as sender:
        sender.publish(topics.prediction("door"), samples.prediction().pack(), retain=True)
    bus = Bus(settings(broker.port))
    bus.subscribe(PREDICTIONS, Prediction, got.append)
    with bus:
        until(lambda: bus.metrics.snapshot().get("invalid") == 1)
    assert not got


def test_what_is_cleared_is_told(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    """What the broker was told to keep no more is no fault, and told to who wants to know."""
    cleared: list[str] = []
    bus = Bus(settings(broker.port))
    bus.subscribe(topics.label(), CurrentLabel, lambda _label: None, cleared=cleared.append)
    bus.subscribe(topics.pixels(), Pixels, lambda _pixels: None)
    with Listener(broker.port) as listener, bus:
        until(lambda: bus.connected)
        for topic in (topics.pixels("matrix"), topics.label("door")):
            listener.publish(topic, b"", retain=True)
        until(lambda: cleared == ["footfall/door/label"])
    assert "invalid" not in bus.metrics.snapshot()


def test_the_last_will_tells_what_the_module_is_about(broker: Broker) -> None:
    """As which camera it is, which nobody else can say any more."""
    with Listener(broker.port, topics.status()) as listener, Bus(settings(broker.port), about=About("door")) as bus:
        bus.state("running")
        until(lambda: status_of(listener)() == "running")
        _socket_of(bus).shutdown(socket.SHUT_RDWR)
        until(lambda: "connection lost" in [json.loads(told)["detail"] for told in listener.payloads()])
        assert {json.loads(told)["about"]["camera"] for told in listener.payloads()} == {"door"}


def test_frames_do_not_pile_up_before_a_frozen_broker(broker: Broker) -> None:
    """While the broker does not read, at most two frames wait in the client; when it reads again, fresh ones go."""
    picture = Frame("door", "a1", 0, 0.0, time.time(), 64, 48, b"\xff" * 1_500_000)
    with Listener(broker.port, topics.status()) as listener, Bus(settings(broker.port)) as bus:
        until(lambda: status_of(listener)() == "starting")
        broker.freeze()
        taken, since = 0, time.monotonic()
        while time.monotonic() - since < 0.5:
            if bus.publish(picture):
                taken, since = taken + 1, time.monotonic()
            assert taken < 12, "more than two that wait and what the kernel's buffers take"
            time.sleep(0.002)
        broker.thaw()
        until(lambda: bus.publish(picture), 40)


def test_queued_messages_are_bounded_while_the_broker_is_away() -> None:
    """What waits for the broker has a bound, and what is over it is counted, not lost in silence."""
    with Bus(settings(free_port())) as bus:
        for _ in range(1100):
            bus.publish(samples.prediction())
        assert bus.metrics.snapshot()["dropped_queue_full"] == 100


def test_a_persistent_session_keeps_what_came_meanwhile(broker: Broker) -> None:
    """A bridge that was away gets every prediction published meanwhile, before anything newer."""
    with Bus(settings(broker.port), persistent=True) as bus:
        pass
    bus = Bus(settings(broker.port), persistent=True)
    bus.subscribe(PREDICTIONS, Prediction, lambda _: None)
    with bus, Listener(broker.port, topics.status()) as listener:
        until(lambda: "starting" in listener.payloads()[-1].decode() if listener.payloads() else False)
    with Listener(broker.port) as sender:
        for number in range(50):
            sender.publish(topics.prediction("door"), samples.prediction(captured_at=1000.0 + number).pack())
    got: list[float] = []
    bus = Bus(settings(broker.port), persistent=True)
    bus.subscribe(PREDICTIONS, Prediction, lambda prediction: got.append(prediction.captured_at))
    with bus:
        until(lambda: len(got) == 50)
    assert got == [1000.0 + number for number in range(50)]


def test_what_a_crashed_broker_forgot_is_published_again(broker: Broker) -> None:
    """What it has acknowledged, for one that was away, and not written down yet; in order, and before anything newer."""
    away = Bus(settings(broker.port, "away"), persistent=True)
    away.subscribe(PREDICTIONS, Prediction, lambda _: None)
    with away, Listener(broker.port, topics.status("away")) as listener:
        until(lambda: status_of(listener, "away")() == "starting")
    broker.end(signal.SIGTERM)  # the session is written down
    broker.start()
    got: list[float] = []
    with Bus(settings(broker.port)) as sender:
        until(lambda: sender.connected)
        for number in range(50):
            sender.publish(samples.prediction(captured_at=1000.0 + number))
        until(lambda: not sender._client._out_messages)  # type: ignore[attr-defined]
        broker.end()
        until(lambda: not sender.connected)
        sender.publish(samples.prediction(captured_at=2000.0))
        broker.start()
        until(lambda: sender.connected)
        away = Bus(settings(broker.port, "away"), persistent=True)
        away.subscribe(PREDICTIONS, Prediction, lambda prediction: got.append(prediction.captured_at))
        with away:
            until(lambda: 2000.0 in got)
    assert list(dict.fromkeys(got)) == [1000.0 + number for number in range(50)] + [2000.0]


def test_leaving_is_quick_without_a_broker() -> None:
    """A module can be stopped while it waits for a broker; nothing of it is left."""
    before = threading.active_count()
    begin = time.monotonic()
    with Bus(settings(free_port())) as bus:
        until(lambda: bus.metrics.snapshot().get("connect_failed"))
    assert time.monotonic() - begin < limit(5)
    until(lambda: threading.active_count() <= before)
