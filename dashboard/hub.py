"""Connects MQTT messages, which arrive on the bus thread, with browsers, which the event loop serves."""

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
from starlette.websockets import WebSocket

from bus import (
    Alerts,
    Answer,
    Bus,
    CurrentLabel,
    DayCounts,
    DayReport,
    Frame,
    Occupancy,
    Pixels,
    Prediction,
    Status,
    Tracks,
    Visit,
    metric_names,
    states,
    topics,
)
from bus.settings import SetupSettings
from dashboard.counts import CountsClient
from dashboard.pictures import Picture, Pictures
from dashboard.setups import SetupStore
from dashboard.site import SiteStore
from dashboard.site_state import SiteState
from dashboard.viewer import Sections, Viewer, close

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
UPDATE_INTERVAL = 0.2
"""Seconds between two updates of the page."""
IDLE_INTERVAL = 2.0
"""Seconds that an update waits for someone to watch."""
MAX_VIEWERS = 64
TRY_AGAIN_LATER = 1013
"""WebSocket close code."""
PICTURE_TIMEOUT = 15.0
"""Seconds that a snapshot or stream waits for a picture."""


class Hub:
    """Subscribes to everything that the page shows, and serves it to browsers."""

    def __init__(self, bus: Bus, settings: SetupSettings, signed_in: bool) -> None:
        """Create it before entering the bus. `signed_in` is true if browsers have to sign in."""
        self._bus = bus
        self.state = state = SiteState(settings.threshold)
        self.setups = SetupStore(bus, settings)
        self.site = SiteStore(bus)
        self.pictures = Pictures(self._subscribe_frames, lambda camera: bus.unsubscribe(topics.frame(camera)), self._wake)
        self.counts = CountsClient(bus.name, bus.publish)
        self.sections = Sections()
        self.sections.update({"page": _page_version(PAGE), "version": version("footfall"), "signed_in": signed_in})
        self._change_events: set[asyncio.Event] = set()
        self._is_watched = asyncio.Event()
        """Set when someone begins to wait for changes."""
        self._viewers = 0
        self._is_closed = False
        self._updated_at = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        bus.subscribe(topics.prediction(), Prediction, self._on_prediction)
        bus.subscribe(topics.label(), CurrentLabel, state.on_label)
        bus.subscribe(topics.status(), Status, self._on_status, on_cleared=lambda one: state.remove(topics.status.name_in(one)))
        bus.subscribe(topics.pixels(), Pixels, state.on_pixels)
        bus.subscribe(topics.occupancy(), Occupancy, state.on_occupancy)
        bus.subscribe(topics.alerts(), Alerts, state.on_alerts)
        bus.subscribe(topics.tracks(), Tracks, self.pictures.on_tracks)
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
        if status.state == states.RUNNING:
            self.counts.ask_again()
        camera = status.about.camera
        if camera is not None and camera in self.state.cameras:
            self.pictures.set_still(camera, status.is_still)

    @property
    def connected(self) -> bool:
        """Whether the broker is connected."""
        return self._bus.connected

    @property
    def stalled(self) -> float:
        """Seconds since the last update in the event loop."""
        return time.monotonic() - self._updated_at

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps browsers up to date, in the current event loop."""
        self._loop = asyncio.get_running_loop()
        jobs = (self._update, partial(self.counts.follow, self._on_report))
        tasks = [asyncio.create_task(self._run_forever(job)) for job in jobs]
        try:
            yield
        finally:
            self._loop = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_forever(self, job: Callable[[], Awaitable[None]]) -> None:
        """Repeats the job, even after an error: a page that stops updating looks as if nothing happens at the site."""
        while True:
            try:
                await job()
            except Exception as error:
                log.debug("updating the page failed", exc_info=True)
                text = f"updating the page failed: {type(error).__name__}: {error}; retrying"
                self._bus.count_and_warn(metric_names.FAILED, text[:300])
            await asyncio.sleep(UPDATE_INTERVAL)

    async def _update(self) -> None:
        self._updated_at = time.monotonic()
        before = self.sections.version
        self.state.set_connected(self._bus.connected)
        stores = self.setups.sections() | self.site.sections()
        self.sections.update(self.state.sections() | stores | {"today": self.counts.today})
        self.pictures.apply_timeouts()
        if self.sections.version > before:
            self._wake_all()
        self._bus.progressed()
        if not self._change_events:
            self._is_watched.clear()
            with anyio.move_on_after(IDLE_INTERVAL):
                await self._is_watched.wait()

    def _on_report(self, report: DayReport) -> None:
        self.state.add_labels(sorted({label for camera in report.cameras.values() for label in camera.totals}))

    def _wake(self) -> None:
        """Notifies all waiting tasks of a change. Thread-safe."""
        if (loop := self._loop) is not None:
            with suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for event in self._change_events:
            event.set()

    @contextmanager
    def _changes(self) -> Iterator[asyncio.Event]:
        """Yields an event that is set at every change."""
        event = asyncio.Event()
        self._change_events.add(event)
        self._is_watched.set()
        try:
            yield event
        finally:
            self._change_events.remove(event)

    async def serve_viewer(self, socket: WebSocket) -> None:
        """Serves one browser until it disconnects. Refuses more than `MAX_VIEWERS`."""
        if self._viewers >= MAX_VIEWERS:
            await socket.accept()
            await close(socket, TRY_AGAIN_LATER)
            return
        self._viewers += 1
        try:
            with self._changes() as changed:
                own = {"may_set_up": socket.state.may_write}
                await Viewer(socket, self.sections, self.pictures, lambda: self.state.cameras, changed, own).run()
        finally:
            self._viewers -= 1

    def close(self) -> None:
        """Ends all streams, so the server can stop. Thread-safe."""
        self._is_closed = True
        self._wake()

    async def stream_pictures(self, camera: str) -> AsyncIterator[Picture]:
        """Yields the camera's newest picture whenever there is a new one, until `close`.

        While nothing moves it is repeated, so that a client with a time limit stays.
        """
        last: Picture | None = None
        while not self._is_closed:
            picture = await self.next_picture(camera, last)
            if picture is None and self.state.is_still(camera):
                picture = last
            if picture is not None:
                yield picture
                last = picture

    async def next_picture(self, camera: str, last: Picture | None = None, max_age: float = math.inf) -> Picture | None:
        """Waits for a picture that is not `last` and at most `max_age` seconds old; returns None after `PICTURE_TIMEOUT`.

        While nothing moves at the camera, it can be older.
        """
        end = time.monotonic() + PICTURE_TIMEOUT
        with self._changes() as changed:
            while not self._is_closed and (left := end - time.monotonic()) > 0:
                changed.clear()
                self.pictures.want(camera)
                picture = self.pictures.newest(camera)
                if picture is not None and picture is not last and self._is_recent(picture, max_age):
                    return picture
                with anyio.move_on_after(min(left, 1.0)):
                    await changed.wait()
        return None

    def _is_recent(self, picture: Picture, max_age: float) -> bool:
        return time.time() - picture.frame.captured_at <= max_age or self.state.is_still(picture.frame.camera)


def _page_version(folder: Path) -> str:
    """Returns a hash of the page's files. An open page reloads itself when it changes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
