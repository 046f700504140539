"""The commands of a camera: pause, resume and snapshot."""

import logging
import threading
from collections.abc import Callable

from bus import Command, Frame
from bus.states import PAUSED, STARTING
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

Publish = Callable[[Frame], bool]
ReportState = Callable[[str, str], object]
"""Arguments: a state of `bus.states`, and its reason or an empty string."""


class Session:
    """A period in which the camera is on: from a start or a resume to the next pause.

    A session that is over publishes nothing, even if its threads still run.
    """

    def __init__(self, publish: Publish, report: ReportState) -> None:
        self._publish = publish
        self._report = report
        self._lock = threading.Lock()
        self.is_over = False
        """Whether the camera was paused after this session began."""
        self._snapshot = threading.Event()

    def publish(self, frame: Frame) -> bool:
        """Publishes a frame by `Bus.publish`. Returns False if the session is over."""
        with self._lock:
            return not self.is_over and self._publish(frame)

    def report(self, state: str, detail: str = "") -> None:
        """Reports a state by `Bus.state`. Does nothing if the session is over."""
        with self._lock:
            if not self.is_over:
                self._report(state, detail)

    def request_snapshot(self) -> None:
        """Requests one frame at once."""
        self._snapshot.set()

    def take_snapshot_request(self) -> bool:
        """Returns whether a snapshot was requested since the last call."""
        requested = self._snapshot.is_set()
        if requested:  # unconditional clearing would lose a request that arrives here
            self._snapshot.clear()
        return requested

    def end(self) -> None:
        """Ends the session. Waits only for a frame or a state that is being published."""
        with self._lock:
            self.is_over = True


class CommandHandler:
    """The command handler, called by the network thread. It gives the main thread the current session."""

    def __init__(self, publish: Publish, report: ReportState) -> None:
        self._publish = publish
        self._report = report
        self._session: Session | None = Session(publish, report)
        self._changed = threading.Condition()
        self._throttle = LogThrottle()

    def session(self, timeout: float) -> Session | None:
        """Returns the current session, or the one that begins within `timeout` seconds; None while paused."""
        with self._changed:
            self._changed.wait_for(lambda: self._session is not None, timeout)
            return self._session

    def on_command(self, command: Command) -> None:
        """Applies a command. Repeated pauses and resumes change nothing. The main thread opens and closes the camera."""
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
                    log.info("snapshot ignored: the camera is paused%s", more)
