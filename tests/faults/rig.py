"""A running suite, the truth about its visitors, and what it has counted and sent."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from bus import Bus, Crossing, InvalidMessage, Message, Prediction, Status, Visit
from bus.settings import BusSettings
from counter.database import FILE
from demo.about import MODEL
from footfall.services import BROKER, SERVICES
from tests.edgehub.hub import EdgeHub
from tests.faults.fault import Fault
from tests.faults.play import Play
from tests.faults.scene import Scene, open_scene
from tests.faults.supervision import Program, Supervision
from tests.support.broker import free_port
from tests.support.browsers import is_healthy
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.results import Results, counted, sent
from tests.support.visitors import LINES
from tests.support.wait import limit, until

M = TypeVar("M", bound=Message)

PLAYER = "classifier-1"
"""The user that publishes the scripted predictions."""
DOOR = "door"
"""The camera with pictures."""
SPARE = "spare"
"""A camera at which nobody comes, for a fault's own visitors."""
SETTLED, GIVEN_UP = 1.0, 5.0
"""Seconds after the last result in which surplus ones would arrive, or those that are missing."""


class Rig(ExitStack):
    """The suite of a fault, while entered: broker, hub, the modules of `fault.programs`, and visitors who come and go.

    A program that ends is started again. `folder` has all of its data; a fault's settings may place a module's elsewhere.
    """

    def __init__(self, fault: Fault, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.fault = fault
        self.page_port = free_port()
        self.hub = EdgeHub(folder / "hub")
        self.sent_at: list[tuple[float, dict[str, Any]]] = []
        """What the hub has received, with the Unix time."""
        self.began = self.recovered = 0.0
        """The Unix times of the fault's begin, and of the first result afterwards."""
        self.memory: dict[str, float] = {}
        """By program: the highest share of its container's memory that it used by itself."""
        self.modules: dict[str, Module] = {}
        self.scene: Scene | None = None
        """What the camera with pictures sees, if the fault's programs include capture."""
        self.clock = 0.0
        """Seconds by which the clocks of all programs are ahead of the true time, which is that of the truth."""

    def __enter__(self) -> "Rig":
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        settings = self.fault.prepare(self.folder, self)
        names = [DOOR, SPARE, *(f"camera{number}" for number in range(self.fault.cameras))]
        self.broker = GuardedBroker(self.folder / "broker", **{"CAMERAS": ",".join(names), **settings.get("broker", {})})
        self.enter_context(self.hub)
        self._record_arrivals()
        if "capture" in self.fault.programs:
            self.scene = self.enter_context(open_scene())
        with self.fault.starting("broker"):
            self.enter_context(self.broker)
        for name in self.fault.programs:
            self.modules[name] = Module(name, self.broker.port, **self._settings(name) | settings.get(name, {}))
        for name, module in self.modules.items():
            with self.fault.starting(name):
                self.enter_context(module)
        for module in self.modules.values():  # from now on the broker queues its messages
            module.wait_for_log("connected to the broker")
        self._observe()
        programs: dict[str, Program] = {"broker": self.broker, **self.modules}
        self.supervision = self.enter_context(Supervision(programs, self.started))
        self._watch_memory()
        if self.scene is not None:
            until(lambda: self.has_predicted(0.0), 30, "a prediction of a picture")
        if "dashboard" in self.modules:
            until(lambda: is_healthy(self.page_port), 20, "the page")

    def started(self, name: str) -> None:
        """Called when a program was started again. A fault may replace it, for example to limit the new process."""

    def _settings(self, name: str) -> dict[str, object]:
        """Returns a module's settings, as in docker-compose.yml."""
        own: dict[str, dict[str, object]] = {
            "capture": {"VIDEO_PATH": self.scene and self.scene.address, "FRAME_RATE": 10, "MOTION": "off"},
            "classifier": {"MODEL": MODEL, "CAMERAS": DOOR},
            "counter": {"LINES": LINES},
            "bridge": {"SINKS": "edgehub", **self.hub.environment},
            "dashboard": {"WEB_PORT": self.page_port},
        }
        folder = self.folder / "state" / name
        folder.mkdir(parents=True, exist_ok=True)
        secret = self.broker.secrets / name / "password"
        return {"MQTT_PASSWORD_FILE": secret, "STATE_DIR": folder} | own.get(name, {})

    def _observe(self) -> None:
        """Starts to listen as the operator and as a guest, and opens the connection for predictions."""
        client = self.broker.client("operator")
        guest = self.broker.client(None)
        for one in (client, guest):
            one.reconnect_delay_set(0.1, 0.1)  # type: ignore[arg-type]  # a float works too
        topics = ("footfall/status/#", "footfall/+/crossing", "footfall/door/prediction", "footfall/display/+/pixels")
        self.operator = self.enter_context(Listener(self.broker.port, *topics, client=client))
        self.guest = self.enter_context(Listener(self.broker.guests, "footfall/+/crossing", client=guest))
        secret = self.broker.secrets / "classifier" / "1.password"
        settings = {"MODULE_NAME": PLAYER, "mqtt_port": self.broker.port, "mqtt_password_file": secret}
        self.player = self.enter_context(Bus(BusSettings.model_validate(settings)))
        self.play = Play(self.publish, self.fault.cameras)

    def publish(self, prediction: Prediction) -> None:
        """Publishes a scripted prediction."""
        at, classified_at = prediction.captured_at + self.clock, prediction.classified_at + self.clock
        self.player.publish(replace(prediction, captured_at=at, classified_at=classified_at))

    def _record_arrivals(self) -> None:
        record = self.hub.record

        def timed(topic: str, payload: bytes) -> None:
            record(topic, payload)
            self.sent_at.append((time.time(), self.hub.records()[-1]["body"]))

        self.hub.record = timed  # type: ignore[method-assign]

    # Programs

    def pid(self, name: str) -> int:
        """Returns the process of a module, of "broker" or of "guests"."""
        if name == "guests":
            return self.broker.guests_process.pid
        if name == "broker":
            return self.broker.pid
        process = self.modules[name].process
        assert process
        return process.pid

    def signal(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a module, to "broker" or to "guests"."""
        with suppress(ProcessLookupError):
            os.kill(self.pid(name), number)

    def ledger(self) -> Path:
        """Returns the ledger's file."""
        return Path(self.modules["counter"].setting("STATE_DIR")) / FILE

    def log(self) -> str:
        """Returns the logs of all programs."""
        return "\n".join([self.broker.log, *(module.log for module in self.modules.values())])

    def statuses(self, module: str) -> list[Status]:
        """Returns all statuses that a module has published so far."""
        return list(_unpacked(Status, self.operator.payloads(f"/status/{module}")))

    # Results

    def has_sent(self, since: float) -> bool:
        """Returns whether a crossing of a visitor after a time has arrived at the hub."""
        return any(body["type"] == "crossing" and body["at"] - self.ahead(body["at"]) > since for _, body in self.sent_at[-100:])

    def has_predicted(self, since: float) -> bool:
        """Returns whether there is a prediction of a picture that was captured after a time."""
        messages = self.operator.payloads("door/prediction")[-100:]
        return any(one.captured_at - self.clock > since for one in _unpacked(Prediction, messages))

    def predicted_between(self, begin: float, end: float) -> int:
        """Returns the number of predictions of pictures that were captured between two times."""
        found = _unpacked(Prediction, self.operator.payloads("door/prediction"))
        return sum(begin < one.captured_at - self.clock < end for one in found)

    def has_told_guests(self, since: float) -> bool:
        """Returns whether a crossing of a visitor after a time has reached a guest."""
        messages = self.guest.payloads("/crossing")[-100:]
        return any(one.at - self.clock > since for one in _unpacked(Crossing, messages))

    def has_page(self) -> bool:
        """Returns whether the page answers with the counts of today, for which it asks the counter."""
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.page_port}/api/counts", timeout=limit(0.4)).status_code == 200
        return False

    @property
    def first_prediction(self) -> float:
        """The time of the first picture that was classified."""
        return next(_unpacked(Prediction, self.operator.payloads("door/prediction"))).captured_at

    def door_visits(self) -> list[Visit]:
        """Returns the counted visits at the camera with pictures."""
        return [one for one in self._in_true_time(counted(self.ledger())).visits if one.camera == DOOR]

    def counted(self) -> Results:
        """Returns the content of the ledger, without the camera with pictures."""
        return _scripted(self._in_true_time(counted(self.ledger())))

    def sent(self) -> Results:
        """Returns what the hub has received, without the camera with pictures."""
        return _scripted(self._in_true_time(sent(body for _, body in list(self.sent_at))))

    def _in_true_time(self, results: Results) -> Results:
        """Returns the results with true times: those from before the clock was set keep theirs."""
        shifted = [(one, self.ahead(one.ended_at)) for one in results.visits]
        return Results(
            [replace(one, started_at=one.started_at - by, ended_at=one.ended_at - by) for one, by in shifted],
            [replace(one, at=one.at - self.ahead(one.at)) for one in results.crossings],
        )

    def ahead(self, at: float) -> float:
        """Returns how much the clock that gave a time of this run was ahead of the true one."""
        return self.clock if abs(time.time() - at) > abs(self.clock) / 2 else 0.0

    def settle(self) -> None:
        """Lets all visitors leave, and waits until their results have arrived, or nothing arrives any more."""
        self.play.end()
        if self.scene is not None:
            self.scene.wait_until_empty()
        arrived, since = 0, time.monotonic()
        while time.monotonic() - since < (SETTLED if arrived >= 2 * sum(self.play.truth.numbers) else GIVEN_UP):
            if (now := sum(self.counted().numbers) + sum(self.sent().numbers)) != arrived:
                arrived, since = now, time.monotonic()
            time.sleep(0.1)

    # Memory

    def _watch_memory(self) -> None:
        end = threading.Event()
        thread = threading.Thread(target=self._measure_memory, args=(end,), name="memory", daemon=True)
        thread.start()
        self.callback(thread.join)
        self.callback(end.set)

    def _measure_memory(self, end: threading.Event) -> None:
        limits = {"broker": _megabytes(BROKER.memory)} | {name: _megabytes(SERVICES[name].memory) for name in self.modules}
        while not end.wait(0.25):
            for name, megabytes in limits.items():
                with suppress(psutil.Error, AssertionError):
                    used = psutil.Process(self.pid(name)).memory_full_info().uss / 2**20
                    self.memory[name] = max(self.memory.get(name, 0.0), used / megabytes)


def _megabytes(text: str) -> int:
    found = re.fullmatch(r"(\d+)M", text)
    assert found
    return int(found[1])


def _scripted(results: Results) -> Results:
    visits, crossings = results
    return Results([one for one in visits if one.camera != DOOR], [one for one in crossings if one.camera != DOOR])


def _unpacked(kind: type[M], payloads: Iterable[bytes]) -> Iterator[M]:
    """Yields the messages in payloads, without garbage."""
    for payload in payloads:
        with suppress(InvalidMessage):
            yield kind.unpack(payload)
