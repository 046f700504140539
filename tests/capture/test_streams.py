"""Streams of real servers: RTSP by GStreamer, live HLS by FFmpeg, and files at http addresses.

The soak in full: FOOTFALL_SOAK_FRAMES=36000 make test TESTS=tests/capture/test_streams.py
"""

import itertools
import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from urllib.parse import quote

import psutil
import pytest
import trustme

from bus import Frame
from bus.states import CAMERA_LOST, ENDED, RUNNING
from capture.drivers.stream import Stream
from capture.reader import Reader
from capture.source import SourceLost, SourceOptions
from capture.sources.http import HttpCamera
from capture.sources.local import LocalFile
from demo.about import CLIP
from demo.clip import write_clip
from demo.pipeline import Pipeline
from demo.scenes import Scene
from demo.score import Span
from demo.visitors import FRAME_RATE
from runtime.backoff import Backoff
from tests.support import videos
from tests.support.broker import Broker
from tests.support.cameras import snapshot_camera
from tests.support.capture import Reports
from tests.support.clock import Clock
from tests.support.link import open_link
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.secrets import MARK
from tests.support.streams import LiveHls, RtspServer, file_server
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]
FRAMES = int(os.environ.get("FOOTFALL_SOAK_FRAMES") or 3000)
"""Frames of the soak."""
FRAMES_PER_CUT = 300
"""Frames of the soak for each cut of its connection, on average."""
RECONNECTS = 50
ACCOUNT = "me:p@ss /1"
WITH_ACCOUNT = f"me:{quote('p@ss /1', safe='')}@"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RtspServer]:
    with RtspServer(tmp_path) as running:
        yield running


def read(source: Stream | HttpCamera, count: int) -> list[tuple[int, float | None, bool]]:
    """Returns number, timestamp, and whether it is still a JPEG, for each of the first pictures."""
    with closing(source.pictures()) as given:
        pictures = itertools.islice((one for one in given if one is not None), count)
        return [(videos.number_of(one.pixels()), one.timestamp, one.jpeg is not None) for one in pictures]


