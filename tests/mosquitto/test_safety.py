"""The running suite, and who means it no good: the modules do not notice."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import NamedTuple

import psutil
import pytest
from paho.mqtt import client as mqtt

from bus import Bus, Frame, topics
from bus.client import unguessable
from bus.settings import BusSettings
from tests.mosquitto.test_laptop import own_address
from tests.support.broker import accepts
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

REFUSED = 5
MEBIBYTE = 2**20
MODULES = ("capture", "classifier", "display", "bridge")


class Suite(NamedTuple):
    """The four modules with the demo on a guarded broker, and a reader of what they say."""

    broker: GuardedBroker
    modules: dict[str, Module]
    reader: Listener

    def goes_on(self) -> None:
        """Fails unless new predictions come, all modules run, and none of them has ever had to connect again."""
        self.reader.wait_for("/prediction", len(self.reader.messages("/prediction")) + 5)
        for name, module in self.modules.items():
            assert module.running, name
            assert module.log.count("connected to the broker") == 1, module.log

    def memory(self) -> int:
        """The broker's, in bytes."""
        return int(psutil.Process(self.broker.pid).memory_info().rss)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """Once for all: what one test leaves behind must not trouble the next either."""
    settings = {"MODEL": "demo/model", "VIDEO_PATH": "demo/visitors.mp4", "LOOP_VIDEO": "true", "MATRIX": "none"}
    with (
        GuardedBroker(tmp_path_factory.mktemp("safety")) as broker,
        broker.listener("reader", "footfall/+/prediction") as reader,
        broker.modules(**settings) as modules,
    ):
        running = Suite(broker, modules, reader)
        running.goes_on()
        yield running


@pytest.mark.parametrize(
    ("user", "password"),
    [("capture", "guess"), ("capture", ""), ("nobody", "guess"), ("classifier-9", None), ("capture-", None), (None, None)],
)
def test_who_has_no_right_password_is_refused(suite: Suite, user: str | None, password: str | None) -> None:
    """On the port for users: a guess, an unknown user, one beyond those that were named, and none at all."""
    assert suite.broker.answer(user, password) == REFUSED
    suite.goes_on()


def test_a_wrong_password_makes_no_guest(suite: Suite) -> None:
    """Guests need none; who gives one is held to it."""
    assert suite.broker.answer(None, port=suite.broker.guests) == 0
    assert suite.broker.answer("operator", "guess", suite.broker.guests) == REFUSED


def test_a_role_has_no_way_in_by_the_password_of_another(suite: Suite) -> None:
    """One that leaks opens one role."""
    for user in MODULES:
        others = {suite.broker.answer(other, suite.broker.password(user)) for other in (*MODULES, "operator") if other != user}
        assert others == {REFUSED}


@pytest.mark.parametrize("name", MODULES)
def test_a_guest_does_not_take_a_modules_place(suite: Suite, name: str) -> None:
    """Whoever connects with the client id of another throws that off: the module's is known only to who has its password."""
    for guess in (name, unguessable(name, ""), unguessable(name, suite.broker.password("reader"))):
        for clean in (True, False):
            client = suite.broker.client(None, client_id=guess, clean_session=clean)
            assert suite.broker.answer(None, port=suite.broker.guests, client=client) == 0
            leave_nothing(suite.broker, guess)
    suite.goes_on()


def leave_nothing(broker: GuardedBroker, name: str) -> None:
    """Ends a guest's persistent session."""
    assert broker.answer(None, port=broker.guests, client=broker.client(None, client_id=name, clean_session=True)) == 0


def test_nobody_listens_at_another_address_of_this_machine(suite: Suite) -> None:
    """The laptop run is the laptop's alone."""
    address = own_address()
    for port in (suite.broker.port, suite.broker.guests):
        assert accepts(port)
        assert address is None or not accepts(port, address)


