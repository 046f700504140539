"""A camera that sends a JPEG stream over HTTP at any rate, until its client leaves."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from capture.pictures.prepare import encode_jpeg
from tests.support import videos


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no error."""


@contextmanager
def endless_camera(rate: int) -> Iterator[int]:
    """Runs the camera while entered. Yields its port."""
    jpegs = [encode_jpeg(videos.numbered(number, 640, 480), 80) for number in range(25)]

    class Handler(BaseHTTPRequestHandler):
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

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
