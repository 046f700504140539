"""Commands to a camera: pause, resume, and a picture out of turn."""

import logging
import threading
from collections.abc import Callable

from bus import Command, Frame
from bus.states import PAUSED, STARTING
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

Publish = Callable[[Frame], bool]
ReportState = Callable[[str, str], object]
"""Takes a state of `bus.states`, and the reason or an empty text."""


class Session:
    """A time for which the camera is on, from a start or a resume to the next pause.

    Once it is is_over, nothing is published from it, whatever the threads that work for it are still doing.
    """

    def __init__(self, publish: Publish, report: ReportState) -> None:
        self._publish = publish
        self._report = report
        self._lock = threading.Lock()
        self.is_over = False
        """Whether the camera was paused since."""
        self._snapshot = threading.Event()

    def publish(self, frame: Frame) -> bool:
        """As `Bus.publish`; False too when it is is_over."""
        with self._lock:
            return not self.is_over and self._publish(frame)

    def report(self, state: str, detail: str = "") -> None:
        """As `Bus.state`; nothing when it is is_over."""
        with self._lock:
            if not self.is_over:
                self._report(state, detail)

    def request_snapshot(self) -> None:
        """Asks for a picture out of turn."""
        self._snapshot.set()

    def take_snapshot_request(self) -> bool:
        """Whether a picture was asked for since the last call."""
        requested = self._snapshot.is_set()
        if requested:  # clearing it unconditionally would lose one that comes just now
            self._snapshot.clear()
        return requested

    def end(self) -> None:
        """Waits for no more than a frame or a state that is being published."""
        with self._lock:
            self.is_over = True


class Commands:
    """Takes commands on the network's thread. The main thread reads here whether to open the camera."""

    def __init__(self, publish: Publish, report: ReportState) -> None:
        self._publish = publish
        self._report = report
        self._session: Session | None = Session(publish, report)
        self._changed = threading.Condition()
        self._throttle = LogThrottle()

    def session(self, timeout: float) -> Session | None:
        """The current session, or the one that begins within `timeout` seconds; None while paused."""
        with self._changed:
            self._changed.wait_for(lambda: self._session is not None, timeout)
            return self._session

    def on_command(self, command: Command) -> None:
        """Switches the camera, if it is not in that state already. The main thread opens and closes it."""
        with self._changed:
            match command.do:
                case "pause" if self._session is not None:
                    self._session.end()
                    self._session = None
                    self._report(PAUSED, "")
                case "resume" if self._session is None:
                    self._report(STARTING, "")
                    self._session = Session(self._publish, self._report)
                    self._changed.notify()
                case "snapshot" if self._session is not None:
                    self._session.request_snapshot()
                case "snapshot" if (more := self._throttle("snapshot")) is not None:
                    log.info("snapshot of a paused camera refused%s", more)
