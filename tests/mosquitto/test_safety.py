"""Attacks on a broker: modules stay connected, predictions flow, and memory stays below its limit."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import trustme
from paho.mqtt import client as mqtt

from bus import Bus, metric_names
from bus.settings import BusSettings
from runtime.worker import Worker
from tests.mosquitto.test_access import MODULES
from tests.support import samples
from tests.support.broker import Broker, accepts
from tests.support.guarded_broker import SECRETS, GuardedBroker, other_address, run_script, script_environment
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker

REFUSED = 5
MEBIBYTE = 2**20
LIMIT = 128 * MEBIBYTE
"""The memory limit in the broker's image."""
NAMES: dict[str, Any] = {"CAMERAS": "door,back", "DISPLAYS": "matrix,hall", "CLASSIFIERS": 2}
TLS_NAMES = "footfall.example,127.0.0.1,::1"
MAX_GUESTS = 24
"""Connections that the descriptors of the guests' broker allow, at most."""
OWN_CONNECTIONS = 2
"""Connections of the broker's own programs to the users' port."""


class Suite(NamedTuple):
    """A broker, a connection for each module, and a reader. The classifier publishes predictions; the bridge uses TLS."""

    broker: GuardedBroker
    certificate: Path
    modules: dict[str, Bus]
    reader: Listener

    def assert_undisturbed(self) -> None:
        """Asserts that five more predictions arrive, and that no module has been disconnected."""
        self.reader.wait_for("/prediction", len(self.reader.messages("/prediction")) + 5)
        for name, bus in self.modules.items():
            assert bus.connected, name
            assert not bus.metrics.snapshot().get(metric_names.DISCONNECTED), name


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite for all tests; no test may leave anything behind that disturbs the next."""
    with ExitStack() as stack:
        broker = stack.enter_context(GuardedBroker(tmp_path_factory.mktemp("safety"), has_tls=True, TLS_NAMES=TLS_NAMES, **NAMES))
        certificate = broker.secrets / "tls" / "certificate.pem"
        reader = stack.enter_context(broker.listener("reader", "footfall/+/prediction"))
        modules = {}
        for name in MODULES:
            settings = {"MODULE_NAME": name, "mqtt_port": broker.port, "mqtt_password_file": broker.secrets / name / "password"}
            if name == "bridge":
                settings |= {"mqtt_port": broker.tls, "mqtt_ca_file": certificate}
            modules[name] = stack.enter_context(Bus(BusSettings.model_validate(settings)))
        until(lambda: all(bus.connected for bus in modules.values()), what="the modules' connections")
        send = partial(modules["classifier"].publish, samples.prediction())
        stack.enter_context(Worker("predictions", send, interval=0.02))
        running = Suite(broker, certificate, modules, reader)
        running.assert_undisturbed()
        yield running


def test_the_broker_listens_on_loopback(suite: Suite, broker: Broker) -> None:
    """It listens nowhere else, both with mosquitto.conf alone, as developers run it, and with start.sh and an ADDRESS."""
    address = other_address()
    for port in (broker.port, suite.broker.port, suite.broker.guests):
        assert accepts(port)
        assert address is None or not accepts(port, address)


def test_wrong_passwords_are_refused(suite: Suite) -> None:
    """A wrong password does not make a client a guest, a password is valid for its role only, and TLS needs one too.

    Predictions flow while the broker hashes hundreds of passwords.
    """
    known = suite.broker.password
    wrong = [("capture", "guess"), ("capture", ""), ("nobody", "guess")]
    wrong += [("classifier-9", known("classifier")), ("capture-", known("capture"))]
    for user, others in (("capture", ("capture-back",)), ("classifier", ("classifier-1", "classifier-2"))):
        wrong += [pair for one in others for pair in ((one, known(user)), (user, known(one)))]
    wrong += [("classifier-1", known("classifier-2")), ("display-hall", known("display")), ("guests", known("reader"))]
    wrong += [(other, known(user)) for user in MODULES for other in (*MODULES, "operator") if other != user]
    for user, password in wrong + [("operator", f"guess {number}") for number in range(150)]:
        for port in (suite.broker.port, suite.broker.guests):
            assert suite.broker.connect_code(user, password, port) == REFUSED, user
    assert suite.broker.connect_code(None) == REFUSED
    for name, word, code in (("reader", known("reader"), 0), ("reader", "guess", REFUSED), (None, None, REFUSED)):
        client = suite.broker.client(name, word)
        client.tls_set_context(ssl.create_default_context(cafile=suite.certificate))
        assert suite.broker.connect_code(None, port=suite.broker.tls, client=client) == code
    suite.assert_undisturbed()


def test_a_guest_cannot_take_over_a_modules_session(suite: Suite) -> None:
    """A client disconnects another with the same id. Guests have a broker of their own, so they cannot, even if they know it."""
    ids = [bus._client._client_id.decode() for bus in suite.modules.values()]  # type: ignore[attr-defined]
    for guess in (*MODULES, *ids):
        for clean in (True, False, True):
            client = suite.broker.client(None, client_id=guess, clean_session=clean)
            assert suite.broker.connect_code(None, port=suite.broker.guests, client=client) == 0
    suite.assert_undisturbed()


def test_an_oversized_packet_disconnects_only_its_sender(suite: Suite) -> None:
    """This applies to guests and users, before and after sign-in. The largest frame is delivered."""
    with suite.broker.listener("dashboard", "footfall/+/frame") as dashboard, suite.broker.listener("capture") as capture:
        capture.publish("footfall/door/frame", bytes(2 * MEBIBYTE))
        dashboard.wait_for("frame")
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


def test_abandoned_sessions_of_guests_queue_nothing(suite: Suite) -> None:
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


def test_a_camera_cannot_evade_its_budget_by_other_names(suite: Suite) -> None:
    """Of frames under many names, the classifier receives only those of the camera whose password it is."""
    for user, own in (("capture", "door"), ("capture-back", "back")):
        with suite.broker.listener("classifier", "footfall/+/frame") as classifier, suite.broker.listener(user) as capture:
            for name in (*(f"camera-{number}" for number in range(300)), "door", "back"):
                capture.client.publish(f"footfall/{name}/frame", b"frame")
            capture.publish(f"footfall/{own}/frame", b"last")
            classifier.wait_for("frame", 2)
            assert {message.topic for message in classifier.messages()} == {f"footfall/{own}/frame"}


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[GuardedBroker]:
    """A broker with the memory limit of its container."""
    with GuardedBroker(tmp_path, MEMORY_LIMIT=LIMIT) as running:
        yield running


def test_connections_beyond_the_limit_are_closed(limited: GuardedBroker) -> None:
    """Of 500 guests some stay connected. Without a password nobody stays connected to the users' port.

    The broker's own programs do: the guests' broker, and the one that reports what has to be saved.
    """
    users = psutil.Process(limited.pid)

    def connected(port: int, process: psutil.Process) -> int:
        connections = [one for one in process.net_connections("tcp") if one.laddr.port == port]
        return sum(one.status == psutil.CONN_ESTABLISHED for one in connections)

    until(lambda: connected(limited.port, users) == OWN_CONNECTIONS, what="the broker's own programs")
    for port, process, most in ((limited.guests, limited.guests_process, MAX_GUESTS), (limited.port, users, OWN_CONNECTIONS)):

        def has_closed_others(port: int = port, process: psutil.Process = process, most: int = most) -> bool:
            return connected(port, process) <= most

        with ExitStack() as stack:
            for one in range(500):
                plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), limit(5)))
                with suppress(ConnectionError):
                    plain.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04" + f"{one:04}".encode())
            until(has_closed_others)
            assert process.memory_info().rss < 16 * MEBIBYTE
        until(lambda: limited.connect_code("operator") == 0, what="room for a user")


@pytest.mark.parametrize("has_tls", [False, True], ids=["users", "tls"])
def test_connections_that_never_sign_in_cost_a_bounded_memory(tmp_path: Path, has_tls: bool) -> None:
    """After 500 refused tries, Mosquitto 2.0.11 often does not limit their number. The number of its descriptors does.

    Programs that are connected go on, and others can connect again once the silent connections have gone.
    """
    with GuardedBroker(tmp_path, has_tls=True, MEMORY_LIMIT=LIMIT) as broker, ExitStack() as stack:
        port, process = broker.tls if has_tls else broker.port, psutil.Process(broker.pid)
        reader = stack.enter_context(broker.listener("reader", "footfall/+/prediction"))
        classifier = stack.enter_context(broker.listener("classifier"))
        with ExitStack() as silent:
            for number in range(500):
                try_as_guest(port, number)
            for _ in range(600):
                silent.enter_context(socket.create_connection(("127.0.0.1", port), limit(5)))
            for sent in range(1, 101):
                classifier.publish("footfall/door/prediction", bytes(500))
                reader.wait_for("prediction", sent)
            assert process.num_fds() <= 512
            assert has_tls or process.num_fds() > 256  # with TLS, it varies
            assert process.memory_info().rss < 48 * MEBIBYTE
        until(lambda: broker.connect_code("operator") == 0, what="room for a user")


def connect_silent(port: int, name: str, qos: int) -> socket.socket | None:
    """Connects a guest that subscribes to everything, without keepalive, and never reads. Returns None if it is refused."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(limit(5))
    with suppress(ConnectionError):
        plain.connect(("127.0.0.1", port))
        connect = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name.encode()
        plain.sendall(b"\x10" + bytes([len(connect)]) + connect)
        if plain.recv(4) == b"\x20\x02\x00\x00":
            plain.sendall(b"\x82\x06\x00\x01\x00\x01#" + bytes([qos]))
            assert plain.recv(5)[:1] == b"\x90"
            return plain
    plain.close()
    return None


