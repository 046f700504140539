"""The listening socket of a server, which bounds its connections, and survives a lack of file descriptors."""

import errno
import ipaddress
import logging
import socket
import struct
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of a machine or process that has no more file descriptors or memory."""
PAUSE = 0.5
"""Seconds without accepting after one of these errors. asyncio would try, and log, as often as its backlog."""
QUEUE = 128
"""Connections that the system keeps until they are accepted."""
ACCEPTED_AT_ONCE = 4
"""Connections that are accepted before the event loop reads what the earlier ones sent."""


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    network: str
    waiting_since: float | None
    """Since when the server waits for the client; None while the client waits for the server, or both talk."""


class Listener(socket.socket):
    """A listening socket for asyncio with limits that keep one client from shutting out all others.

    | Connections | At most | One more |
    |---|---|---|
    | of one address | 3/4 of `size` | is closed |
    | in all | 2 times `size` | is closed |
    | of one address that wait for the client | 1/4 of `size` | closes the one that waits longest |
    | in all that wait for the client | 1/2 of `size` | closes the one that waits longest, of the address with the most |

    A connection waits for its client until the headers and the body of a request are complete, and between two requests. It does
    not while the server has yet to process what has arrived.
    A real client sends at once, so it is served although another one of its address is slow. The addresses of an IPv6 network
    of 64 bits count as one.
    """

    def __init__(self, bound: socket.socket, size: int) -> None:
        """Takes over a bound socket. `size` is the number of concurrent requests."""
        super().__init__(fileno=bound.detach())
        self._size = size
        self._open: dict[int, _Connection] = {}
        self._resume_at = 0.0
        self._throttle = LogThrottle()

    def listen(self, _backlog: int = QUEUE, /) -> None:
        """Listens. The backlog of asyncio is also the number of connections that it accepts at once, so it is another one."""
        super().listen(QUEUE)

    def accept(self) -> tuple[socket.socket, Any]:
        """Accepts a connection. Raises `ConnectionAbortedError` if it is closed because there are too many."""
        if time.monotonic() < self._resume_at:
            raise BlockingIOError
        try:
            accepted, address = super().accept()
        except OSError as error:
            if error.errno in EXHAUSTED:
                self._resume_at = time.monotonic() + PAUSE
            raise
        network = _network(address[0])
        self._open = {number: one for number, one in self._open.items() if one.socket.fileno() == number}
        if len(self._open) >= 2 * self._size or self._count(network) >= self._size * 3 // 4:
            accepted.close()
            if (more := self._throttle(network)) is not None:
                log.warning("too many connections, of %s and others; closing new ones%s", network, more)
            raise ConnectionAbortedError
        self._make_room(network)
        self._open[accepted.fileno()] = _Connection(accepted, network, time.monotonic())
        return accepted, address

    def note(self, number: int, is_waiting: bool) -> None:
        """Notes whether the server waits for the client of the connection with this file descriptor."""
        if connection := self._open.get(number):
            since = connection.waiting_since or time.monotonic()
            connection.waiting_since = since if is_waiting else None

    def _count(self, network: str) -> int:
        return sum(one.network == network for one in self._open.values())

    def _make_room(self, network: str) -> None:
        """Closes the connection that has waited longest for its client, if too many wait."""
        waiting = [one for one in self._open.values() if one.waiting_since is not None]
        numbers = Counter(one.network for one in waiting)
        if len(waiting) >= self._size // 2:
            network, _ = numbers.most_common(1)[0]
        elif numbers[network] < self._size // 4:
            return
        oldest = min((one for one in waiting if one.network == network), key=lambda one: one.waiting_since or 0.0)
        del self._open[oldest.socket.fileno()]
        _disconnect(oldest.socket)


def _disconnect(connection: socket.socket) -> None:
    """Ends a connection. Its owner notices, and closes the socket, which resets the connection.

    Otherwise a client that waits to send more would learn of it after a minute.
    """
    with suppress(OSError):  # the client may have gone
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


def _network(host: str) -> str:
    """Returns the address of a client; of an IPv6 address the first 64 bits, which one machine can vary."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address) >> 64 << 64, 64)))
