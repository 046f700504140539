"""A TCP proxy before a broker that drops chosen packets, refuses connections and cuts them."""

import socket
import threading
from types import TracebackType

from typing_extensions import Self

from tests.support.broker import free_port

PUBLISH, PUBACK = 3, 4
"""Types of MQTT packets."""


class Proxy:
    """Listens on `port` while it is entered; `drops` are the types of packets that it does not pass on, in either direction."""

    def __init__(self, broker_port: int) -> None:
        self.port = free_port()
        self.drops: set[int] = set()
        self.dropped = 0
        self._broker_port = broker_port
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """Breaks all connections."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            _shut(one)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            broker = socket.create_connection(("127.0.0.1", self._broker_port))
            self._sockets += [client, broker]
            for source, target in ((client, broker), (broker, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            with source.makefile("rb") as packets:
                while head := packets.read(1):
                    kind = head[0] >> 4
                    length, shift = 0, 0
                    while True:
                        head += (digit := packets.read(1))
                        length |= (digit[0] & 127) << shift
                        shift += 7
                        if digit[0] < 128:
                            break
                    packet = head + packets.read(length)
                    if kind in self.drops:
                        self.dropped += 1
                    else:
                        target.sendall(packet)
        except (OSError, IndexError, ValueError):
            pass
        _shut(source)
        _shut(target)


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        one.close()
