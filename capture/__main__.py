"""Publishes the frames of one camera, file, stream or folder as footfall/<camera>/frame."""

import logging
import sys
import threading
import time
from functools import partial
from typing import TypeGuard

from bus import About, Bus, Command, InvalidMessage, topics
from capture.commands import STARTING, Commands, Publish, Session
from capture.consumers import Consumers
from capture.framer import Framer
from capture.pace import Pace
from capture.playback import Playback
from capture.prepare import Preparation
from capture.reader import Reader
from capture.scenes import is_drawn
from capture.settings import Settings
from capture.source import Captured, Source, UnusablePicture
from capture.sources import Local, source_of
from runtime import process
from runtime.watchdog import Calls, Watchdog

log = logging.getLogger(__name__)

BROKER_TIMEOUT = 5.0
"""Seconds to wait for the broker at the start; the camera is opened without it then."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Captures until `stop` is set, whenever the camera is not paused."""
    preparation = Preparation(settings.resize_width, settings.resize_height, settings.rotate, settings.convert_to_gray)
    source = source_of(settings.video_path, settings.frame_rate, complete=not settings.loop_video)
    bus = Bus(settings, about=About(camera=settings.camera))

    def on_clock_set(seconds: float) -> None:
        if consumers is not None:
            return  # the recording is played slower than it was taken
        log.warning("the wall clock was set by %+.1f s while running", seconds)
        bus.metrics.put("clock_stepped", seconds)
        bus.metrics.add("clock_steps")

    pace, drawn = Pace(settings.frame_rate), partial(is_drawn, settings.video_path)
    framer = Framer(settings.camera, pace, preparation, settings.jpeg_quality, on_clock_set, drawn)
    commands = Commands(bus.publish, bus.state)
    bus.subscribe(topics.command(settings.camera), Command, commands.obey)
    calls = Calls()
    consumers = Consumers(bus, settings.camera) if _is_played_once(source, settings) else None
    with bus, Watchdog("the camera", lambda: calls.stalled):
        _wait_for_broker(bus, stop)
        while not stop.is_set():
            if (session := commands.session(timeout=0.5)) is None:
                bus.progressed()
                continue
            is_over = partial(_is_over, session, stop)
            publish: Publish = session.publish
            if consumers is not None:
                session.tell(STARTING, "the recording waits for classifier and bridge")
                if consumers.wait_until_running(is_over):
                    publish = partial(consumers.publish, publish=session.publish, is_over=is_over)
            with _reader(source, settings, session, calls) as reader:
                while not is_over():
                    if captured := reader.take(timeout=0.5):
                        _publish(captured, framer, session, publish, bus)
                    elif reader.has_ended:
                        bus.progressed()


def _wait_for_broker(bus: Bus, stop: threading.Event) -> None:
    """A little, as a frame without a broker is dropped, and at a low FRAME_RATE the next one comes much later."""
    end = time.monotonic() + BROKER_TIMEOUT
    while not bus.connected and time.monotonic() < end and not stop.wait(0.02):
        pass


def _is_played_once(source: Source, settings: Settings) -> TypeGuard[Local]:
    """Whether it is a recording that is not begun again at its end; a camera or a stream has none."""
    return isinstance(source, Local) and not settings.loop_video


def _is_over(session: Session, stop: threading.Event) -> bool:
    return session.over or stop.is_set()


def _reader(source: Source, settings: Settings, session: Session, calls: Calls) -> Reader:
    if _is_played_once(source, settings):
        return Playback(source, session.tell, calls)
    return Reader(source, session.tell, settings.loop_video, max(15.0, 3 / settings.frame_rate), calls)


def _publish(captured: Captured, framer: Framer, session: Session, publish: Publish, bus: Bus) -> None:
    try:
        frame = framer.frame(captured, at_once=session.asked())
        if frame is not None and publish(frame):
            framer.published()
            bus.progressed()
    except UnusablePicture as error:
        bus.count_and_warn("unusable", str(error))
    except InvalidMessage as error:
        bus.count_and_warn("too_large", f"{error}; a smaller RESIZE_WIDTH or JPEG_QUALITY helps")


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
