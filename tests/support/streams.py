"""Real servers of streams for tests: RTSP by GStreamer, live HLS by FFmpeg, and files at http addresses."""

import functools
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typing_extensions import Self

from tests.support.broker import ROOT, free_port
from tests.support.wait import limit, until

PYTHON = "/usr/bin/python3"
"""Python's GStreamer is a system package."""
PROGRAM = Path(__file__).with_name("rtsp_program.py")
_IMPORTS = 'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer'


class RtspServer:
    """The RTSP server of `rtsp_program.py`, as a process on a loopback port that can be killed, frozen and started again.

    `account` is user and password with a colon between them; `certificate` a file with a certificate and its key, for rtsps.
    """

    def __init__(self, folder: Path, rate: int = 10, account: str = "", certificate: str = "") -> None:
        if subprocess.run([PYTHON, "-c", _IMPORTS], check=False, capture_output=True).returncode:
            pytest.skip("GStreamer's RTSP server is missing: install what scripts/setup.sh names")
        self.port = free_port()
        self._log = folder / "rtsp.log"
        self._arguments = [str(rate), account, certificate]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts the server, and waits until it listens."""
        with self._log.open("ab") as log:
            command = [PYTHON, str(PROGRAM), str(self.port), *self._arguments]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout
        assert self._process.stdout.readline(), self._log.read_text()

    def kill(self) -> None:
        """Ends the server without a word to its clients."""
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        self._process.kill()
        self._process.wait(limit(10))
        self._process.stdin.close()
        self._process.stdout.close()

    def freeze(self) -> None:
        """Stops the server. Its connections stay open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


class FileServer(SimpleHTTPRequestHandler):
    """A web server of files, with ranges unless told otherwise, as most servers have them."""

    ranges: ClassVar[bool]
    requests: ClassVar[list[str]]
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}

    def do_GET(self) -> None:
        self.requests.append(self.path)
        path = Path(self.translate_path(self.path))
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not self.ranges or not wanted or not path.is_file():
            super().do_GET()
            return
        begin, content = int(wanted[1]), path.read_bytes()
        end = min(int(wanted[2]) + 1 if wanted[2] else len(content), len(content))
        self.send_response(206)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        self.wfile.write(content[begin:end])

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that leaves is no error."""


@contextmanager
def file_server(folder: Path, ranges: bool = True, port: int = 0) -> Iterator[Any]:
    """Serves a folder while entered. Yields the handler, with its `host` (and port)."""

    class Handler(FileServer):
        requests: ClassVar[list[str]] = []
        host: ClassVar[str]

    Handler.ranges = ranges
    with _QuietServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder))) as server:
        Handler.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Handler
        finally:
            server.shutdown()
            thread.join()


class LiveHls:
    """A video that FFmpeg's library plays in real time into a live HLS playlist, `live.m3u8`; see `hls_program.py`.

    Started again, it appends a discontinuity and the video once more.
    """

    def __init__(self, folder: Path, video: Path, lead: float = 0.0, segment: float = 2.0) -> None:
        self.playlist = folder / "live.m3u8"
        program = [sys.executable, "-m", "tests.support.hls_program"]
        self._command = [*program, str(video), str(self.playlist), str(lead), str(segment)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts the program, and waits for its first segment."""
        before = self.playlist.read_text() if self.playlist.exists() else ""
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.DEVNULL)
        until(lambda: self.has_ended or (self.playlist.exists() and self.playlist.read_text() != before), 20, "the playlist")
        assert not self.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """Kills the program. When it ends by itself, it marks the stream as ended."""
        assert self._process
        self._process.kill()
        self._process.wait(limit(10))

    def signal(self, number: signal.Signals) -> None:
        """Freezes (SIGSTOP) or continues (SIGCONT) the program."""
        assert self._process
        os.kill(self._process.pid, number)
