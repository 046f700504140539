"""Messages to systemd about this process, for units with ``Type=notify``.

The protocol is a datagram to the socket in NOTIFY_SOCKET: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import os
import socket
from contextlib import suppress

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"
TIMEOUT = 1.0
"""Seconds to wait if systemd does not read its messages."""


def notify(state: str) -> None:
    """Sends a state to systemd. Does nothing if the process is not a service, or if systemd cannot be reached."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(TIMEOUT)
            sender.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
