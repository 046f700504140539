"""What the cloud may change and what is reported to it, apart from the transport."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from bridge.database import OutboxUnavailable
from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.sinks.edgehub.methods import Methods
from bridge.sinks.edgehub.observer import Observer
from bridge.sinks.edgehub.twin import (
    MODEL,
    describe_model,
    describe_modules,
    describe_policy,
    difference,
    read_model,
    read_policy,
    read_version,
)
from bus import Bus, Status, WantedModel, topics

log = logging.getLogger(__name__)

NOTE = "desired"
NO_MODEL = WantedModel()
REPORT_EVERY = 30.0
"""Seconds; minimum time between two reports."""
METRICS_EVERY = 300.0
"""Seconds; metrics alone change all the time, and the hub counts each report as a message."""
CHECK_EVERY = 1.0
"""Seconds between two checks for something to report."""
REMIND_EVERY = 30.0
"""Seconds between two publications of the wanted model to a classifier that does not know it."""


class Control:
    """Applies desired properties, makes reports, answers methods; from any thread."""

    def __init__(
        self,
        bus: Bus,
        forwarder: Forwarder,
        outbox: Outbox,
        report_every: float = REPORT_EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """To be made before the bus is entered."""
        self._bus = bus
        self._forwarder = forwarder
        self._outbox = outbox
        self._default = forwarder.policy
        """The settings' policy, in force where the cloud wants nothing else."""
        self._report_every = report_every
        self._clock = clock
        self._lock = threading.RLock()
        self._observer = Observer(bus)
        self._desired: dict[str, Any] = {}
        self._wanted = NO_MODEL
        self._reminded_at = float("-inf")
        self._refused: dict[str, str] = {}
        self._reported: Mapping[str, Any] = {}
        self._pending: Mapping[str, Any] = {}
        self._reported_at = self._metrics_at = self._checked_at = float("-inf")
        self.methods = Methods(bus, self._observer, self._status)
        bus.subscribe(topics.status(), Status, self._remind)

    def recall(self) -> None:
        """Apply what the cloud wanted before the last stop, until the cloud is connected."""
        with self._lock:
            self._desired = self._outbox.note(NOTE)
            self._forwarder.policy, self._refused = read_policy(self._desired, self._default)

    def received(self, twin: object) -> None:
        """Apply the twin if its desired properties have changed."""
        with self._lock:
            self._reported = _part(twin, "reported")
            desired = _part(twin, "desired")
            if read_version(desired) and desired != self._desired:
                self._desired = desired
                self._apply(desired)

    def _apply(self, properties: Mapping[str, Any]) -> None:
        self._forwarder.policy, self._refused = read_policy(properties, self._default)
        wanted, refused = read_model(properties)
        self._refused |= refused
        if wanted is not None and wanted != self._wanted:
            self._wanted, self._reminded_at = wanted, self._clock()
            self._bus.publish(wanted)
        suffix = f"; refused: {self._refused}" if self._refused else ""
        log.info("version %d of the desired properties is in force%s", read_version(properties), suffix)
        kept = {name: value for name, value in properties.items() if name not in MODEL}  # an address may hold a secret
        try:
            self._outbox.add([], {NOTE: kept})
        except OutboxUnavailable as error:
            log.warning("the desired properties are in force until the next start only: %s", error)

    def _remind(self, status: Status) -> None:
        """Publish the wanted model again to a classifier that does not know it, as after its restart."""
        wanted, update = self._wanted, status.about.update
        if wanted == NO_MODEL or (update is None and status.about.model is None):
            return
        knows = update is not None and update.state != "none" and (update.sha256 or "").lower() == (wanted.sha256 or "").lower()
        if not knows and self._clock() - self._reminded_at >= REMIND_EVERY:
            self._reminded_at = self._clock()
            self._bus.publish(wanted)

    def due(self) -> dict[str, Any] | None:
        """The patch of reported properties that is due now; None when it is too early, or nothing changed."""
        with self._lock:
            now = self._clock()
            if now - self._reported_at < self._report_every or now - self._checked_at < CHECK_EVERY:
                return None
            self._checked_at = now
            self._pending = self._report()
            patch = difference(self._reported, self._pending)
            if now - self._metrics_at < METRICS_EVERY and not _has_more_than_metrics(patch):
                return None
            return patch or None

    def reported(self, is_accepted: bool) -> None:
        """The hub has answered the last patch; the next is due after the same time, accepted or not."""
        with self._lock:
            if is_accepted:
                self._reported = self._pending
            self._reported_at = self._metrics_at = self._clock()

    def _report(self) -> dict[str, Any]:
        return {
            "version": version("footfall"),
            "desiredVersion": read_version(self._desired),
            "policy": describe_policy(self._forwarder.policy),
            "refused": self._refused,
            "model": describe_model(self._observer.classifier, self._wanted != NO_MODEL),
            "modules": describe_modules(self._observer.statuses),
        }

    def _status(self) -> dict[str, Any]:
        with self._lock:
            now = self._report()
        return now | {"cameras": self._observer.cameras, "outbox": self._outbox.size}


def _part(twin: object, name: str) -> dict[str, Any]:
    """The desired or the reported properties of a twin; empty without any."""
    part = twin.get(name) if isinstance(twin, Mapping) else None
    return dict(part) if isinstance(part, Mapping) else {}


def _has_more_than_metrics(patch: Mapping[str, Any]) -> bool:
    modules = patch.get("modules") or {}
    return bool(patch.keys() - {"modules"}) or any(
        (module or {"state": None}).keys() - {"metrics"} for module in modules.values()
    )
