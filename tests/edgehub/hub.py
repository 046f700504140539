"""A stand-in edgeHub for the unmodified SDK: a small MQTT server behind TLS that fails on demand.

``python -m tests.edgehub.hub FOLDER HOST`` serves until its standard input ends, as it does with the process that holds the
other end; see `EdgeHubProcess`.
"""

import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from paho.mqtt.client import topic_matches_sub
from typing_extensions import Self

from tests.edgehub import packets
from tests.edgehub.gateway import DEVICE, MODULE, PORT, connection_string, free_host, issue
from tests.edgehub.packets import Kind, MalformedPacket, Packet
from tests.edgehub.twin import Twin
from tests.support.broker import ROOT, accepts
from tests.support.wait import limit, until

log = logging.getLogger(__name__)

CLIENT = f"{DEVICE}/{MODULE}"
TIMEOUT = limit(10)


def properties(topic: str) -> dict[str, str]:
    """The properties that the SDK writes into the topic of a message."""
    return {unquote(key): values[0] for key, values in parse_qs(topic.rpartition("/")[2]).items()}


class EdgeHub:
    """Records every result before it acknowledges it, answers for the twin, and fails as its attributes say:

    `refuse`: the CONNACK code for clients, 0 for none. `withhold`: results are recorded but never acknowledged. `cut_after`: the
    next result is recorded and its connection closed in place of the acknowledgement, once. `is_frozen`: nothing is read or
    answered. It can be ended and started again on its address; records are in the folder.
    """

    def __init__(self, folder: Path, host: str | None = None) -> None:
        self.host = host or free_host()
        files = issue(folder, self.host)
        self.authority = files.authority
        self.environment = connection_string(self.host, self.authority)
        self.refuse = 0
        self.withhold = False
        self.cut_after = False
        self.twin = Twin(self._send_to_module)
        self._records = folder / "records.jsonl"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.certificate, files.key)
        self._lock = threading.Lock()
        self._thawed = threading.Event()
        self._thawed.set()
        self._connections: dict[str, _Connection] = {}
        self._filters: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        listening = socket.create_server((self.host, PORT), backlog=100)
        listening.settimeout(0.1)
        self._stop.clear()
        self._thread = threading.Thread(target=self._accept, args=(listening,), name="edgehub", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Cut all connections and stop listening, frozen or not."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT)
        for connection in list(self._connections.values()):
            connection.cut()
        self.is_frozen = False

    def forget(self) -> None:
        """Crash and start again without the module's session: it is not subscribed to anything."""
        self.end()
        self._filters.clear()
        self.start()

    @property
    def is_frozen(self) -> bool:
        return not self._thawed.is_set()

    @is_frozen.setter
    def is_frozen(self, value: bool) -> None:
        (self._thawed.clear if value else self._thawed.set)()

    def records(self) -> list[dict[str, Any]]:
        """The results so far: `{"topic": ..., "body": ..., "at": Unix time in seconds}`."""
        return read_records(self._records)

    def _accept(self, listening: socket.socket) -> None:
        with listening:
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    _Connection(self, listening.accept()[0])

    def _send_to_module(self, topic: str, payload: bytes) -> bool:
        connection = self._connections.get(CLIENT)
        if connection is None:
            return False
        if self.is_subscribed(CLIENT, topic):
            connection.send(packets.write_publish(topic, payload))
        return True

    # What connections call, each on its own thread

    def wrap(self, accepted: socket.socket) -> ssl.SSLSocket:
        self._thawed.wait()
        accepted.settimeout(TIMEOUT)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wrapped = self._context.wrap_socket(accepted, server_side=True)
        wrapped.settimeout(None)
        return wrapped

    def wait_to_thaw(self) -> bool:
        """Wait while it is frozen; False when it has ended since."""
        self._thawed.wait()
        return not self._stop.is_set()

    def admit(self, client: str, connection: "_Connection") -> tuple[int, bool]:
        """The CONNACK code and whether there is a session; an older connection of the client is cut."""
        with self._lock:
            if self.refuse:
                return self.refuse, False
            older, self._connections[client] = self._connections.get(client), connection
        if older is not None:
            older.cut()
        return 0, client in self._filters

    def leave(self, client: str, connection: "_Connection") -> None:
        with self._lock:
            if self._connections.get(client) is connection:
                del self._connections[client]

    def subscribe(self, client: str, filters: list[str]) -> None:
        with self._lock:
            self._filters[client] = [*self._filters.get(client, []), *filters]

    def is_subscribed(self, client: str, topic: str) -> bool:
        return any(topic_matches_sub(one, topic) for one in self._filters.get(client, []))

    def record(self, topic: str, payload: bytes) -> bool:
        """Write a result to the file, which outlives the process; whether its connection is to be cut."""
        line = json.dumps({"topic": topic, "body": json.loads(payload), "at": time.time()}).encode() + b"\n"
        with self._lock:
            with self._records.open("ab") as file:
                file.write(line)
            is_cut, self.cut_after = self.cut_after, False
        return is_cut


class _Connection:
    """One client, from its handshake to its end, on its own thread."""

    def __init__(self, hub: EdgeHub, accepted: socket.socket) -> None:
        self._hub = hub
        self._socket = accepted
        self._client = ""
        self._is_over = False
        self._sending = threading.Lock()
        threading.Thread(target=self._run, name="edgehub-connection", daemon=True).start()

    def cut(self) -> None:
        """End the connection, from any thread."""
        self._is_over = True
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def send(self, data: bytes) -> None:
        with self._sending, suppress(OSError):
            self._socket.sendall(data)

    def _run(self) -> None:
        try:
            self._socket = self._hub.wrap(self._socket)
            for packet in self._packets():
                self._handle(packet)
        except (OSError, MalformedPacket) as error:
            log.info("%s: %s", self._client or "a client", error)
        finally:
            self._hub.leave(self._client, self)
            self._socket.close()

    def _packets(self) -> Iterator[Packet]:
        buffer = bytearray()
        while not self._is_over and (chunk := self._socket.recv(1 << 16)):
            buffer += chunk
            for packet in packets.split(buffer):
                if not self._hub.wait_to_thaw() or self._is_over:
                    return
                yield packet

    def _handle(self, packet: Packet) -> None:
        match packet.kind:
            case Kind.CONNECT:
                packet.read(10)  # protocol, flags, keep-alive
                self._client = packet.text()
                code, is_present = self._hub.admit(self._client, self)
                self.send(packets.write(Kind.CONNACK, bytes([is_present, code])))
                self._is_over = bool(code)
            case Kind.PUBLISH:
                self._publish(packet)
            case Kind.SUBSCRIBE:
                self._subscribe(packet)
            case Kind.PINGREQ:
                self.send(packets.write(Kind.PINGRESP))
            case Kind.DISCONNECT:
                self._is_over = True
            case _:
                raise MalformedPacket(f"packet {packet.kind} is not served")

    def _subscribe(self, packet: Packet) -> None:
        identifier, filters = packet.number(), []
        while packet.body:
            filters.append(packet.text())
            packet.number(1)
        self._hub.subscribe(self._client, filters)
        self.send(packets.acknowledge(Kind.SUBACK, identifier, bytes(len(filters))))

    def _publish(self, packet: Packet) -> None:
        topic = packet.text()
        identifier = packet.number() if packet.flags & 6 else 0
        payload = bytes(packet.body)
        if "/messages/events/" in topic:
            if self._hub.record(topic, payload):
                self._is_over = True
                return
            if self._hub.withhold:
                return
        if identifier:
            self.send(packets.acknowledge(Kind.PUBACK, identifier))
        answer = self._hub.twin.answer(topic, payload)
        if answer is not None and self._hub.is_subscribed(self._client, answer[0]):
            self.send(packets.write_publish(*answer))


class EdgeHubProcess:
    """An `EdgeHub` in a process that can be killed and started again on the same address, with the same records."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.host = free_host()
        self.environment = connection_string(self.host, issue(self._folder, self.host).authority)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.edgehub.hub", str(self._folder), self.host]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        until(lambda: accepts(PORT, self.host), 20, f"edgeHub on {self.host}")

    def end(self) -> None:
        """End it as a crash would; does nothing when it is not running."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(TIMEOUT)
            assert process.stdin
            process.stdin.close()

    def records(self) -> list[dict[str, Any]]:
        """As those of `EdgeHub`; also while it does not run."""
        return read_records(self._folder / "records.jsonl")


def read_records(path: Path) -> list[dict[str, Any]]:
    """All whole lines: a writer that was killed may leave the beginning of one."""
    content = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines() if line.startswith(b"{")]


def main(folder: str, host: str) -> None:
    logging.basicConfig(level=logging.WARNING)
    records = Path(folder) / "records.jsonl"
    if records.exists():
        os.truncate(records, records.read_bytes().rfind(b"\n") + 1)
    with EdgeHub(Path(folder), host):
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
