"""Real servers of streams for tests: RTSP by GStreamer, live HLS by FFmpeg, and files at http addresses."""

import functools
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typing_extensions import Self

from tests.support.broker import ROOT, free_port
from tests.support.wait import limit, until
from tests.support.web import QuietHandler, serve

PYTHON = "/usr/bin/python3"
"""Python's GStreamer is a system package."""
PROGRAM = Path(__file__).with_name("rtsp_program.py")
_IMPORTS = 'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer'


class StreamProgram:
    """A program that serves a stream while entered, and can be killed, frozen and started again."""

    _process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts the program, and waits until it serves."""
        raise NotImplementedError

    def kill(self) -> None:
        """Ends the program without a word to its clients."""
        self._process.kill()
        with self._process:  # closes its pipes
            self._process.wait(limit(10))

    def freeze(self) -> None:
        """Stops the program. Its connections stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class RtspServer(StreamProgram):
    """The RTSP server of `rtsp_program.py`, on a loopback port.

    `account` is user and password with a colon between them; `certificate` a file with a certificate and its key, for rtsps.
    """

    def __init__(self, folder: Path, rate: int = 10, account: str = "", certificate: str = "") -> None:
        if subprocess.run([PYTHON, "-c", _IMPORTS], check=False, capture_output=True).returncode:
            pytest.skip("GStreamer's RTSP server is missing: install what scripts/setup.sh names")
        self.port = free_port()
        self._log = folder / "rtsp.log"
        self._arguments = [str(rate), account, certificate]

    def start(self) -> None:
        """Starts the server, and waits until it listens."""
        with self._log.open("ab") as log:
            command = [PYTHON, str(PROGRAM), str(self.port), *self._arguments]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout
        assert self._process.stdout.readline(), self._log.read_text()


class FileServer(QuietHandler, SimpleHTTPRequestHandler):
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


@contextmanager
def file_server(folder: Path, ranges: bool = True) -> Iterator[Any]:
    """Serves a folder while entered. Yields the handler, with its `host` (and port)."""

    class Handler(FileServer):
        requests: ClassVar[list[str]] = []
        host: ClassVar[str]

    Handler.ranges = ranges
    with serve(functools.partial(Handler, directory=str(folder))) as server:
        Handler.host = f"127.0.0.1:{server.server_port}"
        yield Handler


class LiveHls(StreamProgram):
    """A video that FFmpeg's library plays in real time into a live HLS playlist, `live.m3u8`; see `hls_program.py`.

    Started again, it appends a discontinuity and the video once more.
    """

    def __init__(self, folder: Path, video: Path, lead: float = 0.0, segment: float = 2.0) -> None:
        self.playlist = folder / "live.m3u8"
        program = [sys.executable, "-m", "tests.support.hls_program"]
        self._command = [*program, str(video), str(self.playlist), str(lead), str(segment)]

    def start(self) -> None:
        """Starts the program, and waits for its first segment."""
        before = self.playlist.read_text() if self.playlist.exists() else ""
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.DEVNULL)
        until(lambda: self.has_ended or (self.playlist.exists() and self.playlist.read_text() != before), 20, "the playlist")
        assert not self.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._process.poll() is not None
