"""The setups of cameras that the cloud wants: the desired property `setup`, by camera."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.database import OutboxUnavailable
from bridge.outbox import Outbox
from bus import Bus, InvalidMessage, Setup, Setups, topics
from bus.setups import MAX_CAMERAS

log = logging.getLogger(__name__)

PROPERTY = "setup"
STATE_NAME = "applied setups"
CHECK_INTERVAL = 1.0
"""Seconds between two checks for setups to publish."""
REPUBLISH_INTERVAL = 30.0
"""Seconds after which a setup that did not come back from the broker is published again."""
MAX_RECEIVED = 1000
MAX_REPORTED = 16
"""Maximum number of cameras in the reported properties, which have a limit of 32 KB together."""
MAX_DETAIL = 96


@dataclass(slots=True)
class _Sent:
    """A setup that was published, or None if the retained one was deleted; confirmed when the broker has delivered it back."""

    setup: Setup | None
    at: float
    is_confirmed: bool = False


class DesiredSetups:
    """Publishes each setup once when it changes in the twin. Thread-safe.

    The setups applied last are saved. So a setup that a person draws later is not overwritten at the next start: the last change
    counts, wherever it was made. A camera that disappears from the property gets back what the settings say.
    """

    def __init__(
        self, bus: Bus, outbox: Outbox, known_cameras: Callable[[], Collection[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Subscribes, so `bus` must not be connected yet."""
        self._bus = bus
        self._outbox = outbox
        self._known_cameras = known_cameras
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted: dict[str, Any] = {}
        """The property, by camera."""
        self._setups: dict[str, Setup] = {}
        """The valid ones."""
        self._invalid: dict[str, str] = {}
        """By camera, why the wanted setup is refused."""
        self._applied: dict[str, Any] = {}
        """By camera, the part of the property that was applied last."""
        self._is_saved = True
        self._unknown: dict[str, str] = {}
        self._sent: dict[str, _Sent] = {}
        self._received: deque[tuple[str, Setup | None]] = deque(maxlen=MAX_RECEIVED)
        """Setups from the broker, None for a deleted one. The network thread takes no lock: `apply` may wait for the disk."""
        self._retained = Setups(bus)
        self._checked_at = float("-inf")
        bus.subscribe(
            topics.setup(), Setup, lambda setup: self._received.append((setup.camera, setup)), on_cleared=self._on_cleared
        )

    def _on_cleared(self, topic: str) -> None:
        self._received.append((topics.setup.name_in(topic), None))

    def restore(self) -> None:
        """Reads which setups were applied before the last stop. Raises `OutboxUnavailable`."""
        with self._lock:
            self._applied = self._outbox.saved_state(STATE_NAME)

    def want(self, desired: Mapping[str, Any]) -> dict[str, str]:
        """Takes the property from desired properties. Returns the reason if it is refused as a whole; then nothing changes."""
        wanted = desired.get(PROPERTY)
        with self._lock:
            is_map = wanted is None or isinstance(wanted, Mapping)
            self._wanted = (
                {camera: value for camera, value in (wanted or {}).items() if value is not None}
                if is_map
                else dict(self._applied)
            )
            self._setups, self._invalid = {}, {}
            for camera, value in self._wanted.items():
                try:
                    self._setups[camera] = _read(camera, value)
                except InvalidMessage as error:
                    self._invalid[camera] = str(error)
            self._checked_at = float("-inf")
        return {} if is_map else {PROPERTY: f"{wanted!r:.60}: must be a map of cameras"}

    def apply(self) -> None:
        """Publishes what is wanted and not applied yet, and saves what was applied. Call it about once a second."""
        with self._lock:
            now = self._clock()
            if now - self._checked_at < CHECK_INTERVAL:
                return
            self._checked_at, self._unknown = now, {}
            self._confirm()
            known = self._known_cameras()
            for camera in self._cameras():
                if camera in self._invalid or self._is_applied(camera):
                    continue
                if camera in known:
                    self._publish(camera, now)
                else:
                    self._unknown[camera] = f"unknown camera; known cameras: {', '.join(known) or 'none'}"
            self._save()

    def report(self) -> dict[str, dict[str, str]]:
        """Returns by camera whether the wanted setup is `applied`, has `changed` since, or is `waiting` or `refused`."""
        with self._lock:
            return {camera: self._describe(camera) for camera in self._cameras()[:MAX_REPORTED]}

    def _cameras(self) -> list[str]:
        return sorted({*self._wanted, *self._applied})[:MAX_CAMERAS]

    def _confirm(self) -> None:
        """Confirms the setups that the broker has delivered back."""
        while self._received:
            camera, setup = self._received.popleft()
            if (sent := self._sent.get(camera)) is not None and sent.setup == setup:
                sent.is_confirmed = True

    def _is_applied(self, camera: str) -> bool:
        """Returns whether nothing is left to publish. A confirmed setup is applied now."""
        wanted, sent = self._wanted.get(camera), self._sent.get(camera)
        if sent is not None and sent.is_confirmed and sent.setup == self._setups.get(camera):
            self._applied.pop(camera, None)
            if wanted is not None:
                self._applied[camera] = wanted
            self._is_saved = False
        if self._applied.get(camera) != wanted:
            return False
        self._sent.pop(camera, None)
        return True

    def _publish(self, camera: str, now: float) -> None:
        setup, sent = self._setups.get(camera), self._sent.get(camera)
        is_repeat = sent is not None and sent.setup == setup
        if not self._bus.connected or (sent is not None and is_repeat and now - sent.at < REPUBLISH_INTERVAL):
            return
        self._sent[camera] = _Sent(setup, now)
        if setup is None:
            self._bus.clear(topics.setup(camera))
        else:
            self._bus.publish(setup)
        if not is_repeat:
            log.info("%s: published the setup that the cloud wants", camera)

    def _save(self) -> None:
        if self._is_saved:
            return
        try:
            self._outbox.add([], {STATE_NAME: self._applied})
            self._is_saved = True
        except OutboxUnavailable as error:
            log.warning("cannot save which setups were applied; trying again: %s", error)

    def _describe(self, camera: str) -> dict[str, str]:
        if problem := self._invalid.get(camera) or self._unknown.get(camera):
            return {"state": "refused", "detail": problem[:MAX_DETAIL]}
        if self._applied.get(camera) != self._wanted.get(camera):
            return {"state": "waiting"}
        wanted = self._setups.get(camera) or Setup(camera)
        return {"state": "applied" if self._retained[camera] == wanted else "changed"}


def _read(camera: str, value: Any) -> Setup:
    """Returns a wanted setup. Raises `InvalidMessage`."""
    setup = Setup.from_topic(topics.setup(camera), json.dumps(value).encode())
    setup.pack()
    return setup
