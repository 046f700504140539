"""One client of the stub, from its handshake to its end."""

import logging
import socket
import ssl
import threading
from collections.abc import Iterator

from tests.edgehub import packets
from tests.edgehub.document import RESULT
from tests.edgehub.packets import Kind, MalformedPacket, Packet, Publish
from tests.edgehub.script import Script
from tests.support.wait import limit

log = logging.getLogger(__name__)

CHUNK = 1 << 16
PATIENCE = limit(10)
"""Seconds for a handshake, and for the CONNECT after it."""


class Connection:
    """Reads packets in a thread of its own and does what the script says."""

    def __init__(self, accepted: socket.socket, context: ssl.SSLContext, script: Script) -> None:
        self._socket = accepted
        self._context = context
        self._script = script
        self._client = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stub-connection", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether its thread has ended."""
        return not self._thread.is_alive()

    def cut(self) -> None:
        """Ends the connection from another thread."""
        self._ended.set()
        try:
            # The method of TLS sockets would drop their state under the thread that reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError as error:
            log.debug("%s: already gone: %s", self._client, error)

    def join(self) -> None:
        """Waits until it has ended."""
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            self._shake_hands()
            for packet in self._received():
                self._handle(packet)
        except (OSError, MalformedPacket) as error:
            log.info("%s: %s", self._client or "a client", error)
        finally:
            self._socket.close()

    def _shake_hands(self) -> None:
        self._socket.settimeout(PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._script.wait_to_thaw()
        wrapped = self._context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        self._socket = wrapped
        if not self._ended.is_set():
            wrapped.do_handshake()

    def _received(self) -> Iterator[Packet]:
        buffer = bytearray()
        while not self._ended.is_set() and (chunk := self._socket.recv(CHUNK)):
            buffer += chunk
            for packet in packets.split(buffer):
                self._script.wait_to_thaw()
                if self._ended.is_set():
                    return
                yield packet

    def _handle(self, packet: Packet) -> None:
        if (packet.kind == Kind.CONNECT) == bool(self._client):
            raise MalformedPacket(f"packet {packet.kind}: CONNECT must come first, and once")
        if packet.kind == Kind.CONNECT:
            self._connect(packet)
        elif packet.kind == Kind.PUBLISH:
            self._publish(packets.read_publish(packet))
        elif packet.kind in {Kind.SUBSCRIBE, Kind.UNSUBSCRIBE}:
            self._subscribe(packet)
        elif packet.kind == Kind.PINGREQ:
            self._send(packets.write(Kind.PINGRESP))
        elif packet.kind == Kind.DISCONNECT:
            self._ended.set()
        else:
            raise MalformedPacket(f"packet {packet.kind} is none that a client sends here")

    def _connect(self, packet: Packet) -> None:
        connect = packets.read_connect(packet)
        self._client = connect.client or f"nameless {id(self)}"
        code, is_present = self._script.admit(self._client, connect.is_clean, self.cut)
        if code:
            self._ended.set()
        self._socket.settimeout(connect.keep_alive * 1.5 or None)
        self._send(packets.write(Kind.CONNACK, bytes([is_present, code])))

    def _subscribe(self, packet: Packet) -> None:
        identifier, filters = packets.read_subscribe(packet)
        if packet.kind == Kind.SUBSCRIBE:
            self._script.sessions.add(self._client, filters)
            granted = bytes(min(qos, 1) for qos in filters.values())
            self._send(packets.acknowledge(Kind.SUBACK, identifier, granted))
        else:
            self._script.sessions.remove(self._client, filters)
            self._send(packets.acknowledge(Kind.UNSUBACK, identifier))

    def _publish(self, publish: Publish) -> None:
        if "/messages/events/" in publish.topic:
            if publish.qos:
                self._event(publish)
            return
        if publish.qos:
            self._send(packets.acknowledge(Kind.PUBACK, publish.identifier))
        answer = self._script.twin.answer(publish.topic, publish.payload)
        if answer and self._script.sessions.has(self._client, f"{RESULT}#"):
            self._send(packets.write_publish(*answer))

    def _event(self, publish: Publish) -> None:
        self._script.file.append(publish.topic, publish.payload)
        if self._script.take_cut():
            self._ended.set()
        elif not self._script.withhold:
            self._send(packets.acknowledge(Kind.PUBACK, publish.identifier))

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)
