"""A link to a broker over which the broker's messages arrive late."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CONNACK = 4
"""Bytes of the answer to a connection, which is not held up."""


class SlowLink:
    """A port that forwards one connection to a broker. Until `release`, nothing but the CONNACK comes back."""

    def __init__(self, server: socket.socket, broker_port: int) -> None:
        self.port: int = server.getsockname()[1]
        self._server = server
        self._broker_port = broker_port
        self._released = threading.Event()

    def release(self) -> None:
        """Lets everything through, in order."""
        self._released.set()

    def run(self) -> None:
        with suppress(OSError):
            client, _ = self._server.accept()
            with client, socket.create_connection(("127.0.0.1", self._broker_port)) as broker:
                threading.Thread(target=self._forward, args=(client, broker), daemon=True).start()
                client.sendall(broker.recv(CONNACK, socket.MSG_WAITALL))
                self._released.wait()
                self._forward(broker, client)

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)


@contextmanager
def slow_link(broker_port: int) -> Iterator[SlowLink]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = SlowLink(server, broker_port)
        threading.Thread(target=link.run, daemon=True).start()
        yield link
        link.release()
