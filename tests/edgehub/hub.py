"""A stand-in for edgeHub: Mosquitto behind TLS on port 8883, with the cloud's side of the module behind it."""

import shutil
import signal
import ssl
from pathlib import Path
from urllib.parse import parse_qs, unquote

from paho.mqtt import client as mqtt

from tests.edgehub.certificates import issue
from tests.edgehub.gateway import DEVICE, MODULE, PORT, connection_string, free_host
from tests.edgehub.twin import CLIENT, FILTERS, Twin
from tests.support.broker import Broker, free_port
from tests.support.listener import Listener
from tests.support.wait import until

OUTPUTS = "devices/+/modules/+/messages/events/#"


class EdgeHub(Broker):
    """One on a loopback address of its own, or at `host`.

    Ended by SIGTERM it keeps its sessions; by SIGKILL it keeps those on disk, which are those of the last `save` or SIGTERM.
    """

    def __init__(self, folder: Path, host: str | None = None) -> None:
        host = host or free_host()
        files = issue(folder, host)
        self.authority = files.authority
        configuration = _configuration(folder, host, PORT)
        with configuration.open("a") as text:
            text.write(f"certfile {files.certificate}\nkeyfile {files.key}\n")
        super().__init__(folder, configuration, PORT, host)
        self.twin = Twin(self)
        self._sessions = folder / "mosquitto.db"

    def start(self) -> None:
        """Starts it and waits until it answers, for the twin too."""
        if not self._sessions.exists():
            shutil.copy(self._first_sessions(), self._sessions)
        super().start()
        self.twin.open()

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends it, by default as a crash would."""
        self.twin.close()
        super().end(number)

    def save(self) -> None:
        """Writes its sessions to disk, for a crash to come."""
        before = self._sessions.stat().st_mtime_ns
        assert self._process
        self._process.send_signal(signal.SIGUSR1)
        until(lambda: self._sessions.stat().st_mtime_ns != before, what="sessions on disk")

    def forget(self) -> None:
        """Crashes and starts again without a module's sessions: one that comes back is not subscribed to anything."""
        self.end()
        self._sessions.unlink()
        self.start()

    def _first_sessions(self) -> Path:
        """Those to start with: the twin's client alone, or what a module asks before it is there would be lost."""
        folder = self.folder / "first"
        sessions = folder / "mosquitto.db"
        if not sessions.exists():
            folder.mkdir()
            port = free_port()
            client = mqtt.Client(CLIENT, clean_session=False)
            with Broker(folder, _configuration(folder, "127.0.0.1", port), port), Listener(port, *FILTERS, client=client):
                pass
        return sessions

    @property
    def connects(self) -> int:
        """How often the module has connected; once it has, it hears patches and calls, if it is subscribed."""
        log = self.folder / "broker.log"
        return log.read_text().count(f" as {DEVICE}/{MODULE} (") if log.exists() else 0

    @property
    def environment(self) -> dict[str, str]:
        """What signs a module in by connection string."""
        return connection_string(self)

    def listener(self, topic: str = OUTPUTS) -> Listener:
        """Hears what modules send."""
        client = mqtt.Client()
        client.tls_set_context(ssl.create_default_context(cafile=self.authority))
        return Listener(PORT, topic, host=self.host, client=client)


def _configuration(folder: Path, host: str, port: int) -> Path:
    file = folder / "mosquitto.conf"
    file.write_text(
        f"user root\nlistener {port} {host}\nallow_anonymous true\npersistence true\n"
        "set_tcp_nodelay true\nmax_queued_messages 0\n"
    )
    return file


def properties(topic: str) -> dict[str, str]:
    """The properties that the SDK writes into the topic of a message."""
    return {unquote(key): values[0] for key, values in parse_qs(topic.rpartition("/")[2]).items()}
