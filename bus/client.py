"""paho's client, set up so that it retries, does not hold frames back, and does not die in silence."""

import hmac
import logging
import socket
import ssl
import time
from contextlib import suppress
from typing import Any

from paho.mqtt import client as mqtt

from bus.settings import BusSettings

FIRST_RETRY, LAST_RETRY = 0.5, 30
"""Seconds between tries to connect, doubled from the one to the other."""
LINGER = 0.5
"""Seconds at most for the broker to let go of a connection that is ended."""


class Client(mqtt.Client):
    """paho's, whose messages may be acknowledged later than when their callback returns: what its version 2 calls manual_ack."""

    _held: int | None = None
    _is_leaving = False

    def disconnect(self, *arguments: Any) -> Any:
        """As paho's."""
        self._is_leaving = True
        return super().disconnect(*arguments)

    def linger(self, sock: socket.socket) -> None:
        """To be called before the socket is closed: takes in what is still coming until the broker has let go too.

        A socket that is closed with something unread in it tells the other side that it broke; the last words before, and the
        goodbye, would be lost with it, and the last will published.
        """
        end = time.monotonic() + LINGER
        with suppress(OSError, ValueError):
            if self._is_leaving:
                sock.settimeout(LINGER)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536) and time.monotonic() < end:
                    pass

    def hold(self, message: mqtt.MQTTMessage) -> None:
        """To be called in the callback of a message of QoS 1: it is not acknowledged when that returns."""
        self._held = message.mid

    def acknowledge(self, packet: int) -> None:
        """Acknowledges a message that was held, from any thread."""
        super()._send_puback(packet)  # type: ignore[misc]

    def _send_puback(self, mid: int) -> Any:
        held, self._held = self._held, None
        return mqtt.MQTT_ERR_SUCCESS if mid == held else super()._send_puback(mid)  # type: ignore[misc]


def unguessable(name: str, password: str | None) -> str:
    """A name for the broker that, with a password, nobody can give who does not know that: of a session, or of a share.

    Whoever connects with the id of another, as whatever user, throws it off the broker and gets its messages; and whoever takes
    part in a share takes messages away from the others, even where it may not read them itself.
    """
    if password is None:
        return name
    return f"{name}-{hmac.digest(password.encode(), name.encode(), 'sha256').hex()[:12]}"


def client_of(settings: BusSettings, persistent: bool, most_queued: int) -> Client:
    """A client that signs in as the settings say; `persistent` has the broker keep its session while it is away."""
    password = settings.password
    client = Client(unguessable(settings.name, password), clean_session=not persistent)
    if settings.username is not None:
        client.username_pw_set(settings.username, password)
    if settings.mqtt_ca_file is not None:
        client.tls_set_context(ssl.create_default_context(cafile=settings.mqtt_ca_file))
    client.reconnect_delay_set(FIRST_RETRY, LAST_RETRY)  # type: ignore[arg-type]  # a float will do
    client.max_queued_messages_set(most_queued)
    client.max_inflight_messages_set(most_queued)  # what is published again at a connection goes before what has waited for it
    client.enable_logger(logging.getLogger("paho"))
    client.suppress_exceptions = True  # one that got out of a callback would end the network's thread
    client.on_socket_close = lambda _client, _userdata, sock: client.linger(sock)  # type: ignore[arg-type]
    client.on_socket_open = _send_at_once  # type: ignore[assignment]  # always a socket here
    return client


def _send_at_once(_client: mqtt.Client, _userdata: Any, sock: socket.socket) -> None:
    """Switches Nagle's algorithm off, which holds a frame's last segment behind the acknowledgement of the one before."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
