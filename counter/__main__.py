"""Turns predictions into visits, stores and counts them, and answers questions about the counts."""

import threading
from contextlib import closing

from bus import Bus
from counter.answers import Answers
from counter.expiry import Expiry
from counter.ledger import Ledger
from counter.main_loop import MainLoop
from counter.opening import OpeningHours
from counter.registry import CameraRegistry
from counter.reports import Reports
from counter.settings import Settings
from runtime import process


def main(settings: Settings, stop: threading.Event) -> None:
    """Counts until `stop` is set."""
    calendar = settings.calendar
    bus = Bus(settings, persistent=True)
    with closing(Ledger(settings.state_dir, bus.metrics, progressed=bus.progressed)) as ledger:
        registry = CameraRegistry(
            settings.rules, calendar, bus.count_and_warn, complete=settings.completed, reset_at=settings.reset_at
        )
        registry.opening = OpeningHours(settings.opening_hours) if settings.opening_hours else None
        reports = Reports(ledger, calendar)
        loop = MainLoop(bus, registry, reports, ledger, Expiry(ledger, settings.keep_days))
        answers = Answers(bus, reports, lambda: list(registry.cameras), settings.opening_hours)
        with bus, answers.worker:
            loop.run(stop)


if __name__ == "__main__":
    process.terminate(process.run(main, Settings, __doc__ or ""))  # an answer may still wait for a locked ledger