@pytest.mark.parametrize(
    ("path", "is_jpeg"), [("h264", False), ("mjpeg", True), ("tcp", False), ("udp", False)], ids=["h264", "mjpeg", "tcp", "udp"]
)
def test_a_camera_is_shown_live(server: RtspServer, path: str, is_jpeg: bool) -> None:
    """Pictures come when they are taken, over TCP, or over UDP where the camera refuses TCP. JPEGs are not decoded."""
    source = Stream(f"RTSP://127.0.0.1:{server.port}/{path}", SourceOptions())
    with closing(source.pictures()) as pictures:
        last: float | None = None
        ages = []
        for picture in itertools.islice(pictures, 30):
            assert picture is not None
            assert (picture.jpeg is not None) == is_jpeg
            number = videos.number_of(picture.pixels())
            ages.append((time.monotonic() * 10 - number) % 25 / 10)
            if last is not None and picture.timestamp is not None:
                assert 0 < picture.timestamp - last < limit(0.5)
            last = picture.timestamp
    assert min(ages) < 0.3
    assert sorted(ages)[len(ages) // 2] < limit(0.1)


REFUSED = "Server returned 401 Unauthorized (authorization failed); the next attempt is in 5 minutes"


@pytest.mark.parametrize(
    ("scheme", "account", "path", "reason"),
    [
        ("rtsp", "me:wrong@", "h264", REFUSED),
        ("rtsp", "", "h264", REFUSED),
        ("rtsp", WITH_ACCOUNT, "none", "Server returned 404 Not Found"),
        ("rtsps", WITH_ACCOUNT, "h264", "Input/output error"),
    ],
    ids=["wrong password", "no password", "wrong path", "no TLS"],
)
def test_why_a_camera_cannot_be_opened(tmp_path: Path, scheme: str, account: str, path: str, reason: str) -> None:
    """The reason is FFmpeg's. A refused login is not tried again at once, because cameras lock a user out."""
    with RtspServer(tmp_path, account=ACCOUNT) as server:
        source = Stream(f"{scheme}://{account}127.0.0.1:{server.port}/{path}", SourceOptions(clock=Clock()))
        with pytest.raises(SourceLost) as caught:
            read(source, 1)
        assert str(caught.value) == f"{scheme}://127.0.0.1:{server.port}: {reason}"
        if "401" in reason:
            assert list(itertools.islice(source.pictures(), 290)) == [None] * 290


@pytest.mark.parametrize("has_tls", [False, True], ids=["rtsp", "rtsps"])
def test_a_password(tmp_path: Path, has_tls: bool) -> None:
    """Percent-encoded, by Digest, also over TLS with a certificate that the camera signed itself."""
    certificate = tmp_path / "camera.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with RtspServer(tmp_path, account=ACCOUNT, certificate=str(certificate) if has_tls else "") as server:
        source = Stream(f"rtsp{'s' * has_tls}://{WITH_ACCOUNT}127.0.0.1:{server.port}/mjpeg", SourceOptions())
        assert len(read(source, 5)) == 5


def test_a_server_that_dies_or_freezes(server: RtspServer) -> None:
    """Each is a loss with its reason, also while it is opened. When the server is back, so are the pictures."""
    source, reports = Stream(f"rtsp://127.0.0.1:{server.port}/h264", SourceOptions(), timeout=limit(0.6)), Reports()
    lost = f"rtsp://127.0.0.1:{server.port}:"

    def wait_for(*reasons: str) -> None:
        until(lambda: [reader.take(0.05)] and any(report in reasons for report in reports), 20, f"one of {reasons}")
        reports.clear()

    with Reader(source, reports, backoff=Backoff(0.05, 0.1)) as reader:
        wait_for(RUNNING)
        server.kill()
        wait_for(f"{lost} Connection refused")
        server.start()
        wait_for(RUNNING)
        server.freeze()
        wait_for(f"{lost} Operation timed out")
        wait_for(f"{lost} Operation timed out")
        server.thaw()
        wait_for(RUNNING)
        server.freeze()
        time.sleep(0.2)
        server.thaw()
        time.sleep(0.5)
        assert reports in ([], [RUNNING])


TIMED = [(number * (0.1 if number < 10 else 0.2), videos.numbered(number)) for number in range(20)]
"""Pictures with their times: the rate varies."""


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_file_over_http(tmp_path: Path, has_ranges: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It plays by its own timestamps, and its end is the end of a recording. A proxy of the environment is not asked for it."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    videos.timed_video(tmp_path / "clip.mp4", TIMED)
    clock, reports = Clock(0.0), Reports()
    with file_server(tmp_path, has_ranges) as server:
        source = HttpCamera(f"http://{server.host}/clip.mp4", SourceOptions(every_frame=True, clock=clock))
        with closing(source.pictures()) as pictures:
            shown = [(clock.now, videos.number_of(one.pixels())) for one in pictures if one is not None]
        assert [number for _, number in shown] == list(range(20))
        assert [at for at, _ in shown] == pytest.approx([at for at, _ in TIMED], abs=0.01)
        with Reader(source, reports, loop=False) as reader:
            until(lambda: reader.has_ended)
        assert reports == [RUNNING, ENDED]


def test_a_file_goes_on_where_its_connection_was_lost() -> None:
    with file_server(CLIP.parent) as server, open_link(int(server.host.rpartition(":")[2]), max_bytes=500_000) as link:
        source = Stream(f"http://127.0.0.1:{link.port}/{CLIP.name}", SourceOptions(every_frame=True, clock=Clock()))
        times = [picture.timestamp for picture in source.pictures() if picture is not None]
        assert link.accepted > 3
    assert times == pytest.approx([number / FRAME_RATE for number in range(1230)])


def count_clip(clip: Path) -> list[Span]:
    """Returns the visits in a clip, frame by frame."""
    pipeline = Pipeline()
    for picture in LocalFile(str(clip), SourceOptions(every_frame=True, clock=Clock())).pictures():
        assert picture is not None
        pipeline.process(picture.pixels(), round((picture.timestamp or 0) * FRAME_RATE))
    return pipeline.all.end()


def test_visitors_of_a_live_hls_stream(tmp_path: Path) -> None:
    """Pictures arrive in bursts of two seconds, and are spread as in the clip: the same visits, with the same times.

    When the stream has ended its last minute stays there, but is not played again.
    """
    clip, lead, reports = tmp_path / "clip.mp4", 5.0, Reports()
    write_clip(Scene(80), 25.0, clip)
    expected, pipeline, times = count_clip(clip), Pipeline(), list[float]()
    with file_server(tmp_path) as server, LiveHls(tmp_path, clip, lead):
        source = HttpCamera(f"http://{server.host}/live.m3u8", SourceOptions())
        lost = f"http://{server.host}: the live stream stopped sending pictures"
        with Reader(source, reports, backoff=Backoff(0.1, 0.1)) as reader:
            while reports.count(lost) < 3:
                if captured := reader.take(0.1):
                    times.append(captured.monotonic_at)
                    pipeline.process(captured.picture.pixels(), round((times[-1] - times[0]) * FRAME_RATE))
    assert set(reports[1:]) == {lost}
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < limit(0.5)
    visits = pipeline.all.end()
    assert [visit.label for visit in visits] == [visit.label for visit in expected]
    shift = median(visit.start - one.start for visit, one in zip(visits, expected, strict=True))
    for visit, one in zip(visits, expected, strict=True):
        assert (visit.start - shift, visit.end - shift) == pytest.approx((one.start, one.end), abs=limit(0.2))


def test_a_live_hls_stream_with_gaps(tmp_path: Path) -> None:
    """Its encoder freezes and goes on, and is started again, with a discontinuity: pictures go on without a loss."""
    clip, reports = videos.timed_video(tmp_path / "clip.mp4", [(n * 0.1, videos.numbered(n % 25)) for n in range(600)]), Reports()
    with file_server(tmp_path) as server, LiveHls(tmp_path, clip, segment=1.0) as live:
        source = HttpCamera(f"http://{server.host}/live.m3u8", SourceOptions())

        def pictures_come() -> None:
            for _ in range(20):
                until(lambda: reader.take(0.5), what="a picture")

        with Reader(source, reports) as reader:
            pictures_come()
            live.freeze()
            until(lambda: reader.take(0.9) is None, what="the stall")
            live.thaw()
            pictures_come()
            live.kill()
            live.start()
            pictures_come()
            assert reports == [RUNNING]


class Resources:
    """Threads, descriptors and memory of this process."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.begin = self.now()

    def now(self) -> tuple[int, int, float]:
        """Returns the number of threads and of descriptors, and the memory in MB."""
        return self._process.num_threads(), self._process.num_fds(), self._process.memory_info().rss / 1e6

    def check(self, megabytes: float) -> None:
        """Waits until there are not more threads and descriptors than at the begin, and checks how much the memory grew."""
        until(lambda: all(now <= begin for now, begin in zip(self.now()[:2], self.begin[:2], strict=True)), what="threads to end")
        assert self.now()[2] - self.begin[2] < megabytes, (self.begin, self.now())


@pytest.mark.parametrize("path", ["h264", "mjpeg"])
def test_reconnects_leave_nothing_behind(server: RtspServer, path: str) -> None:
    """A connection that breaks 50 times: threads, descriptors and memory stay as they were after the first ones."""
    with open_link(server.port) as link:
        source = Stream(f"rtsp://127.0.0.1:{link.port}/{path}", SourceOptions())
        resources = None
        for number in range(RECONNECTS):
            with closing(source.pictures()) as pictures:
                next(pictures)
                link.cut()
                with pytest.raises(SourceLost):
                    list(pictures)
            if number == 9:
                resources = Resources()
        assert resources
        resources.check(megabytes=10)


@pytest.mark.parametrize("kind", ["multipart", "rtsp"])
@pytest.mark.timeout(limit(600))
def test_a_soak(tmp_path: Path, kind: str) -> None:
    """Frames at speed over a connection that is cut at random: threads, descriptors and memory stay flat."""
    chance, reports = random.Random(FRAMES), Reports()
    with (
        RtspServer(tmp_path, rate=400) as rtsp,
        snapshot_camera() as camera,
        open_link(rtsp.port if kind == "rtsp" else camera.port) as link,
    ):
        host = f"127.0.0.1:{link.port}"
        source = (
            Stream(f"rtsp://{host}/mjpeg", SourceOptions())
            if kind == "rtsp"
            else HttpCamera(f"http://{host}/live/1000", SourceOptions())
        )
        taken, resources, cuts = 0, None, 0

        with Reader(source, reports, backoff=Backoff(0.01, 0.05)) as reader:
            while taken < FRAMES:
                taken += reader.take(0.5) is not None
                if chance.random() < 1 / FRAMES_PER_CUT:
                    link.cut()
                    cuts += 1
                if resources is None and taken >= FRAMES // 5:
                    resources = Resources()
            assert resources
            begin, end = resources.begin, resources.now()
            print(f"{kind}: {taken} frames, {cuts} cuts, threads, descriptors, MB: {begin} to {end}")  # noqa: T201
            resources.check(megabytes=10)
        assert reports.count(RUNNING) > 1
        assert cuts > 1


def test_a_camera_in_a_process(tmp_path: Path, broker: Broker, server: RtspServer) -> None:
    """Frames of a camera are published, those of a JPEG stream as they are. A dead server is reported, without the password."""
    settings = {"VIDEO_PATH": f"rtsp://me:{MARK}@127.0.0.1:{server.port}/mjpeg", "VERBOSE": "true"}
    with Listener(broker.port, "footfall/#") as listener, Module("capture", broker.port, **settings) as module:
        frame = Frame.unpack(listener.wait_for("door/frame", 5)[-1])
        assert (frame.width, frame.height) == (64, 48)
        with closing(Stream(f"rtsp://127.0.0.1:{server.port}/mjpeg", SourceOptions()).pictures()) as pictures:
            until(lambda: (one := next(pictures)) is not None and one.jpeg == frame.jpeg, what="the same picture again")
        server.kill()
        until(lambda: CAMERA_LOST in str(listener.payloads("status/capture")[-1:]), what="the loss")
        assert f"rtsp://127.0.0.1:{server.port}: " in str(listener.payloads("status/capture")[-1])
        seen = len(listener.payloads("door/frame"))
        server.start()
        listener.wait_for("door/frame", seen + 5, 30)
        assert MARK not in module.log
        assert module.end() == 0
