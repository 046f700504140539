"""paho's client, extended for late acknowledgements, and set up to reconnect and not to delay frames."""

import hmac
import logging
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any

from paho.mqtt import client as mqtt

from bus.settings import BusSettings

FIRST_RETRY, LAST_RETRY = 0.5, 30
"""Seconds between attempts to connect, doubled from the one to the other."""
CLOSE_TIMEOUT = 0.5
"""Seconds at most for the broker to close its side of a connection that is ended."""


class Client(mqtt.Client):
    """paho's, with what its version 2 calls manual_ack: a message may be acknowledged later than when its callback returns."""

    _held: int | None = None
    _is_leaving = False

    def disconnect(self, *arguments: Any) -> Any:
        """As paho's."""
        self._is_leaving = True
        return super().disconnect(*arguments)

    def drain(self, sock: socket.socket) -> None:
        """To be called before the socket is closed: reads what still comes until the broker has closed its side.

        Closing a socket with unread data resets the connection; the broker would lose the last messages before that and the
        DISCONNECT, and publish the last will.
        """
        end = time.monotonic() + CLOSE_TIMEOUT
        with suppress(OSError, ValueError):
            if self._is_leaving:
                sock.settimeout(CLOSE_TIMEOUT)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536) and time.monotonic() < end:
                    pass

    def hold(self, message: mqtt.MQTTMessage) -> None:
        """To be called in the callback of a QoS 1 message: it is not acknowledged when that returns."""
        self._held = message.mid

    def acknowledge(self, packet: int) -> None:
        """Acknowledges a message that was held, from any thread."""
        super()._send_puback(packet)  # type: ignore[misc]

    def _send_puback(self, mid: int) -> Any:
        held, self._held = self._held, None
        return mqtt.MQTT_ERR_SUCCESS if mid == held else super()._send_puback(mid)  # type: ignore[misc]

    def revive(self) -> bool:
        """Restarts the network's thread if an error inside paho ended it, which would cut the module off for ever."""
        thread = self._thread  # type: ignore[attr-defined]  # paho offers no other way
        if thread is None or thread.is_alive():
            return False
        if (stuck := self.socket()) is not None:
            stuck.close()  # what it could not read is still in there
        self.loop_stop()
        self.loop_start()
        return True

    def stop(self, timeout: float) -> None:
        """Disconnects and ends the network's thread, or leaves that behind, as it may wait for a broker that does not answer."""
        self.disconnect()
        end = threading.Thread(target=self.loop_stop, daemon=True)  # paho joins its thread without a time-out
        end.start()
        end.join(timeout)


def secret_name(name: str, password: str | None) -> str:
    """The name of a session or a share on the broker; with a password, nobody can guess it who does not know that.

    A client that connects with the id of another, as any user, disconnects it and gets its messages; a member of a share takes
    messages away from the others, even where it may not read them itself.
    """
    if password is None:
        return name
    return f"{name}-{hmac.digest(password.encode(), name.encode(), 'sha256').hex()[:12]}"


def create_client(settings: BusSettings, persistent: bool, max_queued: int) -> Client:
    """A client that signs in as the settings say; with `persistent`, the broker keeps its session while it is away."""
    password = settings.password
    client = Client(secret_name(settings.name, password), clean_session=not persistent)
    if settings.username is not None:
        client.username_pw_set(settings.username, password)
    if settings.mqtt_ca_file is not None:
        client.tls_set_context(ssl.create_default_context(cafile=settings.mqtt_ca_file))
    client.reconnect_delay_set(FIRST_RETRY, LAST_RETRY)  # type: ignore[arg-type]  # a float works too
    client.max_queued_messages_set(max_queued)
    client.max_inflight_messages_set(max_queued)  # so that what is sent again precedes what has waited
    client.enable_logger(logging.getLogger("paho"))
    client.suppress_exceptions = True  # an exception in a callback would end the network's thread
    client.on_socket_close = lambda _client, _userdata, sock: client.drain(sock)  # type: ignore[arg-type]
    # Nagle's algorithm delays a frame's last segment until the one before is acknowledged.
    no_delay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.on_socket_open = lambda _client, _userdata, sock: sock.setsockopt(*no_delay)  # type: ignore[union-attr]
    return client
