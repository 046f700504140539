"""Network cameras at rtsp addresses, and videos at http addresses, read by FFmpeg."""

from capture.drivers.login import LoginPause, LoginRefused
from capture.source import Pictures, Source, SourceLost, SourceOptions, display_name, percent_encoding_hint
from capture.timing import Timeline, paced, spread

TIMEOUT = 10.0
"""Seconds to connect, to analyse the stream, and to wait for a camera's next picture."""
HTTP_TIMEOUT = 30.0
"""Seconds to wait for the next picture at an http address. A live HLS stream sends a segment every 2 to 10 s, or late."""
_QUICK_START = {"fpsprobesize": "0"}
"""Pictures begin when the decoder is known: FFmpeg would measure the rate for two more seconds."""
RTSP_OPTIONS = {"rtsp_flags": "prefer_tcp"} | _QUICK_START
"""TCP, and UDP if the camera refuses TCP: over UDP, pictures are damaged when packets are lost."""
HTTP_OPTIONS = {"reconnect": "1", "reconnect_delay_max": "4", "live_start_index": "-1"} | _QUICK_START
"""A file goes on where its connection was lost. A live HLS stream begins with its newest segment: after a loss, as few pictures
as possible come twice.
"""


class Stream(Source):
    """A camera at an rtsp address, or a video at an http address: a file, or a live stream."""

    def __init__(self, address: str, options: SourceOptions, timeout: float = TIMEOUT) -> None:
        scheme, _, rest = address.partition("://")
        self._address = f"{scheme.lower()}://{rest}"  # FFmpeg requires a lower-case scheme
        self._name = display_name(address)
        self._options = options
        self._is_rtsp = self._address.startswith("rtsp")
        self._timeouts = timeout, timeout if self._is_rtsp else HTTP_TIMEOUT
        self._was_live = False
        self._login_pause = LoginPause(options.clock)

    def pictures(self) -> Pictures:
        """Yields the pictures of a camera as they arrive, and those of a video when they are due.

        A file ends. Raises `SourceLost`, also when a camera or a live stream ends, or sends nothing until the timeout.
        """
        from capture.drivers.video import open_video  # noqa: PLC0415  # the driver

        clock = self._options.clock
        yield from self._login_pause.wait()
        options = RTSP_OPTIONS if self._is_rtsp else HTTP_OPTIONS
        try:
            with open_video(self._name, self._address, options, self._timeouts, is_live=self._is_rtsp) as video:
                if self._is_rtsp:
                    yield from video.pictures()
                elif not video.duration:
                    self._was_live = True
                    yield from spread(video.pictures(), clock)
                elif not self._was_live:
                    timed = Timeline(video.interval).timed(video.pictures())
                    yield from paced(timed, video.interval, self._options.every_frame, clock)
                    return
        except SourceLost as error:
            hint = percent_encoding_hint(self._address)
            if isinstance(error, LoginRefused):
                hint += self._login_pause.begin()
            raise SourceLost(f"{error}{hint}") from None
        # The playlist of a live stream that has ended is a recording of its last minutes, which were already seen.
        raise SourceLost(f"{self._name}: {'it' if self._is_rtsp else 'the live stream'} stopped sending pictures")
