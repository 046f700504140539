"""A camera of this machine that FFmpeg reads by V4L2, without ever waiting inside the driver."""

import contextlib
import errno
import os
import select
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

from capture.drivers.v4l2 import Size
from capture.drivers.video import TIMEOUT, Video, open_container
from capture.source import SourceLost

NONBLOCK = "+4"
"""FFmpeg's AVFMT_FLAG_NONBLOCK, which has no name as an option: reading returns at once if there is no picture."""
PROBE_TIMEOUT = 0.1
"""Seconds in which FFmpeg may look at the first pictures. It would try again and again, without a pause, until there is one."""
MAX_AGE = 2.0
"""Seconds. A timestamp that is older, or in the future, is not from the monotonic clock."""
PAUSE = 0.01
"""Seconds to wait after a device has reported an event that is not a picture."""


class Device(Video):
    """An open camera. Its packets are copied, because FFmpeg gives the memory back to the driver when the camera is closed."""

    def __init__(self, name: str, container: Any, descriptor: int) -> None:
        """`descriptor` is the open device's. Raises `SourceLost` if FFmpeg cannot decode its pictures."""
        super().__init__(name, container, is_live=True)
        self._descriptor = descriptor

    def _demux(self) -> Iterator[Any]:
        seen_at = time.monotonic()
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    seen_at = time.monotonic()
                    if packet.size:
                        yield _copied(packet)
                    else:
                        self.damaged += 1
            except av.error.BlockingIOError:  # no picture yet
                self._wait(seen_at + TIMEOUT - time.monotonic())
            else:
                return

    def _wait(self, seconds: float) -> None:
        """Waits for a picture. Raises `SourceLost`."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        events = poll.poll(max(0, seconds) * 1000)
        if not events:
            raise SourceLost(f"{self._name}: no picture for {TIMEOUT:g} s")
        if not events[0][1] & select.POLLIN:
            time.sleep(PAUSE)


@contextlib.contextmanager
def open_device(name: str, path: Path, input_format: str, size: Size, rate: float | None) -> Iterator[Video]:
    """Opens a camera in one of the modes that it offers. Raises `SourceLost`."""
    options = {"input_format": input_format, "video_size": str(size), "fflags": NONBLOCK}
    if rate is not None:
        options["framerate"] = f"{rate:g}"
    others = set(_descriptors(path))
    with contextlib.closing(open_container(name, str(path), "v4l2", options, (PROBE_TIMEOUT, TIMEOUT))) as container:
        descriptor = next((one for one in _descriptors(path) if one not in others), None)
        if descriptor is None:
            raise SourceLost(f"{name}: {os.strerror(errno.ENODEV)}", errno.ENODEV)
        with contextlib.closing(Device(name, container, descriptor)) as device:
            yield device


def _descriptors(path: Path) -> Iterator[int]:
    """Yields this process's open descriptors of a file. FFmpeg does not say which one it has opened."""
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            if link.samefile(path):
                yield int(link.name)


def _copied(packet: Any) -> Any:
    """Returns a packet with its own memory; with its timestamp, if the driver takes that from the monotonic clock."""
    copied = av.Packet(bytes(packet))
    copied.stream, copied.time_base = packet.stream, packet.time_base
    if packet.pts is not None and 0 <= time.monotonic() - float(packet.pts * packet.time_base) < MAX_AGE:
        copied.pts = copied.dts = packet.pts
    return copied