def try_as_guest(port: int, number: int) -> None:
    """Connects without a name or with an unknown one, by turns, or sends no MQTT. Disconnects at once."""
    with socket.create_connection(("127.0.0.1", port), limit(5)) as plain, suppress(ConnectionError):
        flags, rest = ((b"\x02", b""), (b"\x82", b"\x00\x01x"), (b"", b""))[number % 3]
        body = b"\x00\x04MQTT\x04" + flags + b"\x00\x00" + struct.pack(">H", 6) + f"t{number:05}".encode() + rest
        plain.sendall(b"\x10" + bytes([len(body)]) + body)
        plain.recv(4)


@pytest.mark.parametrize(("qos", "size", "predictions"), [(0, 1000, 4500), (1, 1000, 4500), (0, 60_000, 1000)])
def test_guests_that_never_read_cost_a_bounded_memory(limited: GuardedBroker, qos: int, size: int, predictions: int) -> None:
    """After 1000 tries that are refused or end, 100 guests try to connect and never read.

    Mosquitto 2.0.11 counts each connection that ends twice, so its own limit lets them all in. Every prediction reaches the
    counter and the operator, the users' broker stays small, and guests can read again when the silent ones have left.
    """
    payload, guests = samples.prediction().pack().ljust(size), limited.guests_process
    with ExitStack() as stack:
        for number in range(1000):
            try_as_guest(limited.guests, number)
        silent = [connect_silent(limited.guests, f"silent-{number}", qos) for number in range(100)]
        for one in filter(None, silent):
            stack.callback(one.close)
        assert 4 <= len(list(filter(None, silent))) <= MAX_GUESTS
        readers = [stack.enter_context(limited.listener(user, "footfall/+/prediction")) for user in ("counter", "operator")]
        classifier = stack.enter_context(limited.listener("classifier"))
        classifier.client.max_inflight_messages_set(500)
        peaks = [0, 0]
        for sent in range(500, predictions + 1, 500):
            for _ in range(500):
                classifier.client.publish("footfall/door/prediction", payload, 1)
            for reader in readers:
                reader.wait_for("prediction", sent)
            peaks = [max(peaks[0], limited.memory), max(peaks[1], guests.memory_info().rss)]
        assert peaks[0] < 64 * MEBIBYTE, "the users' broker"
        assert 10 * MEBIBYTE < peaks[1] < 64 * MEBIBYTE, "the guests' broker"
        assert [len(reader.messages()) for reader in readers] == [predictions, predictions]
    limited.wait_for_copy()


