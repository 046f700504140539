"""A stand-in for libcamera's element, loaded by GStreamer: drawn pictures of any size and rate.

The camera "black" is black, others are white. LIBCAMERASRC=silent gives no pictures, LIBCAMERASRC=crash ends the program.
"""

import os
import signal
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GObject, Gst  # noqa: E402

Gst.init(None)


class LibcameraSrc(Gst.Bin):  # type: ignore[misc]
    """The element, around GStreamer's test pictures."""

    __gstmetadata__ = ("Stand-in for libcamera", "Source/Video", "Draws pictures", "Footfall")
    __gsttemplates__ = Gst.PadTemplate.new(
        "src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, Gst.Caps.from_string("video/x-raw")
    )

    def __init__(self) -> None:
        super().__init__()
        self._source = Gst.ElementFactory.make("videotestsrc")
        self._source.set_property("is-live", True)
        self._source.set_property("pattern", "white")
        limited = Gst.ElementFactory.make("capsfilter")  # as cameras and videos: white has the value 235
        limited.set_property("caps", Gst.Caps.from_string("video/x-raw,colorimetry=bt709"))
        self.add(self._source)
        self.add(limited)
        self._source.link(limited)
        pad = limited.get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER, self._on_picture)
        self.add_pad(Gst.GhostPad.new_from_template("src", pad, self.__gsttemplates__))

    @GObject.Property(type=str, nick="camera-name")
    def camera_name(self) -> str:
        """The camera's id."""
        return str(self._source.get_property("pattern"))

    @camera_name.setter  # type: ignore[no-redef]
    def camera_name(self, name: str) -> None:
        self._source.set_property("pattern", name if name == "black" else "white")

    def _on_picture(self, *_: Any) -> Any:
        behaviour = os.environ.get("LIBCAMERASRC")
        if behaviour == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        return Gst.PadProbeReturn.DROP if behaviour == "silent" else Gst.PadProbeReturn.OK


GObject.type_register(LibcameraSrc)
__gstelementfactory__ = ("libcamerasrc", Gst.Rank.NONE, LibcameraSrc)
