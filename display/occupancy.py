"""How many visitors are inside, from what the counter says."""

import threading

from bus import Occupancy, Status, states, topics

MAX_CAMERAS = 64
"""Upper bound; more indicate spoofed names."""
MAX_STATUS_AGE = 30.0
"""Seconds without a status after which the counter counts as offline; it reports every ten seconds."""
COUNTER = "counter"


class Inside:
    """The number of visitors inside, by lines, or where there are no lines in all zones; summed over the cameras. Thread-safe.

    It is not known without a camera that has lines or zones, nor while the counter is offline for longer than `hold` seconds.
    """

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._heard_at = float("-inf")
        """Monotonic time of the counter's last status."""
        self._offline_since: float | None = None

    def on_occupancy(self, occupancy: Occupancy) -> None:
        with self._lock:
            if occupancy.inside is None and not occupancy.zones:
                self._numbers.pop(occupancy.camera, None)
            elif occupancy.camera in self._numbers or len(self._numbers) < MAX_CAMERAS:
                number = sum(occupancy.zones.values()) if occupancy.inside is None else occupancy.inside
                self._numbers[occupancy.camera] = number

    def on_cleared(self, topic: str) -> None:
        """Handles the deletion of a retained occupancy."""
        with self._lock:
            self._numbers.pop(topics.occupancy.name_in(topic), None)

    def on_status(self, status: Status, clock: float) -> bool:
        """Handles a status at monotonic time `clock`. Returns whether the counter is running."""
        if status.module != COUNTER and not status.module.startswith(f"{COUNTER}-"):
            return False
        with self._lock:
            was_heard, self._heard_at = self._heard_at > float("-inf"), clock
            if status.state != states.OFFLINE:
                self._offline_since = None
            elif self._offline_since is None:
                self._offline_since = clock if was_heard else float("-inf")
        return status.state != states.OFFLINE

    def label(self, clock: float) -> str | None:
        """Returns the number at monotonic time `clock` as text; None if it is not known."""
        with self._lock:
            is_offline = self._offline_since is not None and clock - self._offline_since >= self._hold
            if not self._numbers or is_offline or clock - self._heard_at >= max(MAX_STATUS_AGE, self._hold):
                return None
            return str(sum(self._numbers.values()))
