"""Whether all programs work, and how long they take until they work again."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from math import inf
from typing import Any, NamedTuple

from paho.mqtt import client as mqtt
from typing_extensions import Self

from bus import Command, states, topics
from bus.settings import BusSettings
from tests.soak.camera import FilmCamera
from tests.soak.suite import BROKER, GUESTS, MODULES, Suite
from tests.support.broker import accepts
from tests.support.wait import limit

POLL_INTERVAL = 0.05
RECONNECT_DELAY = 0.1
MAX_LAG = 50
"""Predictions that wait in the counter, above which the cameras slow down."""
MAX_WAIT = 20.0
"""Seconds until the suite must work again for the soak to go on."""


class Report(NamedTuple):
    """A module's report that it runs: its Unix time, and the process."""

    at: float
    instance: str


class Statuses:
    """The last report of each module that runs. Used as a context manager."""

    def __init__(self, settings: BusSettings) -> None:
        self._client = mqtt.Client()
        self._client.username_pw_set(settings.username or "", settings.password)
        self._client.reconnect_delay_set(RECONNECT_DELAY, RECONNECT_DELAY)  # type: ignore[arg-type]  # a float works too
        self._client.on_connect = lambda *_: self._client.subscribe(topics.status())
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", settings.mqtt_port)
        self.running: dict[str, Report] = {}

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def pause(self, camera: str) -> None:
        """Pauses a camera, which ends its open visit."""
        self._client.publish(topics.command(camera), Command(camera, "pause").pack(), 1)

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        status = json.loads(message.payload or '{"state": "", "module": ""}')  # empty if it was cleared
        if status["state"] == states.RUNNING:
            self.running[status["module"]] = Report(status["at"], status["instance"])
        else:
            self.running.pop(status["module"], None)


class Calm:
    """The state of the suite between kills. `lag` is the number of predictions that wait in the counter."""

    def __init__(self, suite: Suite, statuses: Statuses) -> None:
        self._suite, self._statuses = suite, statuses
        self.cameras: Sequence[FilmCamera] = ()
        self.lag = 0
        self.since = inf
        """The monotonic time since which all programs have worked; infinite while one does not."""
        self.recoveries: dict[str, list[float]] = {}
        """By program: the seconds from each kill until everything worked again."""

    def __call__(self) -> bool:
        """Returns whether all programs work and the counter does not lag behind."""
        return self.since < inf and self.lag <= MAX_LAG

    @property
    def slowest(self) -> float:
        """The longest time until everything worked again, in seconds."""
        return max((one for times in self.recoveries.values() for one in times), default=0.0)

    def wait_for_start(self) -> None:
        """Waits until all programs run. Raises `TimeoutError`."""
        self._wait(lambda: self._statuses.running.keys() >= set(MODULES), "start")

    def kill(self, names: Collection[str]) -> None:
        """Kills programs at the same time, and waits until everything works again. Raises `TimeoutError`."""
        self.since, began, before = inf, time.time(), dict(self._statuses.running)
        for name in names:
            self._suite.kill(name)
        published = {one: one.published for one in self.cameras}

        def is_running(name: str) -> bool:
            report = self._statuses.running.get(name)
            if report is None or (BROKER in names and report.at < began):
                return False
            return name not in names or name not in before or report.instance != before[name].instance

        def is_working() -> bool:
            is_seen = all(one.is_over or one.last_answered >= published[one] for one in self.cameras)  # a frame since then
            has_guests = not {BROKER, GUESTS} & set(names) or accepts(self._suite.plan.port)
            return is_seen and has_guests and all(map(is_running, MODULES))

        self._wait(is_working, f"recovery after a kill of {', '.join(names)}")
        for name in names:
            self.recoveries.setdefault(name, []).append(time.time() - began)

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + limit(MAX_WAIT)
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {limit(MAX_WAIT):g} s")
            time.sleep(POLL_INTERVAL)
        self.since = time.monotonic()
