"""The data of a suite on this machine, of ``footfall run`` or of the services: the files, and what its broker keeps."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bridge.database import FILE as OUTBOX
from bus import FootfallError, topics
from bus.settings import BusSettings
from counter.database import FILE as LEDGER
from footfall.connection import Connection, NotRunning
from footfall.ports import free_port
from footfall.state import BROKER_FOLDERS, INSTALLED, RunState, current_broker, modules_port, password_file, state_dir
from runtime.settings import load

RETAINED = (topics.setup(), topics.site(), topics.wanted_model())
"""Topics of retained messages that people set. The modules publish all others again."""
START_TIMEOUT = 20.0
"""Seconds for a temporary broker to start, and to end."""
PERSISTED = "mosquitto.db"
CONFIGURATION = """\
user root
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
persistence true
persistence_location {folder}/
max_packet_size 2162688
log_dest none
"""
"""For the temporary broker. Mosquitto reads `user` only if root starts it."""


class Storage(NamedTuple):
    """The files of the counter and the bridge, and the folder of the broker."""

    ledger: Path
    outbox: Path
    broker: Path

    @property
    def is_running(self) -> bool:
        """Whether the broker accepts connections."""
        port = modules_port(self.broker)
        with socket.socket() as probe:
            probe.settimeout(2)
            return port != 0 and probe.connect_ex(("127.0.0.1", port)) == 0

    def connection(self, user: str = "operator") -> Connection:
        """Returns a connection to the running broker."""
        password = password_file(self.broker, user).read_text().strip()
        return Connection("127.0.0.1", modules_port(self.broker), user, password)


def find_storage() -> Storage:
    """Returns the data of the services, or of the last run at MQTT_PORT. Raises `InvalidSetting`."""
    root, port = state_dir(), load(BusSettings).mqtt_port
    if root == INSTALLED:
        return Storage(root / "counter" / LEDGER, root / "bridge" / OUTBOX, root / "broker")
    broker = current_broker(root, port)
    is_demo = broker.exists() and broker.resolve() == RunState(root, port, is_demo=True).broker.resolve()
    state = RunState(root, port, is_demo)
    return Storage(state.data / LEDGER, state.data / "bridge" / OUTBOX, state.broker)


@contextmanager
def stopped_broker(broker: Path, keep: bool) -> Iterator[Connection]:
    """Runs a broker with the saved messages of a stopped one, on loopback, with a password. Yields a connection to it.

    With `keep`, the messages are saved again when it ends. Raises `FootfallError`.
    """
    saved = broker / PERSISTED
    broker.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=broker if keep else None, prefix="temporary-") as name:
        folder = Path(name)
        if saved.exists():
            shutil.copyfile(saved, folder / PERSISTED)
        with _broker(folder) as connection:
            yield connection
        if keep:
            adopt(folder / PERSISTED, broker)
            (folder / PERSISTED).replace(saved)


@contextmanager
def _broker(folder: Path) -> Iterator[Connection]:
    password, path = secrets.token_urlsafe(24), os.pathsep.join([os.environ.get("PATH", ""), *BROKER_FOLDERS])
    port = free_port()
    (folder / "passwords").write_text(f"restore:{password}\n")
    (folder / "mosquitto.conf").write_text(CONFIGURATION.format(port=port, folder=folder))
    environment = os.environ | {"PATH": path}
    try:
        subprocess.run(
            ["mosquitto_passwd", "-U", folder / "passwords"],
            env=environment,
            capture_output=True,
            timeout=START_TIMEOUT,
            check=True,
        )
        process = subprocess.Popen(["mosquitto", "-c", folder / "mosquitto.conf"], env=environment, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise FootfallError(f"mosquitto cannot be started, which keeps the setups: {error}") from None
    try:
        with _connected(Connection("127.0.0.1", port, "restore", password)) as connection:
            yield connection
        process.send_signal(signal.SIGTERM)  # saves the messages
        process.wait(START_TIMEOUT)
    finally:
        process.kill()
        process.wait(START_TIMEOUT)


@contextmanager
def _connected(connection: Connection) -> Iterator[Connection]:
    """Connects as soon as the broker has started. Raises `NotRunning`."""
    end = time.monotonic() + START_TIMEOUT
    while True:
        try:
            connection.__enter__()
            break
        except NotRunning:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    try:
        yield connection
    finally:
        connection.__exit__(None, None, None)


def adopt(path: Path, folder: Path) -> None:
    """Gives a file to the owner of a folder, if this is root: the services have users of their own."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
