"""The thread that reads a source, and reopens it after a loss."""

import contextlib
import logging
import queue
import threading
import time

from bus import NewestSlot
from bus.states import CAMERA_LOST, ENDED, RUNNING
from capture.commands import ReportState
from capture.pictures.picture import Picture
from capture.source import CapturedPicture, Pictures, Recording, Source, SourceLost
from capture.timing import SourceClock
from runtime.backoff import Backoff
from runtime.steady import steady
from runtime.worker import Worker

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT = 1.0
"""Seconds. A thread that hangs in a camera driver is abandoned."""
POLL_INTERVAL = 0.5
"""Seconds between two checks of whether the reader must stop."""
MAX_PAUSE = 2.0
"""Upper bound of the seconds until a lost source is opened again. After a refused login, network cameras wait for longer."""
MAX_LAG = 0.1
"""Seconds that a picture of a recording can be late before its playback has slowed down. A classifier refuses old frames."""
SUSPENSION_GRACE = 0.5
"""Seconds in which a call can return after the process was suspended."""


class Reader(Worker):
    """A thread that reads a source while entered, and keeps its newest picture.

    `report` gets the source's state, from the reader's or the caller's thread. With `loop`, a source that ends is opened again at
    once; otherwise it stays ended.
    """

    backoff_reset_time = 10.0
    """Seconds of pictures after which a source counts as stable and the backoff is reset."""

    def __init__(
        self,
        source: Source,
        report: ReportState,
        loop: bool = True,
        picture_timeout: float = 15.0,
        source_timeout: float = 60.0,
        backoff: Backoff | None = None,
    ) -> None:
        """After `picture_timeout` seconds without a picture the source is reported as lost. A call into the source that takes
        longer than `source_timeout` seconds hangs.
        """
        super().__init__("reader", self._read, shutdown_timeout=SHUTDOWN_TIMEOUT)
        self._source = source
        self._report = report
        self._loop = loop
        self._picture_timeout = picture_timeout
        self._source_timeout = source_timeout
        self._called_at: float | None = None
        self._backoff = backoff or Backoff(maximum=MAX_PAUSE)
        self._clock = self._create_clock()
        self._newest: NewestSlot[None, CapturedPicture] = NewestSlot()
        self._last_picture_at = time.monotonic()
        self._lost = False
        self.has_ended = False
        """Whether the source has ended and is not opened again."""

    def take(self, timeout: float) -> CapturedPicture | None:
        """Returns the newest picture that was not taken yet, or None after `timeout` seconds. Reports a silent source as lost."""
        captured = self._newest.take(timeout)
        now = time.monotonic()
        if captured is not None:
            self._last_picture_at = now
        elif now - self._last_picture_at > self._picture_timeout and not self._lost and not self.has_ended:
            self._lost = True
            self._report(CAMERA_LOST, f"no picture for {self._picture_timeout:g} s")
        return captured

    @property
    def stalled(self) -> float:
        """Seconds since the start of the current call into the source; 0 between calls."""
        called_at = self._called_at
        return 0.0 if called_at is None else time.monotonic() - called_at

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs, also after an exit that has left it behind."""
        return self._thread.is_alive()

    def hangs(self) -> bool:
        """Returns whether a call into the source hangs. It cannot be ended: an exit leaves the reader's thread behind."""
        if self.stalled <= self._source_timeout:
            return False
        time.sleep(SUSPENSION_GRACE)
        return self.stalled > self._source_timeout

    def _read(self) -> None:
        """Reads the source once, from its opening to its end or loss. Waits after a loss."""
        try:
            self._read_source()
        except SourceLost as error:
            self._wait_to_reopen(str(error))
        except Exception as error:
            log.debug("reading failed", exc_info=True)
            self._wait_to_reopen(f"{type(error).__name__}: {error}")
        else:
            if not self._loop and not self.stopping.is_set():
                self.has_ended = True
                self._report(ENDED, "LOOP_VIDEO is false")
                self.stopping.wait()

    def _read_source(self) -> None:
        """Reads until the source ends or the reader is stopped. Raises `SourceLost`."""
        pictures, opened_at = 0, time.monotonic()
        self._clock = self._create_clock()
        with contextlib.closing(self._pictures()) as source:
            for picture in source:
                if self.stopping.is_set():
                    return
                if picture is None:
                    continue
                if pictures == 0 or self._lost:
                    self._lost = False
                    self._report(RUNNING, "")
                self._on_picture(picture)
                pictures += 1
                if time.monotonic() - opened_at > self.backoff_reset_time:
                    self._backoff.reset()
        if pictures == 0:
            raise SourceLost("the source contains no picture")

    def _create_clock(self) -> SourceClock:
        return SourceClock(MAX_LAG) if isinstance(self._source, Recording) else SourceClock()

    def _on_picture(self, picture: Picture) -> None:
        """Stores a picture."""
        now = steady()
        at = self._clock.captured_at(picture.timestamp, now)
        self._newest.put(None, CapturedPicture(picture, round(time.time() - (now - at), 3), at))

    def _pictures(self) -> Pictures:
        """Yields the source's pictures, and notes when each call into it began."""
        source = self._source.pictures()
        try:
            while True:
                self._called_at = time.monotonic()
                try:
                    picture = next(source)
                except StopIteration:
                    return
                finally:
                    self._called_at = None
                yield picture
        finally:
            self._called_at = time.monotonic()
            try:
                source.close()
            finally:
                self._called_at = None

    def _wait_to_reopen(self, reason: str) -> None:
        if self.stopping.is_set():
            return  # another reader may read the source by now
        self._lost = True
        self._report(CAMERA_LOST, reason)
        wait = self._backoff.next()
        log.debug("opening the source again in %g s", wait)
        self.stopping.wait(wait)


class Playback(Reader):
    """A reader that plays a recording once and drops no picture: each `take` confirms the last picture and requests the next.

    `monotonic_at` advances by the recording's own time, so the rate of frames does not depend on the playback speed. The
    state becomes `ended` when the last picture is confirmed.
    """

    def __init__(self, recording: Recording, report: ReportState, source_timeout: float = 60.0) -> None:
        super().__init__(recording, report, loop=False, picture_timeout=float("inf"), source_timeout=source_timeout)
        self._next: queue.Queue[CapturedPicture] = queue.Queue()
        self._done = threading.Semaphore(0)
        self._is_taken = False
        self._begun_at = steady()
        self._first_timestamp: float | None = None

    def take(self, timeout: float) -> CapturedPicture | None:
        """Returns the next picture, or None after `timeout` seconds."""
        if self._is_taken:
            self._is_taken = False
            self._done.release()
        try:
            captured = self._next.get(timeout=timeout)
        except queue.Empty:
            return None
        self._is_taken = True
        return captured

    def _on_picture(self, picture: Picture) -> None:
        timestamp = picture.timestamp or 0.0
        if self._first_timestamp is None:
            self._first_timestamp = timestamp
        at = self._begun_at + timestamp - self._first_timestamp
        self._next.put(CapturedPicture(picture, round(time.time(), 3), at))
        while not self._done.acquire(timeout=POLL_INTERVAL) and not self.stopping.is_set():
            pass
