"""paho's MQTT client, with manual acknowledgements and the connection options of Footfall."""

import hmac
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from paho.mqtt import client as mqtt

from bus.settings import BusSettings
from bus.tls import Tls, describe_failure

RETRY_DELAY = 0.5
"""Seconds between two attempts to connect. The pause does not grow: the suite's broker is near, and all wait for it."""
REFUSED_DELAY = 5.0
"""The same while the broker refuses the user; it logs each attempt."""
CLOSE_TIMEOUT = 0.5
"""Seconds to wait for the broker to close its side after a DISCONNECT."""


class Client(mqtt.Client):
    """A paho client that can acknowledge a message after its callback has returned, like `manual_ack` in paho 2."""

    _held: int | None = None
    _is_disconnecting = False
    _tls: Tls | None = None
    failure = ""
    """Why the last attempt to connect failed, or the last connection was lost."""

    def sign_in_as(self, settings: BusSettings) -> None:
        """Uses the settings' user, and the present password in MQTT_PASSWORD_FILE, from the next connection on."""
        if settings.username is not None:
            self.username_pw_set(settings.username, settings.password)

    def set_refused(self, is_refused: bool) -> None:
        """Sets the pause between two attempts to connect to the suite's broker, which may have refused the user."""
        delay = REFUSED_DELAY if is_refused else RETRY_DELAY
        self.reconnect_delay_set(delay, delay)  # type: ignore[arg-type]  # a float works too

    def use_tls(self, tls: Tls) -> None:
        self._tls = tls
        self.tls_set_context(tls.context)

    def reconnect(self) -> Any:
        """Connects, as paho does, with a renewed certificate if there is one. Records why it failed."""
        self.failure = ""
        try:
            if self._tls is not None:
                self._tls.reload()
            return super().reconnect()
        except OSError as error:
            self.failure = describe_failure(error)
            raise

    def _sock_recv(self, size: int) -> Any:
        with self._as_lost_connection():
            return super()._sock_recv(size)  # type: ignore[misc]

    def _sock_send(self, data: bytes) -> Any:
        with self._as_lost_connection():
            return super()._sock_send(data)  # type: ignore[misc]

    @contextmanager
    def _as_lost_connection(self) -> Iterator[None]:
        """Turns all errors of a socket into lost connections. Others, such as a refused certificate, would end paho's thread."""
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as error:
            self.failure = describe_failure(error)
            raise ConnectionError(self.failure) from None

    def disconnect(self, *arguments: Any) -> Any:
        """Sends a DISCONNECT, as paho does."""
        self._is_disconnecting = True
        return super().disconnect(*arguments)

    def drain(self, sock: socket.socket) -> None:
        """Reads from the socket until the broker has closed its side. Call it before closing the socket.

        Closing a socket with unread data resets the connection. The broker would then lose the last messages and the
        DISCONNECT, and publish the last will.
        """
        end = time.monotonic() + CLOSE_TIMEOUT
        with suppress(OSError, ValueError):
            if self._is_disconnecting:
                sock.settimeout(CLOSE_TIMEOUT)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536) and time.monotonic() < end:
                    pass

    def hold(self, message: mqtt.MQTTMessage) -> None:
        """Defers the acknowledgement of a QoS 1 message. Call it in the message's callback."""
        self._held = message.mid

    def acknowledge(self, packet: int) -> None:
        """Acknowledges a held message, by its packet id. Thread-safe."""
        super()._send_puback(packet)  # type: ignore[misc]

    def _send_puback(self, mid: int) -> Any:
        held, self._held = self._held, None
        return mqtt.MQTT_ERR_SUCCESS if mid == held else super()._send_puback(mid)  # type: ignore[misc]

    def revive(self) -> bool:
        """Restarts the network thread if an error inside paho has ended it, and returns whether it did."""
        thread = self._thread  # type: ignore[attr-defined]  # paho has no public way
        if thread is None or thread.is_alive():
            return False
        if (stuck := self.socket()) is not None:
            stuck.close()  # drops the data that caused the error
        self.loop_stop()
        self.loop_start()
        return True

    def stop(self, timeout: float) -> None:
        """Disconnects and stops the network thread; abandons a thread that is still running after `timeout` seconds."""
        self.disconnect()
        end = threading.Thread(target=self.loop_stop, daemon=True)  # paho joins its thread without a timeout
        end.start()
        end.join(timeout)


def secret_name(name: str, password: str | None) -> str:
    """Returns a client id or share name that cannot be guessed without the password, or `name` if there is no password.

    A client that connects with another's id, as any user, disconnects it and receives its messages. A member of a share takes
    messages from the other members, even those that the access list does not let it read.
    """
    if password is None:
        return name
    return f"{name}-{hmac.digest(password.encode(), name.encode(), 'sha256').hex()[:12]}"


def create_client(settings: BusSettings, persistent: bool, max_queued: int) -> Client:
    """Creates a client from the settings. If `persistent`, the broker keeps its session while it is disconnected."""
    password = settings.password
    client = Client(secret_name(settings.name, password), clean_session=not persistent)
    client.sign_in_as(settings)
    if (tls := settings.tls) is not None:
        client.use_tls(tls)
    configure(client, max_queued, RETRY_DELAY)
    return client


def configure(client: Client, max_queued: int, max_retry_delay: float) -> None:
    """Sets the options that all clients share. The pause between two attempts to connect doubles up to `max_retry_delay` s."""
    client.reconnect_delay_set(RETRY_DELAY, max_retry_delay)  # type: ignore[arg-type]  # a float works too
    client.max_queued_messages_set(max_queued)
    client.max_inflight_messages_set(max_queued)  # so that repeated messages go before queued ones
    client.enable_logger(logging.getLogger("paho"))
    client.suppress_exceptions = True  # an exception in a callback would end the network thread
    client.on_socket_close = lambda _client, _userdata, sock: client.drain(sock)  # type: ignore[arg-type]
    # Nagle's algorithm delays the last segment of a frame until the previous one is acknowledged.
    no_delay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.on_socket_open = lambda _client, _userdata, sock: sock.setsockopt(*no_delay)  # type: ignore[union-attr]
