"""What the receiver of a webhook answers: any bytes on its connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Queue

from bridge.sinks.webhook.poster import Poster
from tests.fuzz.target import Parse, Target
from tests.support.mutation import PIECES
from tests.support.wait import limit

DATE = b"Date: Fri, 27 Nov 2026 12:00:00 GMT\r\n"
ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.0 301 Moved\r\nLocation: http://other.example/\r\n\r\n",
    b"HTTP/1.1 429 Slow down\r\n" + DATE + b"Retry-After: 120\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\n" + DATE + b"Retry-After: Fri, 27 Nov 2026 12:02:00 GMT\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"a" * 100,
)
WORDS = (
    b"\r\n",
    b"\r\n\r\n",
    b": ",
    b"HTTP/1.1 ",
    b"Retry-After: ",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"-1",
)
MANY = (b"\xb2", b"A: b\r\n" * 200, b"A" * 70_000, b"HTTP/1.1 100 \r\n\r\n" * 100, b"99999999999999999999")


@contextmanager
def posting() -> Iterator[Parse]:
    """Gives a function that posts to a real socket on loopback, on which these bytes are the answer before the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        poster = Poster(f"http://127.0.0.1:{listener.getsockname()[1]}/results", timeout=limit(2))
        answers: Queue[bytes] = Queue()

        def serve() -> None:
            while answer := answers.get():
                with listener.accept()[0] as connection, suppress(OSError):
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()

        def post(answer: bytes) -> None:
            answers.put(answer or b" ")
            try:
                poster.post(b"{}", {"webhook-id": "1"})
            finally:
                poster.close()

        try:
            yield post
        finally:
            answers.put(b"")
            thread.join()


TARGETS = [Target("webhook.answer", lambda: ANSWERS, posting, pieces=(*PIECES, *WORDS, *MANY))]