def handshake(broker: GuardedBroker, authority: Path, name: str) -> str:
    """Verifies the certificate strictly for a server name, and returns the TLS version."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", broker.tls), limit(5)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return str(secure.version())


def test_a_certificate_is_valid_for_its_names_only(suite: Suite, tmp_path: Path) -> None:
    """A certificate from the settings is used if there is one. The broker's own is not valid for another authority."""
    for name in TLS_NAMES.split(","):
        assert handshake(suite.broker, suite.certificate, name) in ("TLSv1.2", "TLSv1.3")
    for name in ("localhost", "other.example", "sub.footfall.example", "127.0.0.2"):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
            handshake(suite.broker, suite.certificate, name)
    authority, other, given = trustme.CA(), tmp_path / "authority.pem", tmp_path / "given.pem"
    authority.cert_pem.write_to_path(other)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(given)
    with GuardedBroker(tmp_path / "broker", has_tls=True, TLS_CERT=given, TLS_KEY=given) as broker:
        assert handshake(broker, other, "127.0.0.1")
        assert not (broker.secrets / "tls").exists()
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(suite.broker, other, "127.0.0.1")


def test_the_certificate_is_kept_until_its_names_change(tmp_path: Path) -> None:
    """Other machines trust this certificate only."""
    files = [tmp_path / "secrets" / "tls" / name for name in ("certificate.pem", "key.pem")]

    def make(code: int = 0, **settings: object) -> list[bytes]:
        assert run_script(SECRETS, script_environment(tmp_path, TLS_PORT=8883, **settings))[0] == code
        return [file.read_bytes() for file in files]

    first = make(TLS_NAMES="a.example")
    assert make(TLS_NAMES="a.example") == first
    second = make(TLS_NAMES="a.example,192.0.2.1")
    assert all(one != other for one, other in zip(first, second, strict=True))
    assert make() == second, "without TLS_NAMES, as in another shell, the previous names apply"
    make(2, TLS_NAMES="1.2.3")
    third = make(TLS_NAMES="a.example,192.0.2.1")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files[0], files[1])
    assert third[1] != second[1], "after a failure, certificate and key are replaced together"
