"""The programs that the benchmarks measure, and a plain MQTT client."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from paho.mqtt import client as mqtt
from typing_extensions import Self

ROOT = Path(__file__).parents[1]
SHUTDOWN_TIMEOUT = 20.0
EDGEHUB_PORT = 8883
"""Fixed in Azure's library."""


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits until the condition is true. Raises `TimeoutError` after a number of seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def free_port() -> int:
    """Returns a loopback port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Returns whether a program accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


class Program:
    """A context manager that runs a process and ends it with SIGTERM. The output goes to a temporary file."""

    def __init__(self, command: Sequence[object], settings: Mapping[str, object], cwd: Path = ROOT) -> None:
        """`settings` are environment variables. MQTT_* are not inherited, nor what keeps Python from writing bytecode."""
        self._command = [str(word) for word in command]
        self._cwd = cwd
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MQTT_", "PYTHONDONTWRITEBYTECODE"))}
        self._environment = kept | {name: str(value) for name, value in settings.items()}
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # closed in __exit__
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.PIPE,  # the stand-in edgeHub runs until it is closed
            stdout=self._output,
            stderr=self._output,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(SHUTDOWN_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if error is not None:
            print(f"--- {' '.join(self._command)}\n{self.log[-3000:]}", file=sys.stderr)
        self._output.close()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def log(self) -> str:
        """The output so far."""
        descriptor = self._output.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def wait_for_log(self, text: str, seconds: float = 60.0) -> None:
        """Waits until the text is in the output."""
        wait_for(lambda: self.check() and text in self.log, seconds, f"{text!r} of {' '.join(self._command)}")

    def check(self) -> bool:
        """Returns True while the process runs. Raises `RuntimeError` when it has ended."""
        assert self._process
        if self._process.poll() is not None:
            raise RuntimeError(f"{' '.join(self._command)} ended with exit code {self._process.returncode}")
        return True


class Script(Program):
    """A program of this repository: ``python -m NAME ARGUMENTS``."""

    def __init__(self, name: str, *arguments: object, **settings: object) -> None:
        super().__init__([sys.executable, "-m", name, *arguments], settings)


class Module(Script):
    """A module of the suite, connected to the broker at `port`, with its state in a temporary folder."""

    def __init__(self, name: str, port: int, **settings: object) -> None:
        self._state = tempfile.TemporaryDirectory()
        super().__init__(name, **{"MQTT_PORT": port, "STATE_DIR": self._state.name, "WEB_PORT": 0} | settings)

    def __enter__(self) -> Self:
        super().__enter__()
        self.wait_for_log("connected to the broker")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        self._state.cleanup()


class Broker(Program):
    """A Mosquitto with the suite's settings, on a loopback port."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        search = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
        program = shutil.which("mosquitto", path=search) or "mosquitto"
        super().__init__([program, "-c", ROOT / "mosquitto" / "mosquitto.conf", "-p", self.port], {}, folder)

    def __enter__(self) -> Self:
        super().__enter__()
        wait_for(lambda: is_listening(self.port), 30, "Mosquitto")
        return self


class EdgeHub(Script):
    """The tests' stand-in edgeHub. It keeps its certificates and the received messages in the folder."""

    def __init__(self, folder: Path, host: str) -> None:
        """`host` is a loopback address that nothing else uses."""
        self._records = folder / "records.jsonl"
        self._host = host
        super().__init__("tests.edgehub.hub", folder, host)
        names = f"HostName=hub.example;GatewayHostName={host};DeviceId=pi;ModuleId=bridge"
        key = base64.b64encode(b"no secret").decode()
        self.settings = {
            "EdgeHubConnectionString": f"{names};SharedAccessKey={key}",
            "EdgeModuleCACertificateFile": str(folder / "authority.pem"),
        }
        """Environment variables of a module that connects to it."""

    def __enter__(self) -> Self:
        super().__enter__()
        wait_for(lambda: is_listening(EDGEHUB_PORT, self._host), 30, "the stand-in edgeHub")
        return self

    @property
    def received(self) -> int:
        """The number of messages received so far."""
        return self._records.read_bytes().count(b"\n") if self._records.exists() else 0


class Listener:
    """An MQTT client that collects the messages for its topic filters."""

    def __init__(self, port: int, *filters: str) -> None:
        self._lock = threading.Lock()
        self._messages: list[mqtt.MQTTMessage] = []
        self._ready = threading.Event()
        self.client = mqtt.Client()
        self.client.max_inflight_messages_set(1000)
        self.client.on_connect = lambda *_: self.client.subscribe([(topic, 1) for topic in filters])
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self._messages.append(message)

    def __enter__(self) -> Self:
        self.client.loop_start()
        if not self._ready.wait(30):
            raise TimeoutError("the broker did not answer")
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def payloads(self, ending: str = "") -> list[bytes]:
        """Returns the payloads received so far on topics with this ending."""
        with self._lock:
            return [bytes(message.payload) for message in self._messages if message.topic.endswith(ending)]

    def wait_for(self, ending: str, number: int = 1, seconds: float = 60.0) -> None:
        """Waits until `number` messages have been received on topics with this ending."""
        wait_for(lambda: len(self.payloads(ending)) >= number, seconds, f"{number} messages on {ending}")

    def metric(self, module: str, name: str) -> float:
        """Returns a metric of a module's newest status; 0 if there is none."""
        payloads = self.payloads(f"status/{module}")
        return float(json.loads(payloads[-1])["metrics"].get(name, 0)) if payloads else 0.0
