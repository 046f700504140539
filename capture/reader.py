"""The thread that reads a source, always holds its newest picture, and opens it again when it is lost."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

from typing_extensions import Self

from bus import NewestSlot
from bus.states import ENDED
from capture.source import Captured, Picture, Pictures, Source, SourceLost
from runtime.backoff import Backoff
from runtime.steady import steady
from runtime.watchdog import Calls

log = logging.getLogger(__name__)

RUNNING = "running"
CAMERA_LOST = "camera-lost"
STEADY = 10.0
"""Seconds of pictures after which a source is tried again at once when it is lost; one that flaps is not."""


class Reader:
    """Reads a source for as long as it is entered; `tell` gets its state (and why), from this thread or the caller's.

    With `loop`, a source that came to its end is begun again at once; without, it stays ended.
    """

    def __init__(
        self,
        source: Source,
        tell: Callable[[str, str], None],
        loop: bool = True,
        silence: float = 15.0,
        calls: Calls | None = None,
    ) -> None:
        """`silence` in seconds. `calls` has those into the source, among them of readers that were left behind."""
        self._source = source
        self._tell = tell
        self._loop = loop
        self._silence = silence
        self._calls = calls or Calls()
        self._backoff = Backoff()
        self._newest: NewestSlot[None, Captured] = NewestSlot()
        self._taken_at = time.monotonic()
        self._lost = False
        self._ended = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(timeout=1)  # a camera that hangs in its driver is left behind: the process ends

    @property
    def has_ended(self) -> bool:
        """Whether the source is at its end, and will not be begun again."""
        return self._ended

    def take(self, timeout: float) -> Captured | None:
        """The newest picture not taken yet, or None after `timeout` seconds without; a long silence is told as a loss."""
        captured = self._newest.take(timeout)
        now = time.monotonic()
        if captured is not None:
            self._taken_at = now
        elif now - self._taken_at > self._silence and not self._lost and not self._ended:
            self._lost = True
            self._tell(CAMERA_LOST, f"no picture for {self._silence:g} s")
        return captured

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read_through()
                if not self._loop and not self._stop.is_set():
                    self._ended = True
                    self._tell(ENDED, "LOOP_VIDEO is false")
                    return
            except SourceLost as error:
                self._wait(str(error))
            except Exception as error:
                log.debug("reading failed", exc_info=True)
                self._wait(f"{type(error).__name__}: {error}")

    def _read_through(self) -> None:
        """Reads the source until it ends, or the reader is stopped. Raises `SourceLost`."""
        pictures, begun_at = 0, time.monotonic()
        with contextlib.closing(self._pictures()) as source:
            for picture in source:
                if self._stop.is_set():
                    return
                if picture is None:
                    continue
                if pictures == 0 or self._lost:
                    self._lost = False
                    self._tell(RUNNING, "")
                self._offer(picture, pictures)
                pictures += 1
                if time.monotonic() - begun_at > STEADY:
                    self._backoff.reset()
        if pictures == 0:
            raise SourceLost("there is no picture in it")

    def _offer(self, picture: Picture, number: int) -> None:  # noqa: ARG002  # for those who override it
        """Holds the picture, which is that `number` of the source since it was opened, counted from 0."""
        self._newest.put(None, Captured(picture, round(time.time(), 3), steady()))

    def _pictures(self) -> Pictures:
        """The source's, with each call into it noted."""
        source = self._source.pictures()
        try:
            while True:
                try:
                    with self._calls.under_way():
                        picture = next(source)
                except StopIteration:
                    return
                yield picture
        finally:
            with self._calls.under_way():
                source.close()

    def _wait(self, reason: str) -> None:
        self._lost = True
        self._tell(CAMERA_LOST, reason)
        wait = self._backoff.next()
        log.debug("trying again in %g s", wait)
        self._stop.wait(wait)
