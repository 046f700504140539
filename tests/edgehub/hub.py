"""A stand-in for edgeHub: a small MQTT server with TLS for the unmodified Azure SDK. It fails on demand.

The benchmarks run it as ``python -m tests.edgehub.hub FOLDER HOST``. It ends when its standard input is closed.
"""

import base64
import itertools
import json
import os
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, unquote

import trustme
from paho.mqtt.client import topic_matches_sub
from typing_extensions import Self

from tests.edgehub import packets
from tests.edgehub.packets import Kind, Packet
from tests.edgehub.twin import Twin
from tests.support.wait import limit

PORT = 8883
"""Fixed in the SDK, so each running hub needs its own address."""
HUB, DEVICE, MODULE = "hub.example", "pi", "bridge"

_numbers = itertools.count()


def free_host() -> str:
    """Returns an unused loopback address whose port 8883 is free."""
    for _ in range(250):
        host = f"127.{os.getpid() % 250 + 1}.{next(_numbers) % 250 + 1}.2"
        with suppress(OSError), socket.create_server((host, PORT)):
            return host
    raise OSError(f"port {PORT} is not free on any loopback address 127.{os.getpid() % 250 + 1}.*.2")


def properties(topic: str) -> dict[str, str]:
    """Returns the message properties that the SDK encodes in a topic."""
    return {unquote(key): values[0] for key, values in parse_qs(topic.rpartition("/")[2]).items()}


class EdgeHub:
    """A hub for one module. It records each result before it acknowledges it. It can be ended and started again.

    Attributes make it fail. `connack_code`: refuses connections unless it is 0. `withhold_acks`: records results without
    acknowledging them. `cut_next`: records the next result, and closes the connection instead of acknowledging it.
    `is_frozen`: handles and answers nothing.
    """

    def __init__(self, folder: Path, host: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.host = host or free_host()
        self.ca_file = folder.absolute() / "authority.pem"
        connection = f"HostName={HUB};GatewayHostName={self.host};DeviceId={DEVICE};ModuleId={MODULE}"
        self.environment = {
            "EdgeHubConnectionString": f"{connection};SharedAccessKey={base64.b64encode(b'no secret').decode()}",
            "EdgeModuleCACertificateFile": str(self.ca_file),
        }
        """The environment variables with which the module connects."""
        self.connack_code = 0
        self.withhold_acks = self.cut_next = self.is_frozen = False
        self.twin = Twin(self.send)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self.renew_certificate()
        self._records = folder / "records.jsonl"
        self._server: _Server | None = None
        self.lock = threading.Lock()
        self.module: _Connection | None = None
        """The module's current connection."""
        self.subscriptions: list[str] = []
        """The topic filters of the module's session."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def renew_certificate(self, valid: timedelta = timedelta(1)) -> None:
        """Uses a new certificate for new connections. If `valid` is negative, it expired that long ago."""
        end = datetime.now(timezone.utc) + valid
        self._authority.issue_cert(self.host, not_before=end - timedelta(2), not_after=end).configure_cert(self.context)

    def start(self) -> None:
        self._server = _Server((self.host, PORT), partial(_Connection, self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="edgehub", daemon=True).start()

    def end(self) -> None:
        """Simulates a crash: closes the connection and deletes the module's session. Can be called again."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        with self.lock:
            module, self.module = self.module, None
            self.subscriptions = []
        if module is not None:
            module.cut()
        self.is_frozen = False

    def records(self) -> list[dict[str, Any]]:
        """Returns the results received so far, as `{"topic": ..., "body": ...}`."""
        with self.lock:
            return [json.loads(line) for line in self._records.read_bytes().splitlines()] if self._records.exists() else []

    def record(self, topic: str, payload: bytes) -> None:
        line = json.dumps({"topic": topic, "body": json.loads(payload)}).encode() + b"\n"
        with self.lock, self._records.open("ab") as file:
            file.write(line)

    def send(self, topic: str, payload: bytes) -> bool:
        """Sends a message to the module if it is subscribed to the topic. Returns False if it is not connected."""
        module = self.module
        if module is not None and any(topic_matches_sub(topic_filter, topic) for topic_filter in self.subscriptions):
            module.send(packets.write_publish(topic, payload))
        return module is not None

    def admit(self, connection: "_Connection") -> bytes:
        """Accepts or refuses a connection, and closes the earlier one. Returns the flags and the code of the CONNACK."""
        with self.lock:
            if self.connack_code:
                return bytes([0, self.connack_code])
            earlier, self.module = self.module, connection
        if earlier is not None:
            earlier.cut()
        return bytes([bool(self.subscriptions), 0])


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Connection(BaseRequestHandler):
    """A connection of a client, on its own thread."""

    def __init__(self, hub: EdgeHub, *arguments: Any) -> None:
        self._hub = hub
        self._sending = threading.Lock()
        super().__init__(*arguments)

    def cut(self) -> None:
        """Closes the connection. Thread-safe."""
        with suppress(OSError):
            socket.socket.shutdown(self.request, socket.SHUT_RDWR)

    def send(self, data: bytes) -> None:
        with self._sending, suppress(OSError):
            self.request.sendall(data)

    def handle(self) -> None:
        """Serves the connection until it ends. Called by the server."""
        self._wait_while_frozen()
        self.request.settimeout(limit(10))
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), self._hub.context.wrap_socket(self.request, server_side=True) as self.request:
            self.request.settimeout(None)
            with self.request.makefile("rb") as stream:
                while (packet := packets.read(stream)) and self._serve(packet):
                    pass
        with self._hub.lock:
            if self._hub.module is self:
                self._hub.module = None

    def _wait_while_frozen(self) -> None:
        while self._hub.is_frozen:
            time.sleep(0.02)

    def _serve(self, packet: Packet) -> bool:
        """Handles a packet. Returns False if the connection must be closed."""
        self._wait_while_frozen()
        if packet.kind == Kind.CONNECT:
            answer = self._hub.admit(self)
            self.send(packets.write(Kind.CONNACK, answer))
            return answer[1] == 0
        if self._hub.module is not self:
            return False
        match packet.kind:
            case Kind.PUBLISH:
                return self._publish(packet)
            case Kind.SUBSCRIBE:
                identifier, filters = packet.body.read(2), []
                while topic_filter := packet.text():
                    filters.append(topic_filter)
                    packet.body.read(1)
                self._hub.subscriptions += filters
                self.send(packets.write(Kind.SUBACK, identifier + bytes(len(filters))))
            case Kind.PINGREQ:
                self.send(packets.write(Kind.PINGRESP))
            case _:
                return False  # a DISCONNECT, or a packet that is not supported
        return True

    def _publish(self, packet: Packet) -> bool:
        topic = packet.text()
        identifier = packet.body.read(2) if packet.flags & 6 else b""
        payload = packet.body.read()
        if "/messages/events/" in topic:
            self._hub.record(topic, payload)
            if self._hub.cut_next:
                self._hub.cut_next = False
                return False
            if self._hub.withhold_acks:
                return True
        if identifier:
            self.send(packets.write(Kind.PUBACK, identifier))
        if (answer := self._hub.twin.answer(topic, payload)) is not None:
            self._hub.send(*answer)
        return True


if __name__ == "__main__":
    with EdgeHub(Path(sys.argv[1]), sys.argv[2]):
        sys.stdin.buffer.read()
