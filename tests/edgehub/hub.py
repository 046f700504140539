"""A stand-in edgeHub for the unmodified SDK: a small MQTT server behind TLS that fails on demand.

``python -m tests.edgehub.hub FOLDER HOST`` serves until its standard input ends; the benchmarks start it so.
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
"""Fixed in the SDK: what runs at the same time needs an address each."""
HUB, DEVICE, MODULE = "hub.example", "pi", "bridge"

_numbers = itertools.count()


def free_host() -> str:
    """A loopback address that nobody else in this process was given, with nobody on its port."""
    for _ in range(250):
        host = f"127.{os.getpid() % 250 + 1}.{next(_numbers) % 250 + 1}.2"
        with suppress(OSError), socket.create_server((host, PORT)):
            return host
    raise OSError(f"no loopback address 127.{os.getpid() % 250 + 1}.*.2 has port {PORT} free")


def properties(topic: str) -> dict[str, str]:
    """The properties that the SDK writes into the topic of a message."""
    return {unquote(key): values[0] for key, values in parse_qs(topic.rpartition("/")[2]).items()}


class EdgeHub:
    """Records every result before it acknowledges it, answers for the twin, and fails as its attributes say:

    `refuse`: the CONNACK code for the module, 0 for none. `withhold`: results are recorded but never acknowledged. `cut_after`:
    the next result is recorded and its connection closed in place of the acknowledgement, once. `is_frozen`: nothing is handled
    or answered. It can be ended and started again on its address; its records are in the folder.
    """

    def __init__(self, folder: Path, host: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.host = host or free_host()
        self.authority = folder.absolute() / "authority.pem"
        place = f"HostName={HUB};GatewayHostName={self.host};DeviceId={DEVICE};ModuleId={MODULE}"
        self.environment = {
            "EdgeHubConnectionString": f"{place};SharedAccessKey={base64.b64encode(b'no secret').decode()}",
            "EdgeModuleCACertificateFile": str(self.authority),
        }
        """Signs the module in."""
        self.refuse = 0
        self.withhold = self.cut_after = self.is_frozen = False
        self.twin = Twin(self.send)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.authority))
        authority.issue_cert(self.host).configure_cert(self.context)
        self._records = folder / "records.jsonl"
        self._server: _Server | None = None
        self.lock = threading.Lock()
        self.module: _Connection | None = None
        """The connection that was admitted last, while it lasts."""
        self.filters: list[str] = []
        """Of the module's session."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        self._server = _Server((self.host, PORT), partial(_Connection, self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="edgehub", daemon=True).start()

    def end(self) -> None:
        """End as by a crash, frozen or not: the connection is cut, the module's session lost. May be repeated."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        with self.lock:
            module, self.module = self.module, None
            self.filters = []
        if module is not None:
            module.cut()
        self.is_frozen = False

    def records(self) -> list[dict[str, Any]]:
        """The results so far: `{"topic": ..., "body": ...}`."""
        with self.lock:
            return [json.loads(line) for line in self._records.read_bytes().splitlines()] if self._records.exists() else []

    def record(self, topic: str, payload: bytes) -> None:
        line = json.dumps({"topic": topic, "body": json.loads(payload)}).encode() + b"\n"
        with self.lock, self._records.open("ab") as file:
            file.write(line)

    def send(self, topic: str, payload: bytes) -> bool:
        """Send the module what it is subscribed to; False when it is not connected."""
        module = self.module
        if module is not None and any(topic_matches_sub(one, topic) for one in self.filters):
            module.send(packets.write_publish(topic, payload))
        return module is not None

    def admit(self, connection: "_Connection") -> bytes:
        """What a CONNACK says: is there a session, and a code. The connection before is cut."""
        with self.lock:
            if self.refuse:
                return bytes([0, self.refuse])
            before, self.module = self.module, connection
        if before is not None:
            before.cut()
        return bytes([bool(self.filters), 0])


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Connection(BaseRequestHandler):
    """One client, from its handshake to its end, on its own thread."""

    def __init__(self, hub: EdgeHub, *accepted: Any) -> None:
        self._hub = hub
        self._sending = threading.Lock()
        super().__init__(*accepted)

    def cut(self) -> None:
        """End the connection, from any thread."""
        with suppress(OSError):
            socket.socket.shutdown(self.request, socket.SHUT_RDWR)

    def send(self, data: bytes) -> None:
        with self._sending, suppress(OSError):
            self.request.sendall(data)

    def handle(self) -> None:
        """Called by the server."""
        self._wait_to_thaw()
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

    def _wait_to_thaw(self) -> None:
        while self._hub.is_frozen:
            time.sleep(0.02)

    def _serve(self, packet: Packet) -> bool:
        """Whether the connection goes on."""
        self._wait_to_thaw()
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
                while one := packet.text():
                    filters.append(one)
                    packet.body.read(1)
                self._hub.filters += filters
                self.send(packets.write(Kind.SUBACK, identifier + bytes(len(filters))))
            case Kind.PINGREQ:
                self.send(packets.write(Kind.PINGRESP))
            case _:
                return False  # the client ends it, or wants what is not served
        return True

    def _publish(self, packet: Packet) -> bool:
        topic = packet.text()
        identifier = packet.body.read(2) if packet.flags & 6 else b""
        payload = packet.body.read()
        if "/messages/events/" in topic:
            self._hub.record(topic, payload)
            if self._hub.cut_after:
                self._hub.cut_after = False
                return False
            if self._hub.withhold:
                return True
        if identifier:
            self.send(packets.write(Kind.PUBACK, identifier))
        if (answer := self._hub.twin.answer(topic, payload)) is not None:
            self._hub.send(*answer)
        return True


if __name__ == "__main__":
    with EdgeHub(Path(sys.argv[1]), sys.argv[2]):
        sys.stdin.buffer.read()
