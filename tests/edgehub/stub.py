"""A scripted edgeHub: a very small MQTT server behind TLS that fails as it is told.

``python -m tests.edgehub.stub FOLDER HOST`` serves with the certificates in the folder until its standard input ends, as it
does with the process that holds the other end.
"""

import logging
import socket
import ssl
import sys
import threading
from pathlib import Path
from types import TracebackType

from tests.edgehub.certificates import issue, within
from tests.edgehub.connection import Connection
from tests.edgehub.gateway import PORT, connection_string, free_host
from tests.edgehub.script import Script
from tests.support.wait import limit

POLL = 0.1
"""Seconds after which the thread that accepts looks whether it is to end."""


class Stub(Script):
    """Records every event with QoS 1 before it acknowledges it, answers for the twin, and follows its script.

    It can be ended and started again on its address: records and sessions are in the folder.
    """

    def __init__(self, folder: Path, host: str | None = None) -> None:
        """Makes certificates for the address when the folder has none."""
        super().__init__(folder)
        self.host = host or free_host()
        files = within(folder)
        if not files.authority.exists():
            issue(folder, self.host)
        self.authority = files.authority
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.certificate, files.key)
        self._connections: list[Connection] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Stub":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def start(self) -> None:
        """Listens from now on."""
        listening = socket.create_server((self.host, PORT), backlog=100)
        listening.settimeout(POLL)
        self.file.open()
        self._stop.clear()
        self._thread = threading.Thread(target=self._accept, args=(listening,), name="stub", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Cuts all connections and listens no more, frozen or not; does nothing when not running."""
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join(limit(10))
        self._thread = None
        for connection in self._connections:
            connection.cut()
        self.is_frozen = False
        for connection in self._connections:
            connection.join()
        self.file.close()

    @property
    def environment(self) -> dict[str, str]:
        """What signs a module in by connection string."""
        return connection_string(self)

    def _accept(self, listening: socket.socket) -> None:
        with listening:
            while not self._stop.is_set():
                try:
                    accepted, _ = listening.accept()
                except TimeoutError:
                    continue
                self._connections = [one for one in self._connections if not one.is_over]
                self._connections.append(Connection(accepted, self._context, self))


def main(folder: str, host: str) -> None:
    """Serves until standard input ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with Stub(Path(folder), host):
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
