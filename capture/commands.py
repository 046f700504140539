"""What the camera is told to do: be on or paused, and give a picture out of turn."""

import logging
import threading
from collections.abc import Callable

from bus import Command, Frame
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

STARTING = "starting"
PAUSED = "paused"

Publish = Callable[[Frame], bool]
Tell = Callable[[str, str], object]


class Session:
    """A time for which the camera is on, from a start or a resume to the next pause.

    Once it is over, nothing comes out of it any more, whatever the threads that work for it are still at.
    """

    def __init__(self, publish: Publish, tell: Tell) -> None:
        self._publish = publish
        self._tell = tell
        self._lock = threading.Lock()
        self._over = False
        self._asked = threading.Event()

    @property
    def over(self) -> bool:
        """Whether the camera was paused since."""
        return self._over

    def publish(self, frame: Frame) -> bool:
        """As `Bus.publish`; False too when it is over."""
        with self._lock:
            return not self._over and self._publish(frame)

    def tell(self, state: str, detail: str) -> None:
        """As `Bus.state`; nothing when it is over."""
        with self._lock:
            if not self._over:
                self._tell(state, detail)

    def ask(self) -> None:
        """Asks for a picture out of turn."""
        self._asked.set()

    def asked(self) -> bool:
        """Whether one was asked for since this was called last."""
        asked = self._asked.is_set()
        if asked:  # else one that is asked for just now would be forgotten
            self._asked.clear()
        return asked

    def end(self) -> None:
        """Waits for no more than a frame or a state that is being handed over."""
        with self._lock:
            self._over = True


class Commands:
    """Obeys commands, on the network's thread, and says to the main one whether the camera is to be open."""

    def __init__(self, publish: Publish, tell: Tell) -> None:
        self._publish = publish
        self._tell = tell
        self._session: Session | None = Session(publish, tell)
        self._changed = threading.Condition()
        self._throttle = LogThrottle()

    def session(self, timeout: float) -> Session | None:
        """The session of now, or the one that begins within `timeout` seconds; None while paused."""
        with self._changed:
            self._changed.wait_for(lambda: self._session is not None, timeout)
            return self._session

    def obey(self, command: Command) -> None:
        """Does what is commanded, as far as it is not done already. Opening and closing the camera are the main thread's."""
        with self._changed:
            match command.do:
                case "pause":
                    self._pause()
                case "resume":
                    self._resume()
                case "snapshot":
                    self._snapshot()

    def _pause(self) -> None:
        if self._session is not None:
            self._session.end()
            self._session = None
            self._tell(PAUSED, "")

    def _resume(self) -> None:
        if self._session is None:
            self._tell(STARTING, "")
            self._session = Session(self._publish, self._tell)
            self._changed.notify()

    def _snapshot(self) -> None:
        if self._session is not None:
            self._session.ask()
        elif (more := self._throttle("snapshot")) is not None:
            log.info("a snapshot of a paused camera was asked for, and not taken%s", more)
