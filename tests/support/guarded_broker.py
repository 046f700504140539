"""A real Mosquitto as start.sh makes it: users with passwords, an access list, and a port for guests."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from paho.mqtt import client as mqtt

from tests.support.broker import ROOT, Broker, accepts, free_port
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

START = ROOT / "mosquitto" / "start.sh"
SEARCH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
OBSERVER = "observer"
OWN_SETTINGS = ("ADDRESS", "CAMERAS", "DISPLAYS", "CLASSIFIERS", "MEMORY_LIMIT", "TLS_NAMES", "TLS_CERT", "TLS_KEY")

_WITH_OBSERVER = f"""#!/bin/sh
printf 'user {OBSERVER}\\ntopic readwrite #\\ntopic readwrite $SYS/#\\ntopic readwrite $footfall/#\\n' >>"$RUN/access.acl"
mosquitto_passwd -b "$RUN/passwords" {OBSERVER} {OBSERVER} && exec "$MOSQUITTO" "$@"
"""


def environment_of(folder: Path, **settings: object) -> dict[str, str]:
    """What start.sh and secrets.sh get: these settings, and all that they make is in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS and not name.endswith("_PORT")}
    own = {"SECRETS": str(folder / "secrets"), "RUN": str(folder / "run"), "ADDRESS": "127.0.0.1"}
    return kept | own | {name: str(value) for name, value in settings.items()}


def run_script(script: Path, environment: Mapping[str, str], *arguments: str, shell: str = "sh") -> tuple[int, str]:
    """The exit code and what was said, of one that ends by itself; who runs it lets everybody read and write new files."""
    command = [*shell.split(), str(script), *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit(30), check=False, umask=0)
    return ended.returncode, ended.stdout + ended.stderr


class GuardedBroker(Broker):
    """Started by start.sh on free loopback ports, `port` for who has a password, `guests` and `tls`; can be started again.

    An observer, if wanted, is one more user at the end of the lists that start.sh has made; it may do everything, so that one can
    see what others could do. To a test it is what the broker's own store is: nothing in the product knows it.
    """

    def __init__(self, folder: Path, observed: bool = False, has_tls: bool = False, **settings: object) -> None:
        super().__init__(folder / "state")
        self.secrets = folder / "secrets"
        self.made = folder / "run"
        self.guests, self.tls = free_port(), free_port()
        ports = {"USERS_PORT": self.port, "GUESTS_PORT": self.guests} | ({"TLS_PORT": self.tls} if has_tls else {})
        self.environment = environment_of(folder, **ports, **settings)
        if observed:
            self._add_observer(folder / "observed")

    def _add_observer(self, folder: Path) -> None:
        mosquitto = shutil.which("mosquitto", path=SEARCH)
        assert mosquitto, "mosquitto is not installed: make setup installs it"
        folder.mkdir()
        (folder / "mosquitto").write_text(_WITH_OBSERVER)
        (folder / "mosquitto").chmod(0o755)
        self.environment |= {"PATH": f"{folder}{os.pathsep}{SEARCH}", "MOSQUITTO": mosquitto}

    def start(self) -> None:
        """Starts it and waits until it answers on all its ports."""
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(["sh", str(START)], cwd=self.folder, env=self.environment, stderr=log)
        ports = [int(value) for name, value in self.environment.items() if name.endswith("_PORT")]
        try:
            until(lambda: self._ended() or all(accepts(port) for port in ports), what=f"mosquitto on ports {ports}")
            assert not self._ended(), self.log
        except BaseException:
            self.end(signal.SIGKILL)
            raise

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.folder / "broker.log").read_text()

    def password(self, user: str) -> str:
        """Of a user's role."""
        return OBSERVER if user == OBSERVER else (self.secrets / user.partition("-")[0] / "password").read_text().strip()

    def module_settings(self, name: str) -> dict[str, object]:
        """The environment by which a module signs in."""
        return {"MQTT_PASSWORD_FILE": self.secrets / name / "password"}

    def client(self, user: str | None, password: str | None = None, **options: object) -> mqtt.Client:
        """A client that is to sign in as the user, by default with the right password; nobody is a guest."""
        client = mqtt.Client(**options)  # type: ignore[arg-type]  # paho's own arguments
        if user is not None:
            client.username_pw_set(user, self.password(user) if password is None else password)
        return client

    def answer(
        self, user: str | None, password: str | None = None, port: int | None = None, client: mqtt.Client | None = None
    ) -> int:
        """What the broker says to one who wants to sign in, as CONNACK has it: 0 is yes, 5 is no."""
        client = client or self.client(user, password)
        codes: list[int] = []
        client.on_connect = lambda _client, _userdata, _flags, code: codes.append(code)
        client.connect("127.0.0.1", port or self.port)
        until(lambda: client.loop(0.1) or codes, what="CONNACK")
        client.disconnect()
        return codes[0]

    def listener(self, user: str | None, *filters: str) -> Listener:
        """As the user; nobody is a guest, on the guests' port."""
        return Listener(self.guests if user is None else self.port, *filters, client=self.client(user))

    @contextmanager
    def modules(self, **settings: object) -> Iterator[dict[str, Module]]:
        """All four as processes, each with its password; capture comes last."""
        with ExitStack() as stack:
            modules = {}
            for name in ("classifier", "display", "bridge", "capture"):
                module = Module(name, self.port, **self.module_settings(name), **settings)
                modules[name] = stack.enter_context(module)
            for module in modules.values():
                module.wait_for_log("connected to the broker")
            yield modules
