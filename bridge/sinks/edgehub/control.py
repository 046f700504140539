"""Control from the cloud: desired properties, reported properties and direct methods, independent of the transport."""

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
from bridge.sinks.edgehub.setups import DesiredSetups
from bridge.sinks.edgehub.twin import (
    MODEL_PROPERTIES,
    create_patch,
    describe_model,
    describe_modules,
    describe_policy,
    read_model,
    read_policy,
    read_version,
)
from bus import Bus, Status, WantedModel, topics

log = logging.getLogger(__name__)

STATE_NAME = "desired"
NO_MODEL = WantedModel()
REPORT_INTERVAL = 30.0
"""Minimum seconds between two reports."""
METRICS_INTERVAL = 300.0
"""Minimum seconds between two reports of metrics only. Metrics always change, and the hub counts each report as a message."""
CHECK_INTERVAL = 1.0
"""Seconds between two checks for changes to report."""
REPUBLISH_INTERVAL = 30.0
"""Minimum seconds between two publications of the wanted model."""


class Control:
    """Control of the suite by the cloud. All methods are thread-safe."""

    def __init__(
        self,
        bus: Bus,
        forwarder: Forwarder,
        outbox: Outbox,
        report_interval: float = REPORT_INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Subscribes, so `bus` must not be connected yet."""
        self._bus = bus
        self._forwarder = forwarder
        self._outbox = outbox
        self._default_policy = forwarder.policy
        """The policy of the settings, for properties that the cloud does not set."""
        self._report_interval = report_interval
        self._clock = clock
        self._lock = threading.RLock()
        self._observer = Observer(bus)
        self._setups = DesiredSetups(bus, outbox, lambda: list(self._observer.cameras), clock)
        self._desired: dict[str, Any] = {}
        self._wanted_model = NO_MODEL
        self._published_at = float("-inf")
        self._refused: dict[str, str] = {}
        self._reported: Mapping[str, Any] = {}
        self._pending_report: Mapping[str, Any] = {}
        self._reported_at = self._metrics_at = self._checked_at = float("-inf")
        self.methods = Methods(bus, self._observer, self._status)
        bus.subscribe(topics.status(), Status, self._republish_model)

    def restore(self) -> None:
        """Applies the policy and the setups that the cloud wanted before the last stop; they hold until the twin arrives."""
        with self._lock:
            self._desired = self._outbox.saved_state(STATE_NAME)
            self._forwarder.policy, self._refused = read_policy(self._desired, self._default_policy)
            self._setups.restore()
            self._refused |= self._setups.want(self._desired)

    def maintain(self) -> None:
        """Publishes setups that wait. Call it about once a second."""
        self._setups.apply()

    def on_twin(self, twin: object) -> None:
        """Applies the desired properties of a twin if they have changed."""
        with self._lock:
            self._reported = _read_properties(twin, "reported")
            desired = _read_properties(twin, "desired")
            if read_version(desired) and desired != self._desired:
                self._desired = desired
                self._apply(desired)

    def _apply(self, properties: Mapping[str, Any]) -> None:
        self._forwarder.policy, self._refused = read_policy(properties, self._default_policy)
        wanted, refused = read_model(properties)
        self._refused |= refused | self._setups.want(properties)
        if wanted is not None and wanted != self._wanted_model:
            self._wanted_model, self._published_at = wanted, self._clock()
            self._bus.publish(wanted)
        suffix = f"; refused: {self._refused}" if self._refused else ""
        log.info("applied version %d of the desired properties%s", read_version(properties), suffix)
        public = {key: value for key, value in properties.items() if key not in MODEL_PROPERTIES}  # URLs can contain secrets
        try:
            self._outbox.add([], {STATE_NAME: public})
        except OutboxUnavailable as error:
            log.warning("cannot save the desired properties; they are lost at the next restart: %s", error)

    def _republish_model(self, status: Status) -> None:
        """Publishes the wanted model again if a classifier does not know it, for example after its restart."""
        wanted, update = self._wanted_model, status.about.update
        if wanted == NO_MODEL or (update is None and status.about.model is None):
            return
        knows = update is not None and update.state != "none" and (update.sha256 or "").lower() == (wanted.sha256 or "").lower()
        if not knows and self._clock() - self._published_at >= REPUBLISH_INTERVAL:
            self._published_at = self._clock()
            self._bus.publish(wanted)

    def due_report(self) -> dict[str, Any] | None:
        """Returns the merge patch of reported properties to send now; None if it is too early, or if nothing has changed."""
        with self._lock:
            now = self._clock()
            if now - self._reported_at < self._report_interval or now - self._checked_at < CHECK_INTERVAL:
                return None
            self._checked_at = now
            self._pending_report = self._report()
            patch = create_patch(self._reported, self._pending_report)
            if now - self._metrics_at < METRICS_INTERVAL and not _has_more_than_metrics(patch):
                return None
            return patch or None

    def on_report_answered(self, is_accepted: bool) -> None:
        """Records the hub's answer to the last patch. The next patch is due after the same time in either case."""
        with self._lock:
            if is_accepted:
                self._reported = self._pending_report
            self._reported_at = self._metrics_at = self._clock()

    def _report(self) -> dict[str, Any]:
        return {
            "version": version("footfall"),
            "desiredVersion": read_version(self._desired),
            "policy": describe_policy(self._forwarder.policy),
            "refused": self._refused,
            "setup": self._setups.report(),
            "model": describe_model(self._observer.classifier, self._wanted_model != NO_MODEL),
            "modules": describe_modules(self._observer.statuses),
        }

    def _status(self) -> dict[str, Any]:
        with self._lock:
            report = self._report()
        return report | {"cameras": self._observer.cameras, "outbox": self._outbox.size}


def _read_properties(twin: object, name: str) -> dict[str, Any]:
    """Returns the `desired` or `reported` properties of a twin; empty if they are missing or invalid."""
    properties = twin.get(name) if isinstance(twin, Mapping) else None
    return dict(properties) if isinstance(properties, Mapping) else {}


def _has_more_than_metrics(patch: Mapping[str, Any]) -> bool:
    modules = patch.get("modules") or {}
    return bool(patch.keys() - {"modules"}) or any(
        (module or {"state": None}).keys() - {"metrics"} for module in modules.values()
    )
