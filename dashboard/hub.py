"""Between the broker's thread and the browsers: what the page's server knows, and whom it tells."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

from fastapi import WebSocket

from bus import Answer, Bus, CurrentLabel, DayCounts, DayReport, Frame, Pixels, Prediction, Status, Visit, topics
from dashboard.days import Days
from dashboard.pictures import Picture, Pictures
from dashboard.sections import Sections
from dashboard.situation import Situation
from dashboard.viewer import Viewer

log = logging.getLogger(__name__)

LOOK_EVERY = 0.2
"""Seconds between two looks at what has changed."""
MOST_VIEWERS = 64
TOO_MANY = 1013
"""Close code: try again later."""
SNAPSHOT = 15.0
"""Seconds to wait for a picture that a program asks for."""


class Hub:
    """Subscribes to all that the page shows; `running` ties it to the event loop that serves the browsers."""

    def __init__(self, bus: Bus, situation: Situation) -> None:
        """To be made before the bus is entered."""
        self._bus = bus
        self.situation = situation
        self.pictures = Pictures(self._hear, lambda camera: bus.unsubscribe(topics.frame(camera)), self._wake)
        self.days = Days(bus.name, bus.publish)
        self.sections = Sections()
        self._waiting: set[asyncio.Event] = set()
        self._viewers = 0
        self._is_ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        bus.subscribe(topics.label(), CurrentLabel, situation.take_label)
        bus.subscribe(
            topics.status(), Status, self._take_status, cleared=lambda topic: situation.forget(topics.third_level(topic))
        )
        bus.subscribe(topics.pixels(), Pixels, situation.take_pixels)
        bus.subscribe(topics.counts(), DayCounts, lambda _counts: self.days.expect())
        bus.subscribe(topics.visit(), Visit, lambda _visit: self.days.expect())
        bus.subscribe(topics.answer(bus.name), Answer, self.days.take_answer)

    def _hear(self, camera: str) -> None:
        self._bus.subscribe(topics.frame(camera), Frame, self.pictures.take_frame)

    def _take_status(self, status: Status) -> None:
        if self.situation.take_status(status):
            self.days.expect()  # the bridge may be one that can be asked again, or no more

    def take_prediction(self, prediction: Prediction) -> None:
        """To be called with every prediction, on any thread."""
        self.situation.take_prediction(prediction)
        self.pictures.take_prediction(prediction)

    @asynccontextmanager
    async def running(self, page: str, signed_in: bool) -> AsyncIterator[None]:
        """Keeps the browsers up to date; `page` is the page's version, `signed_in` whether they had to give a password."""
        self._loop = asyncio.get_running_loop()
        self.sections.put({"page": page, "signed_in": signed_in})
        works = (self._look, partial(self.days.follow, self._counted))
        tasks = [asyncio.create_task(self._keep_at(work)) for work in works]
        try:
            yield
        finally:
            self._loop = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _wake(self) -> None:
        """Has everyone look who waits; from any thread."""
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

    async def _keep_at(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begins it again when it fails: a page that stands still would look as if nothing happened."""
        while True:
            try:
                await work()
            except Exception as error:
                log.debug("the dashboard's state", exc_info=True)
                self._bus.count_and_warn("failed", f"the dashboard's state: {type(error).__name__}: {error}"[:300])
            await asyncio.sleep(LOOK_EVERY)

    def _counted(self, report: DayReport) -> None:
        self.situation.meet(sorted({label for camera in report.cameras.values() for label in camera.totals}))

    async def _look(self) -> None:
        before = self.sections.version
        self.situation.connected(self._bus.connected)
        self.sections.put(self.situation.sections() | {"today": self.days.today})
        self.pictures.look()
        if self.sections.version > before:
            self._wake_all()

    async def watch(self, socket: WebSocket) -> None:
        """Serves one browser until it leaves."""
        if self._viewers >= MOST_VIEWERS:
            await socket.accept()
            await socket.close(TOO_MANY)
            return
        self._viewers += 1
        try:
            with self._changes() as changed:
                await Viewer(socket, self.sections, self.pictures, lambda: self.situation.cameras, changed).run()
        finally:
            self._viewers -= 1

    def end(self) -> None:
        """Has what goes on for ever end, before the server does; from any thread."""
        self._is_ended = True
        self._wake()

    async def following(self, camera: str, last: Picture | None) -> Picture | None:
        """The camera's next picture after `last`, however long it takes; None at the end."""
        while not self._is_ended:
            if (picture := await self.next_picture(camera, last)) is not None:
                return picture
        return None

    async def next_picture(self, camera: str, last: Picture | None = None, most_age: float = math.inf) -> Picture | None:
        """The camera's newest picture, another than `last` and at most so many seconds old; None when none comes for a while."""
        end = time.monotonic() + SNAPSHOT
        with self._changes() as changed:
            while not self._is_ended and (left := end - time.monotonic()) > 0:
                changed.clear()
                self.pictures.want(camera)
                picture = self.pictures.newest(camera)
                if picture is not None and picture is not last and time.time() - picture.frame.captured_at <= most_age:
                    return picture
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(changed.wait(), min(left, 1.0))
        return None
