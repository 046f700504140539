"""Publishes the frames of one camera, file, stream or folder as footfall/<camera>/frame."""

import sys
import threading

from bus import Bus, Command, InvalidMessage, process, topics
from bus.watchdog import Calls, Watchdog
from capture.commands import Commands, Session
from capture.framer import Framer
from capture.pace import Pace
from capture.prepare import Preparation
from capture.reader import Reader
from capture.settings import Settings
from capture.source import Captured, UnusablePicture
from capture.sources import source_of


def main(settings: Settings, stop: threading.Event) -> None:
    """Captures until `stop` is set, whenever the camera is not paused."""
    preparation = Preparation(settings.resize_width, settings.resize_height, settings.rotate, settings.convert_to_gray)
    source = source_of(settings.video_path, settings.frame_rate)
    bus = Bus(settings, about={"camera": settings.camera})

    def stepped(seconds: float) -> None:
        bus.figures.put("clock_stepped", seconds)
        bus.figures.add("clock_steps")

    framer = Framer(settings.camera, Pace(settings.frame_rate), preparation, settings.jpeg_quality, stepped)
    commands = Commands(bus.publish, bus.state)
    bus.subscribe(topics.command(settings.camera), Command, commands.obey)
    calls = Calls()
    with bus, Watchdog("the camera", lambda: calls.stalled):
        while not stop.is_set():
            if (session := commands.session(timeout=0.5)) is None:
                bus.progressed()
                continue
            with Reader(source, session.tell, settings.loop_video, max(15.0, 3 / settings.frame_rate), calls) as reader:
                while not session.over and not stop.is_set():
                    if captured := reader.take(timeout=0.5):
                        _publish(captured, framer, session, bus)


def _publish(captured: Captured, framer: Framer, session: Session, bus: Bus) -> None:
    try:
        frame = framer.frame(captured, at_once=session.asked())
        if frame is not None and session.publish(frame):
            framer.published()
            bus.progressed()
    except UnusablePicture as error:
        bus.complain("unusable", str(error))
    except InvalidMessage as error:
        bus.complain("too_large", f"{error}; a smaller RESIZE_WIDTH or JPEG_QUALITY helps")


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
