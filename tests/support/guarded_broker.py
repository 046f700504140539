"""A real Mosquitto started by start.sh: with users, passwords, an access list, and a port for guests."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from paho.mqtt import client as mqtt

from tests.support.broker import PATH, ROOT, Broker, accepts, find_mosquitto, free_port
from tests.support.listener import Listener
from tests.support.wait import limit, until

START, SECRETS = ROOT / "mosquitto" / "start.sh", ROOT / "mosquitto" / "secrets.sh"
SEARCH = PATH
OBSERVER = "observer"
MARKER = "footfall/status/marker"
OWN_SETTINGS = ("ADDRESS", "CAMERAS", "DISPLAYS", "CLASSIFIERS", "MEMORY_LIMIT", "TLS_NAMES", "TLS_CERT", "TLS_KEY")

_WITH_OBSERVER = f"""#!/bin/sh
[ "$1 $2" = "-c $RUN/mosquitto.conf" ] || exec "$MOSQUITTO" "$@"
printf 'user {OBSERVER}\\ntopic readwrite #\\ntopic readwrite $SYS/#\\ntopic readwrite $footfall/#\\n' >>"$RUN/access.acl"
mosquitto_passwd -b "$RUN/passwords" {OBSERVER} {OBSERVER} && exec "$MOSQUITTO" "$@"
"""


def script_environment(folder: Path, **settings: object) -> dict[str, str]:
    """Returns the environment for start.sh and secrets.sh, with these settings and all files in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS and not name.endswith("_PORT")}
    own = {"SECRETS": str(folder / "secrets"), "RUN": str(folder / "run"), "ADDRESS": "127.0.0.1"}
    return kept | own | {name: str(value) for name, value in settings.items()}


def run_script(script: Path, environment: Mapping[str, str], *arguments: str, shell: str = "sh") -> tuple[int, str]:
    """Runs a script with umask 0. Returns its exit code and output."""
    command = [*shell.split(), str(script), *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit(30), check=False, umask=0)
    return ended.returncode, ended.stdout + ended.stderr


def password_file(secrets: Path, user: str) -> Path:
    """Returns the file with the user's own password."""
    role, _, own = user.partition("-")
    return secrets / role / (f"{own}.password" if own else "password")


def read_passwords(secrets: Path, users: Iterable[str]) -> dict[str, str]:
    """Returns the password of each user."""
    return {user: password_file(secrets, user).read_text().strip() for user in users}


def other_address() -> str | None:
    """Returns an address of this machine other than loopback, or None."""
    interfaces = psutil.net_if_addrs().values()
    found = [str(one.address) for addresses in interfaces for one in addresses if one.family == socket.AF_INET]
    return next((address for address in found if not address.startswith("127.")), None)


class Guest(Listener):
    """A listener on the guests' broker, which copies from the users' broker with a delay."""

    def __init__(self, broker: "GuardedBroker", *filters: str) -> None:
        super().__init__(broker.guests, *filters)
        self._broker = broker

    def settle(self) -> None:
        """Waits until everything that the users' broker has processed has reached this guest."""
        self._broker.wait_for_copy()
        super().settle()


class GuardedBroker(Broker):
    """A broker started by start.sh on free loopback ports: `port` for users, `guests` and `tls`.

    `observed` adds a user without restrictions, who sees everything that others publish.
    """

    def __init__(self, folder: Path, observed: bool = False, has_tls: bool = False, **settings: object) -> None:
        super().__init__(folder / "state")
        self.secrets = folder / "secrets"
        self._log = folder / "broker.log"  # not on the disk of its state, which a test may fill
        self.guests, self.tls = free_port(), free_port()
        ports = {"USERS_PORT": self.port, "GUESTS_PORT": self.guests} | ({"TLS_PORT": self.tls} if has_tls else {})
        self.environment = script_environment(folder, **ports, **settings)
        self._ports = ports.values()
        if observed:
            stub = folder / "observed" / "mosquitto"
            stub.parent.mkdir()
            stub.write_text(_WITH_OBSERVER)
            stub.chmod(0o755)
            self.environment |= {"PATH": f"{stub.parent}{os.pathsep}{SEARCH}", "MOSQUITTO": find_mosquitto()}

    def start(self) -> None:
        """Starts the broker and waits until it accepts connections on all ports, and guests receive what users publish."""
        self._start(["sh", str(START)], self.environment, *self._ports)
        self.wait_for_copy()

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends the broker with a signal. That of the guests ends by itself, within about a second."""
        super().end(number)
        until(lambda: not accepts(self.guests), what="the end of the guests' broker")

    def wait_for_copy(self) -> None:
        """Waits until a message to the users' broker has reached the guests' broker; it is behind all earlier ones."""
        with self.listener("operator") as operator, Listener(self.guests, MARKER) as guest:

            def arrived() -> bool:
                operator.publish(MARKER, b"")
                return bool(guest.messages())

            until(arrived, what="a message to guests")

    @property
    def guests_process(self) -> psutil.Process:
        """The process of the guests' broker."""
        for one in psutil.Process(self.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # one that has just ended
                if one.cmdline()[-1].endswith("guests/mosquitto.conf"):
                    return one
        raise AssertionError("the guests' broker does not run")

    def password(self, user: str) -> str:
        """Returns the user's password."""
        return OBSERVER if user == OBSERVER else password_file(self.secrets, user).read_text().strip()

    def client(self, user: str | None, password: str | None = None, **options: object) -> mqtt.Client:
        """Returns a client for the user, by default with the right password; None is a guest."""
        client = mqtt.Client(**options)  # type: ignore[arg-type]  # paho's own arguments
        if user is not None:
            client.username_pw_set(user, self.password(user) if password is None else password)
        return client

    def connect_code(
        self, user: str | None, password: str | None = None, port: int | None = None, client: mqtt.Client | None = None
    ) -> int:
        """Connects and returns the code of CONNACK: 0 is accepted, 5 is refused."""
        client = client or self.client(user, password)
        codes: list[int] = []
        client.on_connect = lambda _client, _userdata, _flags, code: codes.append(code)
        client.connect("127.0.0.1", port or self.port)
        until(lambda: client.loop(0.1) or codes, what="CONNACK")
        client.disconnect()
        return codes[0]

    def listener(self, user: str | None, *filters: str) -> Listener:
        """Returns a listener for the user; None is a guest, on the guests' port."""
        return Guest(self, *filters) if user is None else Listener(self.port, *filters, client=self.client(user))
