"""Helpers of the counter's tests: scripted predictions, visits, and a counter without a network, on manual clocks."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TypeVar

from paho.mqtt.client import MQTTMessage

from bus import Bus, Crossing, Message, Prediction, Setup, Status, Visit
from bus.inbox import Delivery
from bus.settings import BusSettings
from counter.changes import CROSSING_COLUMNS, VISIT_COLUMNS, Changes, crossing_from_row, visit_from_row
from counter.clocks import SYSTEM, Clocks
from counter.expiry import Expiry
from counter.hours import Calendar
from counter.ids import result_id
from counter.ledger import Ledger
from counter.main_loop import MainLoop
from counter.presence import PresenceRules
from counter.registry import CameraRegistry
from counter.reports import Reports
from runtime.metrics import Metrics
from tests.support.samples import prediction

M = TypeVar("M", bound=Message)
RULES = PresenceRules(threshold=0.5, frames=3, gap=1.5)
NOON = 1_790_000_000.0
UTC = Calendar("UTC")


def scripted(text: str, interval: float = 0.1, start: float = NOON, probability: float = 0.9) -> list[Prediction]:
    """Returns a prediction for each letter: w(oman), m(an), n(obody), "?" for an improbable woman; a blank is a missing frame."""
    labels = {"w": "woman", "m": "man", "x": "x", "n": "nobody", "?": "woman"}
    return [
        prediction(labels[letter], 0.4 if letter == "?" else probability, start + number * interval)
        for number, letter in enumerate(text)
        if letter != " "
    ]


def brief(visits: Iterable[Visit]) -> list[tuple[str, float, float, int]]:
    """Returns label, start and end in seconds after noon, and frames of each visit."""
    return [(one.label, round(one.started_at - NOON, 2), round(one.ended_at - NOON, 2), one.frames) for one in visits]


def visit_id(number: int, camera: str = "door") -> str:
    return result_id(camera, "", "test", number)


def visit(number: int, at: float | None = None, label: str = "woman", camera: str = "door") -> Visit:
    """Returns a visit with its own id; without a time, ten seconds after the previous one."""
    start = NOON + 10.0 * number if at is None else at
    return Visit(visit_id(number, camera), camera, label, start, start + 4, 0.9, 40)


def crossing(of: Visit) -> Crossing:
    """Returns a crossing of a visit, with another label, two seconds after it began."""
    return Crossing(result_id(of.camera, "", "crossing", of.id), of.camera, of.id, "entrance", "in", "man", of.started_at + 2)


def with_visit(number: int) -> Changes:
    """Returns changes with a visit and a camera's state."""
    return Changes({"door": f'"after {number}"'}, [visit(number)])


def open_ledger(folder: Path, clocks: Clocks = SYSTEM, lock_timeout: float = 0.2) -> Ledger:
    return Ledger(folder, Metrics(), clocks, lock_timeout)


def recorded(ledger: Ledger) -> list[Visit]:
    """Returns all visits, in the order in which they were recorded."""
    with ledger.reading() as connection:
        return [visit_from_row(row) for row in connection.execute(f"SELECT {VISIT_COLUMNS} FROM visit ORDER BY number")]


def recorded_crossings(ledger: Ledger) -> list[Crossing]:
    """Returns all crossings, in the order in which they were recorded."""
    query = f"SELECT {CROSSING_COLUMNS} FROM crossing ORDER BY number"
    with ledger.reading() as connection:
        return [crossing_from_row(row) for row in connection.execute(query)]


def unpublished_ids(ledger: Ledger) -> list[str]:
    """Returns the ids of the unpublished messages."""
    return [one.message.id for one in ledger.unpublished(0, 100_000)]


class ManualClocks:
    """Clocks that only a test advances; the wall clock is ahead by `wrong` seconds."""

    def __init__(self, now: float = NOON, wrong: float = 0.0) -> None:
        self.now, self.wrong = now, wrong
        self.up = 1000.0  # seconds of the steady clock
        self.clocks = Clocks(lambda: self.now + self.wrong, lambda: self.up)

    def advance(self, seconds: float) -> None:
        self.now, self.up = self.now + seconds, self.up + seconds