def test_a_packet_that_is_too_large_ends_its_senders_connection_alone(suite: Suite) -> None:
    """Of a guest's or a user's, before or after it has signed in."""
    for user in (None, "capture"):
        with suite.broker.listener(user) as sender:
            lost = threading.Event()
            sender.client.on_disconnect = lambda *_, lost=lost: lost.set()
            sender.client.publish("footfall/door/frame", bytes(2 * MEBIBYTE + MEBIBYTE // 8))
            assert lost.wait(limit(10)), "the connection was not ended"
    assert is_shut_after(suite.broker.guests, b"\x10\xff\xff\xff\x7f\x00\x04MQTT"), "a CONNECT of 256 MB"
    suite.goes_on()


def is_shut_after(port: int, begin: bytes) -> bool:
    """Whether the broker closes a connection that begins so."""
    with socket.create_connection(("127.0.0.1", port), limit(5)) as plain:
        plain.sendall(begin)
        try:
            return plain.recv(1) == b""
        except ConnectionError:
            return True


CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02"


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("port", ["guests", "users"])
def test_a_thousand_connections_at_once_are_borne(suite: Suite, port: str) -> None:
    """Without a password: the modules stay, predictions go on, and the broker is no larger for it."""
    number = suite.broker.guests if port == "guests" else suite.broker.port
    before = suite.memory()
    with ExitStack() as stack:
        for count in range(1000):
            plain = stack.enter_context(socket.socket())
            plain.settimeout(limit(5))
            plain.connect(("127.0.0.1", number))
            plain.setblocking(False)
            with suppress(OSError):
                plain.send(CONNECT + f"{count % 100:02}".encode())
        suite.goes_on()
        assert suite.memory() < before + 8 * MEBIBYTE
    suite.goes_on()
    until(lambda: suite.broker.answer("reader") == 0, what="the end of the refused")


def test_who_signs_in_over_and_over_with_a_wrong_password_stops_nobody(suite: Suite) -> None:
    """Hashing costs the broker time; predictions come in between."""
    assert {suite.broker.answer("operator", f"guess {number}") for number in range(300)} == {REFUSED}
    suite.goes_on()


def test_a_guests_flood_leaves_nothing(suite: Suite) -> None:
    """20 MB on topics of its own and of others, retained: nothing is kept and nobody hears of it."""
    with suite.broker.listener("operator", "#") as operator, suite.broker.listener(None) as guest:
        before = suite.memory()
        flood(guest, [f"footfall/door{number}/label" for number in range(19)] + ["footfall/door/label"])
        suite.goes_on()
        assert not [message for message in operator.messages() if len(message.payload) == MEBIBYTE]
    assert suite.memory() < before + 8 * MEBIBYTE
    with suite.broker.listener(None, "#") as later:
        later.wait_for("status/bridge")
        assert not [message for message in later.messages() if len(message.payload) == MEBIBYTE]


def flood(sender: Listener, flooded: list[str]) -> None:
    """A retained megabyte on each topic; the broker has dealt with all of them, kept or not."""
    for topic in flooded:
        sender.client.publish(topic, bytes(MEBIBYTE), retain=True)
    sender.settle()


def test_a_guest_takes_no_frames_from_classifiers_that_share(suite: Suite) -> None:
    """Who joins a share takes part of its messages, even of those that it may not read: so guests cannot tell its name."""
    password = suite.broker.secrets / "classifier" / "password"
    values = {"MODULE_NAME": "classifier-1", "mqtt_port": suite.broker.port, "mqtt_password_file": password}
    taken: list[Frame] = []
    with ExitStack() as stack:
        bus = Bus(BusSettings.model_validate(values))
        bus.subscribe(topics.frame(), Frame, taken.append, "all")
        stack.enter_context(bus)
        stack.enter_context(suite.broker.listener(None, "$share/all/footfall/+/frame"))
        until(lambda: bus.connected)
        until(lambda: len(taken) >= 10, 30, "frames of the suite's own camera")
        numbers = [frame.sequence for frame in taken]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_guests_who_are_away_cost_nothing(suite: Suite) -> None:
    """Of sessions that guests leave behind, subscribed to all at QoS 1, the broker keeps no message."""
    for number in range(100):
        client = mqtt.Client(f"left-{number}", clean_session=False)
        with Listener(suite.broker.guests, "footfall/#", client=client):
            pass
    suite.goes_on()
    before = suite.memory()
    with suite.broker.listener("classifier") as classifier:
        sent = [classifier.client.publish("footfall/door/prediction", bytes(1000), 1) for _ in range(2000)]
        sent[-1].wait_for_publish(limit(30))
    suite.goes_on()
    assert suite.memory() < before + 8 * MEBIBYTE


def test_modules_say_goodbye_as_ever(suite: Suite) -> None:
    """After all that, each one's status is still told, by itself."""
    with suite.broker.listener(None, "footfall/status/+") as guest:
        guest.wait_for("", len(MODULES))
        states = {status["module"]: status["state"] for status in map(json.loads, guest.payloads())}
    assert set(MODULES) <= set(states)
    assert "offline" not in [states[module] for module in MODULES]
