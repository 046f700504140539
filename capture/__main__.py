"""Publishes the frames of one camera, file, stream or folder as footfall/<camera>/frame."""

import sys
import threading

from bus import Bus, InvalidMessage, process
from capture.framer import Framer
from capture.pace import Pace
from capture.prepare import Preparation
from capture.reader import Reader
from capture.settings import Settings
from capture.source import UnusablePicture
from capture.sources import source_of


def main(settings: Settings, stop: threading.Event) -> None:
    """Captures until `stop` is set."""
    preparation = Preparation(settings.resize_width, settings.resize_height, settings.rotate, settings.convert_to_gray)
    framer = Framer(settings.camera, Pace(settings.frame_rate), preparation, settings.jpeg_quality)
    source = source_of(settings.video_path, settings.frame_rate)
    bus = Bus(settings)
    with bus, Reader(source, bus.state, settings.loop_video, silence=max(15.0, 3 / settings.frame_rate)) as reader:
        while not stop.is_set():
            captured = reader.take(timeout=0.5)
            try:
                frame = framer.frame(captured) if captured else None
                if frame is not None and bus.publish(frame):
                    framer.published()
            except UnusablePicture as error:
                bus.complain("unusable", str(error))
            except InvalidMessage as error:
                bus.complain("too_large", f"{error}; a smaller RESIZE_WIDTH or JPEG_QUALITY helps")


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
