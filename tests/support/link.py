"""A link to a server, as a bad network: its connections can be cut, and the server's bytes can be late."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CONNACK = 4
"""Bytes of a broker's answer to a connection."""


class Link:
    """A port that forwards all connections to a server. `cut` breaks those that are open; while `is_down`, it accepts no others.

    Each breaks by itself after `max_bytes` of the server. With `held_after`, only that many come back until `release`.
    """

    def __init__(self, server: socket.socket, port: int, max_bytes: float, held_after: int) -> None:
        self.port: int = server.getsockname()[1]
        self._server = server
        self._target = port
        self._max_bytes = max_bytes
        self._held_after = held_after
        self._released = threading.Event()
        self._open: set[socket.socket] = set()
        self.accepted = 0
        self.is_down = False

    def run(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:  # the link is closed
                return
            if self.is_down:
                client.close()
                continue
            self.accepted += 1
            try:
                target = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            for source, sink, left, held_after in (
                (client, target, float("inf"), 0),
                (target, client, self._max_bytes, self._held_after),
            ):
                self._open.add(source)
                threading.Thread(target=self._forward, args=(source, sink, left, held_after), daemon=True).start()

    def release(self) -> None:
        """Lets everything through, in order."""
        self._released.set()

    def cut(self) -> None:
        """Breaks all connections, without a goodbye (RST)."""
        for one in list(self._open):
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)

    def _forward(self, source: socket.socket, target: socket.socket, left: float, held_after: int) -> None:
        with suppress(OSError):
            if held_after:
                target.sendall(source.recv(held_after, socket.MSG_WAITALL))
                self._released.wait()
            while left > 0 and (data := source.recv(65536)):
                left -= len(data)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        source.close()
        self._open.discard(source)


@contextmanager
def open_link(port: int, max_bytes: float = float("inf"), held_after: int = 0) -> Iterator[Link]:
    """Forwards to a port while entered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = Link(server, port, max_bytes, held_after)
        thread = threading.Thread(target=link.run, daemon=True)
        thread.start()
        yield link
        link.release()
        server.shutdown(socket.SHUT_RDWR)
        link.cut()
        thread.join()