class OfflineBus(Bus):
    """The real bus without a network: it records what the counter publishes, and receives what a test sends."""

    def __init__(self, published: list[Message]) -> None:
        super().__init__(BusSettings.model_validate({"MODULE_NAME": "counter"}), persistent=True)
        self.connected, self.connection = True, 1
        self.published = published
        self.room = 1000  # how many more messages with an acknowledgement it accepts
        self.acknowledges = True
        self.acknowledgements: list[Callable[[], object]] = []
        self.deliveries: list[Delivery] = []  # acknowledged by the counter
        self.unacknowledged: dict[int, tuple[str, bytes]] = {}  # topic and payload by packet id
        self._packets = count(1)
        self.progress = 0
        self.forgotten: list[str] = []

    def receive(self, *messages: Message) -> None:
        for one in messages:
            self.deliver(one.topic, one.pack(), one.QOS)

    def deliver(self, topic: str, payload: bytes, qos: int = 0) -> None:
        received = MQTTMessage(next(self._packets), topic.encode())
        received.payload, received.qos = payload, qos
        if qos > 0:
            self.unacknowledged[received.mid] = topic, payload
        self._client._handle_on_message(received)  # type: ignore[attr-defined]

    def publish(self, message: Message, acknowledged: Callable[[], object] | None = None) -> bool:
        message.pack()
        if acknowledged is not None:
            if self.room == 0:
                return False
            self.room -= 1
            self.acknowledgements.append(acknowledged)
            if self.acknowledges:
                acknowledged()
        self.published.append(message)
        return True

    def _acknowledge(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        del self.unacknowledged[delivery.packet]

    def forget(self, *topics: str) -> None:
        self.forgotten += topics

    def progressed(self) -> None:
        self.progress += 1


class Shop(ManualClocks):
    """A counter that can be restarted with its ledger; `published` has the messages of all runs."""

    def __init__(self, folder: Path, wrong: float = 0.0, keep_days: float = 400) -> None:
        super().__init__(wrong=wrong)
        self.folder, self.keep_days = folder, keep_days
        self.published: list[Message] = []
        self.complete: Callable[[Setup], Setup] = lambda setup: setup
        self.start()

    def start(self) -> None:
        self.bus = OfflineBus(self.published)
        self.ledger = Ledger(self.folder, self.bus.metrics, self.clocks, lock_timeout=0.1)
        self.reports = Reports(self.ledger, UTC)
        self.registry = CameraRegistry(RULES, UTC, self.bus.count_and_warn, self.clocks, self.complete)
        self.expiry = Expiry(self.ledger, self.keep_days, self.clocks)
        self.counter = MainLoop(self.bus, self.registry, self.reports, self.ledger, self.expiry)
        self.counter.restore()

    def close(self) -> None:
        """Closes the ledger, as a kill would."""
        self.ledger.close()

    def restart(self, after: float = 0.0) -> None:
        """Restarts after a kill and `after` seconds without power: only committed data is known. The broker repeats the rest."""
        self.close()
        self.now += after
        kept = [*self.bus.unacknowledged.values()]
        self.start()
        for topic, payload in kept:
            self.bus.deliver(topic, payload, 1)

    def step(self, seconds: float = 0.0) -> None:
        """Advances the clocks, and runs one step."""
        self.advance(seconds)
        self.counter.step(0)

    def pass_time(self, seconds: float) -> None:
        """Lets time pass, with a step every four seconds."""
        for _ in range(round(seconds / 4)):
            self.step(4)

    def receive(self, *messages: Message, at_once: bool = True) -> None:
        """Receives messages in one step, as after an absence, or one by one, at the time of the last prediction."""
        for some in [messages] if at_once else [(one,) for one in messages]:
            self.bus.receive(*some)
            self.step(max([0.0, *(one.captured_at - self.now for one in some if isinstance(one, Prediction))]))

    def see(self, text: str, start: float = 0.0, camera: str = "door", interval: float = 0.1, demo: bool = False) -> None:
        """Receives scripted predictions one by one, from `start` seconds after noon on."""
        some = scripted(text, interval, NOON + start)
        self.receive(*(replace(one, camera=camera, demo=demo) for one in some), at_once=False)

    def sent(self, kind: type[M]) -> list[M]:
        """Returns the published messages of one type."""
        return [one for one in self.published if isinstance(one, kind)]

    @property
    def visits(self) -> list[Visit]:
        return recorded(self.ledger)

    @property
    def crossings(self) -> list[Crossing]:
        return recorded_crossings(self.ledger)

    @property
    def status(self) -> Status:
        return self.sent(Status)[-1]

    @property
    def metrics(self) -> dict[str, float]:
        return self.bus.metrics.snapshot()
