"""Publishes the frames of one camera, file, stream or folder as footfall/<camera>/frame."""

import logging
import sys
import threading
import time
from functools import partial

from bus import About, Bus, Command, Setups, topics
from bus import metric_names as names
from bus.states import CAMERA_LOST, STARTING
from capture.abandoned import AbandonedReaders
from capture.commands import CommandHandler, Session
from capture.consumers import Consumers
from capture.framer import Callbacks, Framer, RateLimiter
from capture.motion.gate import MotionGate
from capture.pictures.prepare import Preparation
from capture.publisher import FramePublisher
from capture.reader import Playback, Reader
from capture.settings import Settings
from capture.source import Recording, Source
from runtime import process

log = logging.getLogger(__name__)

BROKER_TIMEOUT = 5.0
"""Seconds to wait for the broker at the start. After that the camera is opened without it."""
POLL_INTERVAL = 0.02
"""Seconds between two checks of whether the broker is there, and whether the camera can be opened."""
UNREADABLE = "the camera's setup is invalid, so its mask is unknown; no frames until it is replaced or cleared"
NO_RESPONSE = "the camera does not respond for {:g} s; opening it again"
MIN_PICTURE_TIMEOUT = 15.0
"""Seconds without a picture until a camera is reported as lost; longer at a low FRAME_RATE."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Captures until `stop` is set, except while the camera is paused."""
    bus = Bus(settings, about=About(camera=settings.camera))
    source = settings.create_source(partial(bus.metrics.add, names.UNUSABLE))
    if settings.unused:
        log.warning("%s: no effect on this source; ignored", ", ".join(settings.unused))
    recording = source if isinstance(source, Recording) and not settings.loop_video else None
    setups = Setups(bus, settings.camera)
    framer = _create_framer(settings, source, bus, setups, reports_clock=recording is None)
    publisher = FramePublisher(bus, setups, framer, Consumers(bus, settings.camera) if recording else None)
    commands = CommandHandler(publisher.publish, bus.state)
    bus.subscribe(topics.command(settings.camera), Command, commands.on_command)
    abandoned = AbandonedReaders()
    with bus:
        _wait_for_broker(bus, stop)
        while not stop.is_set():
            if (session := commands.session(timeout=0.5)) is None:
                bus.progressed()
            elif setups.unreadable:
                session.report(STARTING, UNREADABLE)
                bus.progressed()
                stop.wait(POLL_INTERVAL)
            elif not abandoned.allow_another():
                abandoned.exit_if_two_hang()
                stop.wait(POLL_INTERVAL)
            else:
                is_over = partial(_is_over, session, stop)
                publish = publisher.prepare(session, is_over)
                with _create_reader(source, recording, settings, session) as reader:
                    publisher.publish_all(reader, session, publish, is_over)
                if not stop.is_set():
                    abandoned.add(reader)
                    if reader.hangs():
                        session.report(CAMERA_LOST, NO_RESPONSE.format(settings.source_timeout))


def _create_framer(settings: Settings, source: Source, bus: Bus, setups: Setups, reports_clock: bool) -> Framer:
    """Creates the framer. Without `reports_clock` it ignores clock steps: a recording can play slower than it was taken."""

    def on_clock_step(seconds: float) -> None:
        if reports_clock:
            log.warning("the wall clock was set by %+.1f s", seconds)
            bus.metrics.put(names.CLOCK_STEPPED, seconds)
            bus.metrics.add(names.CLOCK_STEPS)

    def create_gate() -> MotionGate | None:
        return MotionGate(settings.heartbeat_seconds, settings.motion_hold) if settings.gate_applies(source) else None

    def on_held_back() -> None:
        bus.metrics.add(names.HELD_BACK)
        if bus.settled:
            bus.progressed()

    preparation = Preparation(
        settings.resize_width,
        settings.resize_height,
        settings.rotate,
        settings.convert_to_gray,
        mask=lambda: setups[settings.camera].mask,
        region=settings.region,
    )
    rate_limiter = RateLimiter(settings.frame_rate)
    callbacks = Callbacks(on_clock_step, source.is_drawn, create_gate, on_held_back)
    return Framer(settings.camera, rate_limiter, preparation, settings.jpeg_quality, callbacks)


def _create_reader(source: Source, recording: Recording | None, settings: Settings, session: Session) -> Reader:
    if recording is not None:
        return Playback(recording, session.report, settings.source_timeout)
    picture_timeout = max(MIN_PICTURE_TIMEOUT, 3 / settings.frame_rate)
    return Reader(source, session.report, settings.loop_video, picture_timeout, settings.source_timeout)


def _wait_for_broker(bus: Bus, stop: threading.Event) -> None:
    """Waits for the connection and the setup.

    Otherwise the first frame is dropped, and at a low FRAME_RATE the next one comes much later.
    """
    end = time.monotonic() + BROKER_TIMEOUT
    while not bus.settled and time.monotonic() < end and not stop.wait(POLL_INTERVAL):
        pass


def _is_over(session: Session, stop: threading.Event) -> bool:
    return session.is_over or stop.is_set()


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
