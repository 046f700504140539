"""A camera that sends a JPEG stream over HTTP at any rate, until its client leaves."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from capture.pictures.prepare import encode_jpeg
from tests.support import videos
from tests.support.web import QuietHandler, serve


@contextmanager
def endless_camera(rate: int) -> Iterator[int]:
    """Runs the camera while entered. Yields its port."""
    jpegs = [encode_jpeg(videos.numbered(number, 640, 480), 80) for number in range(25)]

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
            self.end_headers()
            for number in range(10**9):
                jpeg = jpegs[number % 25]
                self.wfile.write(
                    b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
                )
                time.sleep(1 / rate)

    with serve(Handler) as server:
        yield server.server_port
