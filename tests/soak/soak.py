"""A soak of the whole suite: a day's worth of frames at speed, first with kills, and then without."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil

from demo.about import CLIP, MODEL
from tests.edgehub.hub import EdgeHub
from tests.soak.calm import Calm, Statuses
from tests.soak.camera import FilmCamera
from tests.soak.film import RATE, Film, shoot
from tests.soak.outcome import Outcome
from tests.soak.readers import Readers
from tests.soak.suite import MODULES, VICTIMS, Suite
from tests.soak.usage import Usage, measure
from tests.soak.visits import Stores, compare, true_visits, upstream
from tests.support.broker import free_port
from tests.support.wait import limit

CAMERA = "door"
"""The camera of the suite's own capture, which plays the demo's clip in real time. Its visits have no known truth."""
KILL_INTERVAL = 10.0
"""Seconds from one kill to the next, on average."""
PAIRS = 0.25
"""The share of kills that hit two programs."""
SAMPLE_INTERVAL = 2.0
PROGRESS_INTERVAL = 30.0
BROKER_LOSES = 1.5
"""Seconds of predictions that a killed broker can lose."""
MIN_PICTURES = 1.0
"""Live pictures a second that a browser must get."""
VISIT_GAP = 8.0
"""Seconds without a visitor after which a visit ends. More than a killed program needs to start, so that no visit is split."""


def settings(folder: Path, cameras: Sequence[str], hub: EdgeHub, begin: float, hours: float) -> dict[str, object]:
    """Returns the settings of the suite. The cameras' own time is up to `hours` behind, and passes midnight at its half."""
    middle = datetime.fromtimestamp(begin, timezone.utc) + timedelta(hours=hours / 2)
    west = middle.hour if middle.hour <= 12 else middle.hour - 24  # the sign of these zones is that of POSIX
    return {
        "STATE_DIR": folder / "state",
        "MQTT_PORT": free_port(),
        "WEB_PORT": free_port(),
        "METRICS_PORT": _free_ports(len(MODULES)),
        "VIDEO_PATH": CLIP,
        "MODEL": MODEL,
        "FRAME_RATE": RATE,
        "CAMERAS": ",".join([CAMERA, *cameras]),
        "MATRIX": "none",
        "MAX_FRAME_AGE": 86400,
        "VISIT_GAP_SECONDS": VISIT_GAP,
        "TZ": f"Etc/GMT{west:+d}",
        "SINKS": "edgehub",
        **hub.environment,
    }


def _free_ports(number: int) -> int:
    """Returns the first of consecutive ports that are probably free."""
    while True:
        first = free_port()
        if all(_is_free(port) for port in range(first, first + number)):
            return first


def _is_free(port: int) -> bool:
    return all(one.laddr.port != port for one in psutil.net_connections("tcp") if one.laddr)


