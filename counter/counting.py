"""The way of a prediction: counted, committed to the ledger, and only then acknowledged; visits are published from the ledger."""

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from pydantic import JsonValue

from bridge import outgoing
from bus import Bus, Command, CurrentLabel, DayCounts, InvalidMessage, Message, Prediction, Status, Visit, topics
from bus.states import ENDED
from counter import hours
from counter.camera import nobody
from counter.database import LedgerUnavailable
from counter.expiry import Expiry
from counter.ledger import Changes, Ledger
from counter.periods import SAVE_EVERY, counted_hours
from counter.publisher import VisitPublisher
from counter.site import MOST_CAMERAS, Round, Site
from runtime.backoff import Backoff
from runtime.explanation import NAME_PATTERN

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY = 1.0
"""Seconds."""
HELD_UP = 5.0
"""Seconds between two looks after which the bridge itself has stood still, and what it has not heard says nothing."""
TURN = 0.5
"""Seconds at most to wait for predictions."""
PRUNE_EVERY = 3600.0


class Counting:
    """Runs in the thread that calls `run`; whatever the ledger cannot take now is tried again, and holds up what comes after."""

    def __init__(self, bus: Bus, site: Site, ledger: Ledger, keep_days: int, stop: threading.Event) -> None:
        self._bus = bus
        self._site = site
        self._ledger = ledger
        self._keep_days = keep_days
        self._expiry = Expiry(ledger, timedelta(days=keep_days).total_seconds())
        self._stop = stop
        self._backoff = Backoff(most=5.0)
        self._counted: dict[str, tuple[date, int]] = {}
        """By camera: the day, and the five minutes of the last prediction, of which counts were published."""
        self._looked_at = self._pruned_at = float("-inf")
        self._publisher = VisitPublisher(bus, ledger)
        self._inbox = bus.inbox({topics.prediction(): Prediction, topics.command(): Command})
        bus.subscribe(topics.status(), Status, self._hear)
        self._cleared: SimpleQueue[str] = SimpleQueue()
        """Cameras whose label was cleared at the broker, filled by the network's thread."""
        bus.subscribe(topics.label(), CurrentLabel, self._clear_forgotten, cleared=self._on_cleared)
        self._ended: set[str] = set()
        """Cameras whose recording is at its end and counted."""
        self._reported_ended: list[JsonValue] = []
        bus.metrics.put("ended", [])

    def begin(self) -> bool:
        """Takes up where an earlier bridge left off, as soon as the ledger can be read; False when asked to stop before."""
        try:
            self._surely(self._expiry.save)
            self._site.recall(self._surely(self._ledger.memories), self._surely(lambda: self._expiry.clock.now))
        except _Stopped:
            return False
        return True

    def run(self) -> None:
        """Counts until `stop` is set."""
        try:
            while not self._stop.is_set():
                self.turn()
            self._publisher.finish()
            self._ledger.save_periods()
        except LedgerUnavailable as error:
            log.warning("%s; the last visits may be published again, and the last minutes are not recorded as counted", error)
        except _Stopped:
            log.warning("what the ledger could not take is with the broker, and comes again")
        for name in self._site.cameras:  # nobody tells who is there any more; the visits stay open in the ledger
            self._bus.publish(nobody(name))

    def turn(self, timeout: float = TURN) -> None:
        """Regards what came within `timeout` seconds, and what the time alone changes."""
        round_ = Round()
        while not self._cleared.empty():
            self._forget(self._cleared.get(), round_)
        regarded = [self._take_in(message, round_) for message in self._inbox.take(timeout)]
        since = time.monotonic() - self._looked_at
        if since >= LOOK_EVERY:
            self._looked_at = time.monotonic()
            self._site.look(self._bus.connected and since < HELD_UP, round_)
        self._settle(round_)
        self._inbox.acknowledge()
        self._report_ended()
        if any(regarded):
            self._bus.progressed()
        if since >= LOOK_EVERY:
            self._sum_up()
            self._prune()

    def _take_in(self, message: Message, round_: Round) -> bool:
        """Whether it was a prediction, and regarded. What cannot be is passed over: it would come again, to every bridge."""
        try:
            if isinstance(message, Command):
                self._site.obey(message, round_)
            elif isinstance(message, Prediction):
                self._ended.discard(message.camera)
                self._site.take_in(message, round_)
                return True
            elif isinstance(message, Status):
                self._on_ended(message, round_)
        except Exception as error:
            log.debug("%s", message, exc_info=True)
            self._bus.count_and_warn("failed", f"{message.topic}: {type(error).__name__}: {error}; passed over", message.topic)
        return False

    def _hear(self, status: Status) -> None:
        """The end of a recording waits behind the predictions before it; no other status matters here."""
        if status.state == ENDED:
            self._inbox.put(status, None)

    def _on_ended(self, status: Status, round_: Round) -> None:
        """A capture module reports it again and again. The camera need not be known: it may not have had any prediction."""
        camera = status.metrics.get("camera")
        if not isinstance(camera, str) or not re.fullmatch(NAME_PATTERN, camera) or camera in topics.RESERVED_CAMERAS:
            self._bus.count_and_warn("invalid", f"{status.topic}: camera: {camera!r:.80} is no name of a camera", status.topic)
        elif camera not in self._ended:
            if len(self._ended) >= MOST_CAMERAS:
                self._bus.count_and_warn("dropped_camera", f"{camera}: there are {MOST_CAMERAS} ended recordings already")
                return
            self._ended.add(camera)
            self._site.end_recording(camera, round_)

    def _report_ended(self) -> None:
        """Publishes at once, when visits are published, which recordings are counted to their end."""
        ended: list[JsonValue] = [*sorted(self._ended)]
        if ended != self._reported_ended:
            self._reported_ended = ended
            self._bus.metrics.put("ended", ended)
            self._bus.report()

    def _publish(self, message: Message) -> None:
        try:
            self._bus.publish(message)
        except InvalidMessage as error:  # as of the counts of very many labels
            self._bus.count_and_warn("too_large", str(error))

    def _settle(self, round_: Round) -> None:
        changes = round_.changes
        for name, camera in round_.cameras.items():
            if (text := camera.change()) is not None:
                changes.memories[name] = text
        corrected = self._surely(partial(self._ledger.commit, changes, self._site.policy.takes_visit))
        if corrected:
            log.warning("the clock was set: the times of %d visits that ended before were corrected", len(corrected))
        visits = changes.visits + [one.visit for one in corrected]
        self._surely(partial(self._publisher.publish, are_new=bool(visits)))
        for camera in round_.cameras.values():
            if not camera.is_told:
                camera.is_told = True
                self._publish(camera.label)
        for command in round_.commands:
            self._publish(command)
        self._tell_counts(visits + [one.before for one in corrected])

    def _tell_counts(self, visits: Sequence[Visit]) -> None:
        """Of the cameras at which visits ended, and of each every five minutes in which it counts, and when the day is another.

        A day on which a visit began that ends today is told once more; today's come last, as they are what is retained.
        """
        today = hours.day_of(time.time())
        for name, camera in self._site.cameras.items():
            days = {hours.day_of(visit.started_at) for visit in visits if visit.camera == name}
            due = today, int((camera.visits.memory.timeline.last_at or 0.0) // SAVE_EVERY)
            if days or self._counted.get(name) != due:
                self._counted[name] = due
                for day in (*sorted(days - {today}), today):
                    self._publish(self._surely(partial(counts_of, self._ledger, name, day)))

    def _sum_up(self) -> None:
        """Puts a summary of each hour that is over into the outbox."""
        changes, policy = Changes(), self._site.policy
        for camera, hour in self._site.hours_over():
            if (text := camera.change()) is not None:
                changes.memories[camera.name] = text
            if policy.takes_visits:
                is_demo = self._surely(partial(self._ledger.is_demo, camera.name, *hour))
                totals = self._surely(partial(self._ledger.totals, camera.name, *hour, policy.min_probability, is_demo))
                wanted = {label: number for label, number in totals.items() if policy.selects(label, 1.0)}
                changes.outgoing.append(outgoing.of_hour(camera.name, *hour, wanted, is_demo))
        self._surely(partial(self._ledger.commit, changes))

    def _prune(self) -> None:
        self._bus.metrics.put("clock_jump_seconds", round(self._expiry.jump))
        if time.monotonic() - self._pruned_at >= PRUNE_EVERY:
            self._pruned_at = time.monotonic()
            if number := self._surely(self._expiry.expire):
                log.info("visits deleted that were recorded KEEP_DAYS=%d days ago: %d", self._keep_days, number)

    def _problems(self) -> str:
        """What the status says of a bridge that runs nevertheless."""
        problems = []
        if broken := self._ledger.broken_file:
            problems.append(f"the ledger was broken and is repaired; the old file is {broken}")
        if jump := self._expiry.jump:
            direction = "ahead" if jump > 0 else "back"
            problems.append(
                f"the clock jumped {direction} by {abs(jump) / 86400:.0f} days: visits expire by the time that passed"
            )
        return "; ".join(problems)

    def _surely(self, call: Callable[[], T]) -> T:
        """What a call to the ledger returns, tried until it does; says meanwhile what is amiss."""
        while True:
            try:
                result = call()
            except LedgerUnavailable as error:
                self._bus.metrics.add("ledger_failed")
                self._bus.state("ledger-unavailable", str(error))
                if self._stop.wait(self._backoff.next()):
                    raise _Stopped from None
            else:
                self._backoff.reset()
                self._bus.state("running", self._problems())
                return result

    def _clear_forgotten(self, label: CurrentLabel) -> None:
        """A label that the broker has kept of a camera that is not known is true no more."""
        if label.camera not in self._site.cameras and label.label is not None:
            self._bus.publish(nobody(label.camera))

    def _on_cleared(self, topic: str) -> None:
        """Somebody has cleared a camera's label, which means that the camera is to be forgotten."""
        self._cleared.put(topics.second_level(topic))

    def _forget(self, name: str, round_: Round) -> None:
        self._bus.forget(topics.label(name), topics.counts(name))
        self._counted.pop(name, None)
        self._ended.discard(name)
        self._site.forget(name, round_)


class _Stopped(Exception):
    """Asked to stop while the ledger could not be used."""


def counts_of(ledger: Ledger, camera: str, day: date) -> DayCounts:
    """The visits begun at a camera on a day of the site, and when it was counting. Raises `LedgerUnavailable`."""
    begin, end = hours.bounds(day)
    with ledger.unchanged():
        is_demo = ledger.is_demo(camera, begin, end)
        visits = hours.by_hour(ledger.quarters(camera, begin, end, is_demo))
        periods = ledger.periods(camera, begin, end, is_demo)
    totals = {label: sum(by_hour.values()) for label, by_hour in visits.items()}
    busy = {hour for by_hour in visits.values() for hour in by_hour}
    return DayCounts(camera, day.isoformat(), totals, visits, counted_hours(periods, busy, begin, end), is_demo)
