"""Plays a video in real time into a live HLS playlist.

python -m tests.support.hls_program VIDEO PLAYLIST LEAD SEGMENT   (seconds of the first picture before it, and of a segment)

Started again it appends a discontinuity. At the end it marks the stream as ended.
"""

import sys
import time
from fractions import Fraction
from typing import Any

import av
from av.video.frame import PictureType

TICK = Fraction(1, 1000)


def main(video: str, playlist: str, lead: float, segment: float) -> None:
    options = {"hls_time": f"{segment:g}", "hls_list_size": "4", "hls_flags": "delete_segments+append_list+temp_file"}
    with av.open(video) as clip, av.open(playlist, "w", format="hls", options=options) as live:
        source = clip.streams.video[0]
        stream: Any = live.add_stream("libx264", rate=100, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
        stream.codec_context.time_base = TICK
        stream.codec_context.gop_size = 10_000  # key frames are set below
        begin, key_at = time.monotonic(), 0.0

        def show(frame: Any, at: float) -> None:
            nonlocal key_at
            time.sleep(max(0.0, begin + at - time.monotonic()))
            frame.pts, frame.time_base = round(at / TICK), TICK
            frame.pict_type = PictureType.I if at >= key_at else PictureType.NONE
            key_at += segment * (at >= key_at)
            live.mux(stream.encode(frame))

        for frame in clip.decode(source):
            at = frame.time or 0.0
            if at == 0.0:
                for number in range(round(lead * 10)):
                    show(frame, number / 10)
            show(frame, lead + at)
        live.mux(stream.encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
