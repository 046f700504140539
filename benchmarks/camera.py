"""A network camera: sends the pictures of a folder in turn, as Motion JPEG over HTTP. Each says in a comment when it was sent.

python -m benchmarks.camera PORT FOLDER RATE WIDTH HEIGHT
"""

import itertools
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.frames import read_jpegs
from benchmarks.programs import Script, free_port, is_listening, wait_for

_START, _COMMENT = b"\xff\xd8", b"\xff\xfe"
_TIME_SIZE = 20
"""Bytes of the time in a comment."""


def stamped(jpeg: bytes, at: float) -> bytes:
    """Returns a JPEG with a Unix time in a comment."""
    text = f"{at:.6f}".rjust(_TIME_SIZE).encode()
    return _START + _COMMENT + (2 + _TIME_SIZE).to_bytes(2, "big") + text + jpeg[2:]


def sent_at(jpeg: bytes) -> float:
    """Returns the Unix time in the comment of a JPEG."""
    if jpeg[2:4] != _COMMENT:
        raise ValueError("the picture is not as the camera sent it")
    return float(jpeg[6 : 6 + _TIME_SIZE])


@contextmanager
def camera(pictures: Path, rate: float, width: int, height: int) -> Iterator[str]:
    """Runs the camera as a process. Yields its address."""
    port = free_port()
    with Script("benchmarks.camera", port, pictures, rate, width, height) as program:
        wait_for(lambda: program.check() and is_listening(port), 60, "the camera")
        yield f"http://127.0.0.1:{port}/"


def main(port: int, folder: Path, rate: float, width: int, height: int) -> None:
    """Serves any number of clients without end; `rate` is the pictures a second of each."""
    pictures = read_jpegs(folder, width, height)

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            begin = time.monotonic()
            for number, picture in enumerate(itertools.cycle(pictures)):
                time.sleep(max(0.0, begin + number / rate - time.monotonic()))
                jpeg = stamped(picture, time.time())
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                except OSError:
                    return

    ThreadingHTTPServer(("127.0.0.1", port), Camera).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), *map(int, sys.argv[4:]))