class Soak:
    """A running soak. Used as a context manager: entering starts the suite, the cameras and the readers."""

    def __init__(self, folder: Path, hours: float, cameras: int, seed: int, report: Callable[[str], object]) -> None:
        """`hours` is the cameras' own time, all of them together. `report` gets lines about the progress."""
        self._chance, self._report = random.Random(seed), report
        own_hours = hours / cameras
        began_at = float(int(time.time() - own_hours * 3600))
        names = [f"soak{number}" for number in range(1, cameras + 1)]
        report(f"drawing the pictures of scene {seed}")
        footage = shoot(seed)
        films = [Film(footage, f"{seed} {name}", round(own_hours * 3600 * RATE)) for name in names]
        self._hub = EdgeHub(folder / "hub")
        own = settings(folder, names, self._hub, began_at, own_hours)
        self._suite = Suite(folder, own)
        self._films, self._began_at = dict(zip(names, films, strict=True)), began_at
        self._ports = int(str(own["WEB_PORT"])), int(str(own["METRICS_PORT"]))
        self._running = ExitStack()
        self._outcome = Outcome()
        self._reported_at = 0.0

    def run(self) -> Outcome:
        """Runs the soak to its end. Raises `TimeoutError` if a program does not recover from a kill."""
        with self._running as running:
            running.enter_context(self._hub)
            running.enter_context(self._suite)
            statuses = running.enter_context(Statuses(self._suite.bus_settings("operator", "operator")))
            self._calm = Calm(self._suite, statuses)
            self._calm.wait_for_start()
            self._cameras = [
                FilmCamera(name, film, self._began_at, self._suite.bus_settings(f"capture-{name}", f"capture-{name}"), self._calm)
                for name, film in self._films.items()
            ]
            self._calm.cameras = self._cameras
            self._readers = running.enter_context(Readers(*self._ports, [CAMERA, *self._films], self._calm))
            for camera in self._cameras:
                running.enter_context(camera)
                camera.start()
            began = time.monotonic()
            self._kill_until_half()
            half = time.monotonic()
            exact_from = {camera.name: camera.at(camera.published) for camera in self._cameras}
            self._measure_until_end()
            self._outcome.seconds = half - began, time.monotonic() - half
            statuses.pause(CAMERA)
            self._check(exact_from)
        return self._outcome

    @property
    def _progress(self) -> float:
        """The part of the frames that is published."""
        return sum(one.published for one in self._cameras) / sum(one.film.frames for one in self._cameras)

    def _kill_until_half(self) -> None:
        victims = self._victims()
        while True:
            end = time.monotonic() + self._chance.uniform(0.5, 1.5) * KILL_INTERVAL
            while time.monotonic() < end:
                if self._progress >= 0.5:
                    return
                time.sleep(0.1)
                self._report_progress()
            names = [next(victims) for _ in range(2 if self._chance.random() < PAIRS else 1)]
            self._calm.kill(names)
            self._outcome.kills += len(names)

    def _victims(self) -> Iterator[str]:
        """Yields the programs to kill: each once, in random order, and then again."""
        while True:
            yield from self._chance.sample(VICTIMS, len(VICTIMS))

    def _measure_until_end(self) -> None:
        usages = self._outcome.usages = {name: Usage() for name in VICTIMS}
        while not all(camera.is_over for camera in self._cameras):
            for name, usage in usages.items():
                process = self._suite.process(name)
                with suppress(psutil.NoSuchProcess):  # it is started again, which is reported at the end
                    usage.samples += [measure(process)] if process else []
            time.sleep(SAMPLE_INTERVAL)
            self._report_progress()

    def _report_progress(self) -> None:
        if time.monotonic() - self._reported_at < PROGRESS_INTERVAL:
            return
        self._reported_at = time.monotonic()
        slow, lag = sum(one.slow for one in self._cameras), self._calm.lag
        frames = sum(one.published for one in self._cameras)
        self._report(
            f"{self._progress:.1%}: {frames} frames, {slow} of them in real time; {self._outcome.kills} kills; lag {lag}"
        )

    def _check(self, exact_from: dict[str, float]) -> None:
        """Compares ledger and hub with the truth, and looks for errors in logs."""
        stores, outcome = Stores(self._suite.data), self._outcome
        truth = {camera.name: true_visits(camera) for camera in self._cameras}
        number = sum(map(len, truth.values()))

        def is_settled() -> bool:
            return len([one for one in stores.visits() if one.camera in truth]) >= number and stores.waiting() == 0

        end = time.monotonic() + limit(20)
        while not is_settled() and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(2)  # surplus visits would arrive now
        ledger, sent = stores.visits(), upstream(self._hub.records())
        tolerance = self._calm.slowest + BROKER_LOSES
        for name, visits in truth.items():
            found = [one for one in ledger if one.camera == name]
            outcome.problems += compare(visits, found, exact_from[name], tolerance)
        if missing := {one.id for one in ledger} ^ {one.id for one in sent}:
            outcome.problems.append(f"{len(missing)} visits are only in the ledger or only at the hub")
        if changed := set(ledger) ^ set(sent):
            outcome.problems.append(f"{len(changed)} visits differ between the ledger and the hub")
        if waiting := stores.waiting():
            outcome.problems.append(f"{waiting} results still wait")
        for name, log in self._suite.logs():
            if tracebacks := log.count("Traceback (most recent call last)"):
                outcome.problems.append(f"{name}: {tracebacks} tracebacks in the log")
        for name, times in self._suite.ended_by_themselves().items():
            outcome.problems.append(f"{name}: ended {times} times without a kill")
        for camera in self._cameras:
            if camera.unanswered:
                outcome.problems.append(f"{camera.name}: {camera.unanswered} frames without a prediction while all worked")
        outcome.problems += self._readers.failures
        if self._readers.pictures < sum(outcome.seconds) * MIN_PICTURES:
            outcome.problems.append(f"only {self._readers.pictures} live pictures")
        outcome.frames = sum(one.published for one in self._cameras)
        outcome.predictions = sum(one.predicted for one in self._cameras)
        outcome.visits, outcome.restarts, outcome.recoveries = number, self._suite.restarts, self._calm.recoveries
        outcome.pictures, outcome.polls = self._readers.pictures, self._readers.polls
