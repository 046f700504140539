"""Network cameras at rtsp addresses."""

from capture.drivers.stream import Stream
from capture.source import SourceKind

KIND = SourceKind("rtsp(s):// address", Stream, schemes=("rtsp", "rtsps"))
