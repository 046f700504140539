"""Detection of another program with the same name on the broker.

If both have one client id, the broker disconnects each when the other connects, so they divide the messages between them. With
two client ids, both process all messages.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from bus import states
from bus.status import Status

log = logging.getLogger(__name__)

MAX_DETAIL = 1000
"""Characters of a status's `detail`."""


class NameWatch:
    """Watches the statuses of a module's own name for those of another process. Thread-safe."""

    def __init__(
        self, name: str, hold: float, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        """After its last status, another process counts as connected for `hold` seconds."""
        self.instance = secrets.token_hex(8)
        """The identity of this process in its statuses."""
        self._name = name
        self._problem = f"another {name} is connected with this name; stop one of them, or set a different MODULE_NAME"
        self._hold = hold
        self._clock = clock
        self._started_at = wall()
        self._is_known = False
        self._heard_at = float("-inf")
        self._will_at, self._will_connection = float("-inf"), 0
        self._is_logged = False
        self._lock = threading.Lock()

    @property
    def is_taken(self) -> bool:
        """Whether another process with this name is connected."""
        return self._clock() < self._heard_at + self._hold

    def on_status(self, status: Status, is_retained: bool, connection: int) -> bool:
        """Processes a status of this name, received in this connection. Returns whether another process has just been found.

        Before the first status of this process has come back from the broker, others can be from an earlier process. So can a
        retained one that is older than this process, if the broker has lost the newer ones in a crash.
        """
        if status.instance == self.instance:
            self._is_known = True
        elif self._is_known and status.instance is not None:
            if status.state == states.OFFLINE:
                self._on_end(connection)
            elif not is_retained or (status.at or 0) >= self._started_at:
                self._heard_at = self._clock()
        return self.log_change() and self.is_taken

    def _on_end(self, connection: int) -> None:
        """Another process has ended, or has been disconnected by this one, whose client id it has. Then it happens again."""
        now = self._clock()
        if connection != self._will_connection and now < self._will_at + self._hold:
            self._heard_at = now
        self._will_at, self._will_connection = now, connection

    def log_change(self) -> bool:
        """Logs that another process has connected, or has gone. Returns whether that has changed."""
        with self._lock:
            taken = self.is_taken
            if taken == self._is_logged:
                return False
            self._is_logged = taken
        if taken:
            log.warning("%s: %s", states.NAME_TAKEN, self._problem)
        else:
            log.info("the other %s has gone", self._name)
        return True

    def shown(self, status: Status) -> Status:
        """Returns this process's status, with the state `NAME_TAKEN` while it applies, before any other problem."""
        if status.state == states.OFFLINE or not self.is_taken:
            return status
        other = "" if status.state in states.HEALTHY else f"; {status.state}: {status.detail}"
        return replace(status, state=states.NAME_TAKEN, detail=f"{self._problem}{other}"[:MAX_DETAIL])
