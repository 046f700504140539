"""Network cameras at rtsp addresses, and videos at http addresses, read by FFmpeg."""

from capture.source import Pictures, Source, SourceKind, SourceLost, SourceOptions, display_name, percent_encoding_hint


class Stream(Source):
    """A stream that FFmpeg reads."""

    def __init__(self, address: str, _options: SourceOptions) -> None:
        scheme, _, rest = address.partition("://")
        self._address = f"{scheme.lower()}://{rest}"  # FFmpeg requires a lower-case scheme
        self._name = display_name(address)

    def pictures(self) -> Pictures:
        """Yields pictures as they arrive. Raises `SourceLost`, also after ten seconds without a picture."""
        from capture.video import open_video  # noqa: PLC0415  # the driver

        options = {"rtsp_flags": "prefer_tcp"} if self._address.startswith("rtsp") else {}
        try:
            with open_video(self._name, self._address, options=options, is_live=True) as video:
                yield from video.pictures()
        except SourceLost as error:
            raise SourceLost(f"{error}{percent_encoding_hint(self._address)}") from None
        raise SourceLost(f"{self._name}: it stopped sending pictures")


KIND = SourceKind("rtsp(s):// address", Stream, schemes=("rtsp", "rtsps"))
