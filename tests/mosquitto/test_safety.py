"""Attacks on a broker with all modules connected: their connections stay and predictions flow."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import NamedTuple

import pytest
from paho.mqtt import client as mqtt

from bus import Bus, metric_names
from bus.settings import BusSettings
from tests.mosquitto.access_table import MODULES
from tests.support import samples
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker

REFUSED = 5
MEBIBYTE = 2**20


class Suite(NamedTuple):
    """A broker, a connection of each module, whose classifier predicts, and a reader."""

    broker: GuardedBroker
    modules: dict[str, Bus]
    reader: Listener

    def assert_undisturbed(self) -> None:
        """Five more predictions arrive, and no module has ever been disconnected."""
        self.reader.wait_for("/prediction", len(self.reader.messages("/prediction")) + 5)
        for name, bus in self.modules.items():
            assert bus.connected, name
            assert not bus.metrics.snapshot().get(metric_names.DISCONNECTED), name


def connect(broker: GuardedBroker, name: str) -> Bus:
    password = broker.secrets / name / "password"
    return Bus(BusSettings.model_validate({"MODULE_NAME": name, "mqtt_port": broker.port, "mqtt_password_file": password}))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """Shared by all tests: none may leave anything behind that disturbs the next."""
    with ExitStack() as stack:
        broker = stack.enter_context(GuardedBroker(tmp_path_factory.mktemp("safety")))
        reader = stack.enter_context(broker.listener("reader", "footfall/+/prediction"))
        modules = {name: stack.enter_context(connect(broker, name)) for name in MODULES}
        until(lambda: all(bus.connected for bus in modules.values()), what="the modules' connections")

        ended = threading.Event()

        def send() -> None:
            while not ended.wait(0.02):
                modules["classifier"].publish(samples.prediction())

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        stack.callback(thread.join, limit(5))
        stack.callback(ended.set)
        running = Suite(broker, modules, reader)
        running.assert_undisturbed()
        yield running


@pytest.mark.parametrize(
    ("user", "password"),
    [("capture", "guess"), ("capture", ""), ("nobody", "guess"), ("classifier-9", None), ("capture-", None), (None, None)],
)
def test_without_the_right_password_users_are_refused(suite: Suite, user: str | None, password: str | None) -> None:
    """A wrong password makes no guest either."""
    assert suite.broker.answer(user, password) == REFUSED
    if user is not None:
        assert suite.broker.answer(user, password, suite.broker.guests) == REFUSED
    suite.assert_undisturbed()


def test_a_password_opens_its_own_role_only(suite: Suite) -> None:
    for user in MODULES:
        others = {suite.broker.answer(other, suite.broker.password(user)) for other in (*MODULES, "operator") if other != user}
        assert others == {REFUSED}


@pytest.mark.parametrize("name", MODULES)
def test_a_guest_cannot_take_over_a_modules_session(suite: Suite, name: str) -> None:
    """A second client with the same id disconnects the first; a module's id depends on its password."""
    for guess in (name, f"{name}-000000000000"):
        for clean in (True, False, True):
            client = suite.broker.client(None, client_id=guess, clean_session=clean)
            assert suite.broker.answer(None, port=suite.broker.guests, client=client) == 0
    suite.assert_undisturbed()


def test_a_packet_that_is_too_large_ends_its_senders_connection_only(suite: Suite) -> None:
    """Of guests and users, before and after sign-in."""
    for user in (None, "capture"):
        with suite.broker.listener(user) as sender:
            disconnected = threading.Event()
            sender.client.on_disconnect = lambda *_, event=disconnected: event.set()
            sender.client.publish("footfall/door/frame", bytes(2 * MEBIBYTE + MEBIBYTE // 8))
            assert disconnected.wait(limit(10))
    with socket.create_connection(("127.0.0.1", suite.broker.guests), limit(5)) as plain, suppress(ConnectionError):
        plain.sendall(b"\x10\xff\xff\xff\x7f\x00\x04MQTT")  # a CONNECT of 256 MB
        assert plain.recv(1) == b""
    suite.assert_undisturbed()


def test_many_wrong_passwords_stop_nobody(suite: Suite) -> None:
    """Hashing costs the broker time; predictions arrive in between."""
    assert {suite.broker.answer("operator", f"guess {number}") for number in range(300)} == {REFUSED}
    suite.assert_undisturbed()


def test_sessions_that_guests_leave_behind_queue_nothing(suite: Suite) -> None:
    for number in range(100):
        with Listener(suite.broker.guests, "footfall/#", client=mqtt.Client(f"left-{number}", clean_session=False)):
            pass
    suite.assert_undisturbed()
    before = suite.broker.memory
    with suite.broker.listener("classifier") as classifier:
        sent = [classifier.client.publish("footfall/door/prediction", bytes(1000), 1) for _ in range(2000)]
        sent[-1].wait_for_publish(limit(30))
    suite.assert_undisturbed()
    assert suite.broker.memory < before + 8 * MEBIBYTE
