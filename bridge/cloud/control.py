"""What the cloud may ask of the bridge and what it is told in return, apart from how that travels."""

import json
import logging
import threading
import time
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from typing import Any

from bridge.cloud import report
from bridge.cloud.methods import Methods, NotPossible
from bridge.cloud.twin import MODEL, Taken, Twin, policy_of
from bus import Bus, Status, topics
from classifier.model.updates import ModelUpdates
from counter import hours
from counter.counting import counts_of
from counter.database import LedgerUnavailable
from counter.ledger import Ledger
from counter.site import Site

log = logging.getLogger(__name__)

NOTE = "desired"
REPORT_EVERY = 30.0
"""Seconds; least time between two reports."""
FIGURES_EVERY = 300.0
"""Seconds; metrics alone change all the time, and each report is counted as a message by the hub."""
LOOK_EVERY = 1.0
"""Seconds between two looks at whether there is something to report."""


class Control:
    """Applies desired properties, makes reports, answers methods; from any thread."""

    def __init__(self, bus: Bus, site: Site, ledger: Ledger, models: ModelUpdates | None) -> None:
        self._site = site
        self._ledger = ledger
        self._own = site.policy
        """That of the settings, in force where the cloud wants nothing else."""
        self._models = models
        self._lock = threading.RLock()
        self._statuses: dict[str, Status] = {}
        self._twin = Twin()
        self._refused: dict[str, str] = {}
        self._reported: Mapping[str, Any] = {}
        self._reported_at = self._figures_at = self._looked_at = float("-inf")
        self.methods = Methods(self._status, lambda: sorted(site.cameras), self._counts, bus.publish, self._rollback)
        bus.subscribe(topics.status(), Status, self._hear)

    def recall(self) -> None:
        """Selects as the cloud wanted when it was heard last, until it is heard again."""
        with self._lock:
            self._twin = Twin(_noted(self._ledger))
            self._site.policy, self._refused = policy_of(self._twin.desired, self._own)

    def connected(self, twin: object) -> None:
        """Regards the whole twin as a new connection gave it."""
        with self._lock:
            self._reported = _part(twin, "reported")
            self._figures_at = float("-inf")
            if self._twin.take_whole(_part(twin, "desired"), first=True) is Taken.APPLIED:
                self._apply()

    def refreshed(self, twin: object) -> None:
        """Regards the whole twin as an old connection gave it."""
        with self._lock:
            if self._twin.take_whole(_part(twin, "desired")) is Taken.APPLIED:
                self._apply()

    def patched(self, patch: object) -> Taken:
        """Regards a change of the desired properties."""
        with self._lock:
            taken = self._twin.take_patch(patch)
            if taken is Taken.APPLIED:
                self._apply()
            return taken

    def _apply(self) -> None:
        desired = self._twin.desired
        self._site.policy, self._refused = policy_of(desired, self._own)
        url, sha256 = (desired.get(name) for name in MODEL)
        if self._models is not None:
            self._refused |= self._models.want(url, sha256)
        elif url is not None or sha256 is not None:
            self._refused["modelUrl"] = "MODEL_STORE is not set, the folder that the classifier's model is in"
        log.info(
            "version %d of what the cloud wants is in force%s",
            self._twin.version,
            f"; refused: {self._refused}" if self._refused else "",
        )
        kept = {name: value for name, value in desired.items() if name not in MODEL}  # an address may hold a secret
        try:
            self._ledger.set_note(NOTE, json.dumps(kept))
        except LedgerUnavailable as error:
            log.warning("what the cloud wants is in force until the next start only: %s", error)

    def due(self) -> dict[str, Any] | None:
        """The reported properties that are to be changed now; None when it is not time, or there is nothing."""
        with self._lock:
            now = time.monotonic()
            if now - self._reported_at < REPORT_EVERY or now - self._looked_at < LOOK_EVERY:
                return None
            self._looked_at = now
            wanted = self._report()
            patch = report.difference(self._reported, wanted)
            if now - self._figures_at < FIGURES_EVERY and not _without_figures(patch):
                return None
            return patch or None

    def reported(self, patch: Mapping[str, Any]) -> None:
        """Says that a patch has been taken by the hub."""
        with self._lock:
            self._reported = report.merged(self._reported, patch)
            self._reported_at = self._figures_at = time.monotonic()

    def refused(self) -> None:
        """Says that the hub does not take the report; the next is due as after one that it took."""
        with self._lock:
            self._reported_at = self._figures_at = time.monotonic()

    def _report(self) -> dict[str, Any]:
        return {
            "version": version("footfall"),
            "desiredVersion": self._twin.version,
            "policy": report.of_policy(self._site.policy),
            "refused": self._refused,
            "model": {} if self._models is None else self._models.report,
            "modules": report.of_modules(dict(self._statuses)),
        }

    def _hear(self, status: Status) -> None:
        if status.module in self._statuses or len(self._statuses) < report.MOST_MODULES:
            self._statuses[status.module] = status  # without the lock, which may be held while the ledger is waited for
        if self._models is not None and ("model" in status.metrics or status.module.startswith("classifier")):
            self._models.hear(status)

    def _status(self) -> dict[str, Any]:
        with self._lock:
            told = self._report()
        cameras = {
            name: {"label": camera.label.label, "since": camera.label.since, "pausedAt": camera.kept.paused_at}
            for name, camera in dict(self._site.cameras).items()
        }
        return told | {"cameras": cameras, "outbox": self._ledger.outbox_size}

    def _counts(self, camera: str, day: date | None) -> Mapping[str, Any]:
        counts = counts_of(self._ledger, camera, day or hours.day_of(time.time()))
        return {
            "day": counts.day,
            "totals": counts.totals,
            "visits": counts.visits,
            "counted": counts.counted,
            "demo": counts.demo,
        }

    def _rollback(self) -> str:
        if self._models is None:
            raise NotPossible("MODEL_STORE is not set, there is no model to go back to")
        return self._models.rollback()


def _noted(ledger: Ledger) -> dict[str, Any]:
    """What the cloud wanted when it was heard last."""
    try:
        noted = json.loads(ledger.note(NOTE) or "{}")
    except (LedgerUnavailable, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _part(twin: object, name: str) -> dict[str, Any]:
    """The desired or the reported properties of a twin; empty where it has none."""
    part = twin.get(name) if isinstance(twin, Mapping) else None
    return dict(part) if isinstance(part, Mapping) else {}


def _without_figures(patch: Mapping[str, Any]) -> bool:
    """Whether anything but metrics is in a patch."""
    modules = patch.get("modules") or {}
    return bool(patch.keys() - {"modules"}) or any(
        (module or {"state": None}).keys() - {"metrics"} for module in modules.values()
    )
