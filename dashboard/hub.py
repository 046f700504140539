"""Connects the broker's messages (on its thread) with the browsers (in the event loop)."""

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

from starlette.websockets import WebSocket

from bus import Answer, Bus, CurrentLabel, DayCounts, DayReport, Frame, Pixels, Prediction, Status, Visit, metric_names, topics
from dashboard.counts import Counts
from dashboard.pictures import Picture, Pictures
from dashboard.site_state import SiteState
from dashboard.viewer import Sections, Viewer

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
UPDATE_INTERVAL = 0.2
"""Seconds between two checks for changes."""
MAX_VIEWERS = 64
TRY_AGAIN_LATER = 1013
"""Close code of a WebSocket."""
PICTURE_TIMEOUT = 15.0
"""Seconds to wait for a picture that a script asks for."""


class Hub:
    """Subscribes to all that the page shows; `running` ties it to the event loop that serves the browsers."""

    def __init__(self, bus: Bus, state: SiteState, signed_in: bool) -> None:
        """To be created before the bus is entered. `signed_in`: whether browsers had to give a password."""
        self._bus = bus
        self.state = state
        self.pictures = Pictures(self._subscribe_frames, lambda camera: bus.unsubscribe(topics.frame(camera)), self._wake)
        self.counts = Counts(bus.name, bus.publish)
        self.sections = Sections()
        self.sections.update({"page": _version(PAGE), "signed_in": signed_in})
        self._waiting: set[asyncio.Event] = set()
        self._viewers = 0
        self._is_closed = False
        self._updated_at = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        bus.subscribe(topics.prediction(), Prediction, self._on_prediction)
        bus.subscribe(topics.label(), CurrentLabel, state.on_label)
        bus.subscribe(topics.status(), Status, self._on_status, on_cleared=lambda one: state.forget(topics.status.name_in(one)))
        bus.subscribe(topics.pixels(), Pixels, state.on_pixels)
        bus.subscribe(topics.counts(), DayCounts, lambda _counts: self.counts.refresh())
        bus.subscribe(topics.visit(), Visit, lambda _visit: self.counts.refresh())
        bus.subscribe(topics.answer(bus.name), Answer, self.counts.on_answer)

    def _subscribe_frames(self, camera: str) -> None:
        self._bus.subscribe(topics.frame(camera), Frame, self.pictures.on_frame)

    def _on_prediction(self, prediction: Prediction) -> None:
        self.state.on_prediction(prediction)
        self.pictures.on_prediction(prediction)

    def _on_status(self, status: Status) -> None:
        if self.state.on_status(status):
            self.counts.refresh()  # the counter may have started or stopped

    @property
    def connected(self) -> bool:
        """Whether the broker is."""
        return self._bus.connected

    @property
    def stalled(self) -> float:
        """Seconds since the last update in the event loop."""
        return time.monotonic() - self._updated_at

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the browsers up to date, in the event loop of now."""
        self._loop = asyncio.get_running_loop()
        works = (self._update, partial(self.counts.follow, self._on_report))
        tasks = [asyncio.create_task(self._repeat(work)) for work in works]
        try:
            yield
        finally:
            self._loop = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        """Call it again even when it fails: else the page would stand still, as if nothing happened at the site."""
        while True:
            try:
                await work()
            except Exception as error:
                log.debug("an update of the page failed", exc_info=True)
                text = f"an update of the page failed: {type(error).__name__}: {error}; trying again"
                self._bus.count_and_warn(metric_names.FAILED, text[:300])
            await asyncio.sleep(UPDATE_INTERVAL)

    async def _update(self) -> None:
        self._updated_at = time.monotonic()
        before = self.sections.version
        self.state.set_connected(self._bus.connected)
        self.sections.update(self.state.sections() | {"today": self.counts.today})
        self.pictures.apply_timeouts()
        if self.sections.version > before:
            self._wake_all()
        self._bus.progressed()

    def _on_report(self, report: DayReport) -> None:
        self.state.add_labels(sorted({label for camera in report.cameras.values() for label in camera.totals}))

    def _wake(self) -> None:
        """Have everybody who waits check again; from any thread."""
        if (loop := self._loop) is not None:
            with suppress(RuntimeError):  # it has just been closed
                loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for event in self._waiting:
            event.set()

    @contextmanager
    def _changes(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever something has changed."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.remove(event)

    async def watch(self, socket: WebSocket) -> None:
        """Serve one browser until it leaves."""
        if self._viewers >= MAX_VIEWERS:
            await socket.accept()
            await socket.close(TRY_AGAIN_LATER)
            return
        self._viewers += 1
        try:
            with self._changes() as changed:
                await Viewer(socket, self.sections, self.pictures, lambda: self.state.cameras, changed).run()
        finally:
            self._viewers -= 1

    def close(self) -> None:
        """End the streams, so that the server can stop; from any thread."""
        self._is_closed = True
        self._wake()

    async def pictures_of(self, camera: str) -> AsyncIterator[Picture]:
        """Each time the camera's newest picture, once there is another, until `close`."""
        last: Picture | None = None
        while not self._is_closed:
            picture = await self.next_picture(camera, last)
            if picture is not None:
                yield picture
                last = picture

    async def next_picture(self, camera: str, last: Picture | None = None, max_age: float = math.inf) -> Picture | None:
        """The camera's newest picture, other than `last` and at most `max_age` seconds old; None after a time-out."""
        end = time.monotonic() + PICTURE_TIMEOUT
        with self._changes() as changed:
            while not self._is_closed and (left := end - time.monotonic()) > 0:
                changed.clear()
                self.pictures.want(camera)
                picture = self.pictures.newest(camera)
                if picture is not None and picture is not last and time.time() - picture.frame.captured_at <= max_age:
                    return picture
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(changed.wait(), min(left, 1.0))
        return None


def _version(folder: Path) -> str:
    """Changes with any file of the page, so that a page that is open during an update reloads itself."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
