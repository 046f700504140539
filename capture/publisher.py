"""The publication of the frames of one camera."""

import time
from collections.abc import Callable
from functools import partial

from bus import Bus, Frame, InvalidMessage, Setups
from bus import metric_names as names
from bus.images import UnusablePicture
from bus.states import STARTING
from capture.commands import Publish, Session
from capture.consumers import Consumers
from capture.framer import Framer
from capture.reader import Reader
from capture.source import CapturedPicture

POLL_INTERVAL = 0.02
"""Seconds between two checks of whether the setup is known."""


class FramePublisher:
    """Publishes the frames that `framer` makes. Those of a recording wait for `consumers`."""

    def __init__(self, bus: Bus, setups: Setups, framer: Framer, consumers: Consumers | None) -> None:
        self._bus = bus
        self._setups = setups
        self._framer = framer
        self._consumers = consumers

    def publish(self, frame: Frame) -> bool:
        """Publishes the framer's last frame. Drops it if the mask has changed meanwhile, or may have after a lost connection."""
        if not self._setups.are_known:
            self._bus.metrics.add(names.DROPPED_OFFLINE)
            return False
        return not self._framer.is_outdated and self._bus.publish(frame)

    def prepare(self, session: Session, is_over: Callable[[], bool]) -> Publish:
        """Prepares for a session, which publishes by what is returned. Waits for the consumers of a recording."""
        self._framer.restart()
        if self._consumers is None:
            return session.publish
        session.report(STARTING, "the recording waits for the classifier and the counter")
        if not self._consumers.wait_until_running(is_over):
            return session.publish
        return partial(self._consumers.publish, publish=session.publish, is_over=lambda: is_over() or self._framer.is_outdated)

    def publish_all(self, reader: Reader, session: Session, publish: Publish, is_over: Callable[[], bool]) -> None:
        """Publishes a reader's pictures until the session is over, the source hangs, or the setup becomes unreadable."""
        while not is_over() and not self._setups.unreadable and not reader.hangs():
            if not self._setups.are_known:
                time.sleep(POLL_INTERVAL)
            elif captured := reader.take(timeout=0.5):
                publish_frame(captured, self._framer, session, publish, self._bus)
            elif reader.has_ended:
                self._bus.progressed()


def publish_frame(captured: CapturedPicture, framer: Framer, session: Session, publish: Publish, bus: Bus) -> None:
    """Publishes the frame of a picture if one is due. Counts and logs a picture that cannot become a frame."""
    try:
        frame = framer.make_frame(captured, is_snapshot=session.take_snapshot_request())
        if framer.gate is not None and bus.metrics.put(names.MOTION, float(framer.gate.is_open)):
            bus.report()  # at once: other modules must not take the silence that follows for a loss
        if frame is not None and publish(frame):
            framer.mark_published()
            bus.progressed()
    except UnusablePicture as error:
        bus.count_and_warn(names.UNUSABLE, f"{error}; dropped")
    except InvalidMessage as error:
        bus.count_and_warn(names.TOO_LARGE, f"{error}; lower RESIZE_WIDTH or JPEG_QUALITY")
