"""A link to a server whose connections can be cut, as in a bad network."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CutLink:
    """A port that forwards all connections to a server. `cut` breaks those that are open; while `is_down`, it accepts no others.

    Each breaks by itself after `max_bytes` of the server.
    """

    def __init__(self, server: socket.socket, port: int, max_bytes: float) -> None:
        self.port: int = server.getsockname()[1]
        self._server = server
        self._target = port
        self._max_bytes = max_bytes
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
            for source, sink, left in ((client, target, float("inf")), (target, client, self._max_bytes)):
                self._open.add(source)
                threading.Thread(target=self._forward, args=(source, sink, left), daemon=True).start()

    def cut(self) -> None:
        """Breaks all connections, without a goodbye (RST)."""
        for one in list(self._open):
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)

    def _forward(self, source: socket.socket, target: socket.socket, left: float) -> None:
        with suppress(OSError):
            while left > 0 and (data := source.recv(65536)):
                left -= len(data)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        source.close()
        self._open.discard(source)


@contextmanager
def cut_link(port: int, max_bytes: float = float("inf")) -> Iterator[CutLink]:
    """Forwards to a port while entered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = CutLink(server, port, max_bytes)
        thread = threading.Thread(target=link.run, daemon=True)
        thread.start()
        yield link
        server.shutdown(socket.SHUT_RDWR)
        link.cut()
        thread.join()
