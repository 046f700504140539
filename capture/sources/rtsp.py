"""Network cameras at rtsp addresses, and videos at http addresses, read by FFmpeg."""

import socket
from urllib.parse import urlsplit

from capture.source import Pictures, Source, SourceKind, SourceOptions, display_name, percent_encoding_hint

TIMEOUT = 10.0
"""Seconds to open a stream, and to wait for its next picture."""
PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


class Stream(Source):
    """A stream that FFmpeg reads."""

    def __init__(self, address: str, _options: SourceOptions) -> None:
        scheme, _, rest = address.partition("://")
        self._address = f"{scheme.lower()}://{rest}"  # FFmpeg requires a lower-case scheme
        self._name = display_name(address)

    def pictures(self) -> Pictures:
        """Yields pictures as they arrive. Raises `SourceLost`, also after ten seconds without a picture."""
        from capture.opencv import cv2, open_capture, read_until_lost  # noqa: PLC0415  # the driver

        timeout = int(TIMEOUT * 1000)
        options = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout)
        with open_capture(self._name, self._address, cv2.CAP_FFMPEG, options, self._explain_failure) as capture:
            yield from read_until_lost(self._name, capture)

    def _explain_failure(self) -> str:
        """Returns why the stream cannot be opened. FFmpeg's messages are not used, because they can contain the address."""
        if hint := percent_encoding_hint(self._address):
            return f"cannot be opened{hint}"
        try:
            parts = urlsplit(self._address)
            socket.create_connection((parts.hostname or "", parts.port or PORTS[parts.scheme]), TIMEOUT).close()
        except (OSError, ValueError) as error:
            return (error.strerror if isinstance(error, OSError) else "") or f"no connection ({type(error).__name__})"
        return "the host is reachable, but OpenCV cannot open the stream; check path, user, password and video format"


KIND = SourceKind("rtsp(s):// address", Stream, schemes=("rtsp", "rtsps"))
