"""Videos read by FFmpeg: when their pictures are due, which are upright, and what damage costs."""

import contextlib
import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.images import UnusablePicture
from capture.drivers.video import MAX_DAMAGED, open_video
from capture.pictures.decoded import DecodedPicture
from capture.pictures.picture import Picture, Pixels
from capture.source import SourceLost, SourceOptions
from capture.sources.local import LocalFile
from capture.timing import MAX_GAP, MAX_RECORDED_STEP, MIN_RECORDED_STEP, Timeline, paced, spread
from tests.support import hostile, videos
from tests.support.broker import ROOT
from tests.support.cameras import snapshot_camera
from tests.support.clock import Clock
from tests.support.wait import limit

PHONE = (0.0, 0.5, 1.0, 1.033, 1.066, 1.1, 1.133, 1.633, 3.133, 3.166)
"""Seconds of the pictures in a recording of variable rate."""


def clip(path: Path, codec: str = "mpeg4", pixel_format: str = "yuv420p", size: tuple[int, int] = (64, 48)) -> Path:
    """Writes a recording of numbered pictures at the times of `PHONE`."""
    numbered = (videos.numbered(number, *size) for number in range(len(PHONE)))
    return videos.timed_video(path, zip(PHONE, numbered, strict=True), codec, pixel_format)


def read(path: Path) -> list[Picture]:
    with open_video(path.name, str(path)) as video:
        return list(video.pictures())


@given(st.lists(st.none() | st.floats() | st.integers(-5, 5).map(float)), st.floats(0.001, 1000.0))
def test_times_increase_whatever_the_timestamps(timestamps: list[float | None], interval: float) -> None:
    """The time from a picture to the next is that of the timestamps, if it can be, and the declared one otherwise."""
    timeline = Timeline(interval)
    times = [timeline.time_of(one) for one in timestamps]
    assert times[:1] in ([], [0.0])
    for (earlier, later), (begin, end) in zip(itertools.pairwise(timestamps), itertools.pairwise(times), strict=True):
        step = float("nan") if earlier is None or later is None else later - earlier
        is_credible = MIN_RECORDED_STEP <= step <= MAX_RECORDED_STEP
        assert end - begin == pytest.approx(step if is_credible else interval, abs=1e-6)


@given(st.lists(st.floats(0.001, 3.0), min_size=1, max_size=50), st.floats(0.0, 0.3), st.booleans())
def test_pictures_are_due_by_their_times(steps: list[float], cost: float, every_frame: bool) -> None:
    """A fast machine shows each when it is due. A slow one skips late ones, unless all are wanted, but never for long."""
    clock, times = Clock(0.0), list(itertools.accumulate([0.0, *steps]))

    def decoded() -> Iterator[tuple[float, float]]:
        for at in times:
            clock.sleep(cost)
            yield at, at

    shown = [(at, clock.now) for at in paced(decoded(), 0.04, every_frame, clock) if at is not None]
    assert all(now >= at - 1e-6 for at, now in shown)
    if every_frame or cost == 0.0:
        assert [at for at, _ in shown] == times
    if cost == 0.0:
        assert [now for _, now in shown] == pytest.approx(times)
        assert clock.now == pytest.approx(times[-1] + steps[-1])
    for (earlier, before), (later, now) in itertools.pairwise(shown):
        assert now - before <= max(MAX_GAP, later - earlier) + 2 * cost + 1e-6


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40)), min_size=1, max_size=12),
    st.sampled_from([0.0, -500.0, 5000.0]),
)
def test_pictures_that_arrive_in_bursts_are_spread(bursts: list[tuple[int, int]], jump: float) -> None:
    """Each is yielded when it is due by its timestamp, or at once when it is late. A new start of the times costs nothing."""
    clock, at, arrived = Clock(0.0), 0.0, list[tuple[float, float]]()

    def pictures() -> Iterator[Picture]:
        nonlocal at
        for number, (pause, size) in enumerate(bursts):
            clock.sleep(pause / 10)
            if number == len(bursts) // 2:
                at += jump
            for _ in range(size):
                at += 0.1
                arrived.append((at, clock.now))
                yield DecodedPicture(videos.numbered(0), at)

    given = [(picture, clock.now) for picture in spread(pictures(), clock)]
    shown = [(picture.timestamp, now) for picture, now in given if picture is not None]
    assert [at for at, _ in shown] == [at for at, _ in arrived]
    for (one, begin), (other, end), (_, came) in zip(shown, shown[1:], arrived[1:], strict=False):
        step = other - one if other - one < 1 and other > one else 0.0  # type: ignore[operator]
        assert end == pytest.approx(max(came, begin + step))


@pytest.mark.parametrize("every_frame", [False, True])
@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "mpeg4"), (".webm", "libvpx"), (".mkv", "libx264"), (".mov", "mjpeg")])
def test_a_recording_of_variable_rate(tmp_path: Path, ending: str, codec: str, every_frame: bool) -> None:
    """Each picture is shown when its timestamp says, live and at any speed, and has that time."""
    path = clip(tmp_path / f"phone{ending}", codec, "yuvj420p" if codec == "mjpeg" else "yuv420p")
    clock = Clock(0.0)
    shown = [(one, clock.now) for one in LocalFile(str(path), SourceOptions(every_frame=every_frame, clock=clock)).pictures()]
    assert [videos.number_of(one.pixels()) for one, _ in shown if one is not None] == list(range(len(PHONE)))
    assert [at for one, at in shown if one is not None] == pytest.approx(PHONE, abs=0.002)
    assert [one.timestamp for one, _ in shown if one is not None] == pytest.approx(PHONE, abs=0.002)


UPRIGHT: Pixels = np.zeros((64, 48, 3), np.uint8)
"""Blue above red."""
UPRIGHT[:32] = (254, 0, 0)
UPRIGHT[32:] = (0, 0, 254)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("ending", "codec"), [(".mp4", "libx264"), (".mov", "mjpeg"), (".mkv", "libx264"), (".webm", "libvpx")], ids=str
)
def test_turned_recordings_are_upright(tmp_path: Path, degrees: int, ending: str, codec: str) -> None:
    """Phones store pictures as the sensor is mounted, and say how to turn them. Size and thumbnail are turned too."""
    stored = np.ascontiguousarray(np.rot90(UPRIGHT, degrees // 90))
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = videos.timed_video(tmp_path / f"phone{ending}", [(0.0, stored), (0.1, stored)], codec, pixel_format, degrees)
    for picture in read(path):
        assert picture.size == (48, 64)
        assert np.abs(picture.pixels()[[4, -4], 24].astype(int) - UPRIGHT[[4, -4], 24]).max() < 12
        assert picture.thumbnail().shape == (64, 48)
        assert (picture.jpeg is not None) == (codec == "mjpeg" and degrees == 0)


def test_a_turned_recording_of_costly_jpegs(tmp_path: Path) -> None:
    """FFmpeg decodes them to turn them. Those of many scans are skipped before."""
    path = videos.timed_video(tmp_path / "phone.mov", [(0.0, UPRIGHT), (0.1, UPRIGHT)], "mjpeg", "yuvj420p", 90)
    costly = [av.Packet(hostile.jpeg(48, 64, 21)) for _ in range(3)]
    with open_video("phone", str(path)) as video:
        video._packets = lambda: iter(costly)  # type: ignore[method-assign]
        assert list(video.pictures()) == []
        assert video.damaged == 3


@pytest.mark.parametrize("ending", ["mjpeg", "avi", "mkv", "mov"])
def test_jpegs_of_many_scans_are_not_decoded(tmp_path: Path, ending: str) -> None:
    """FFmpeg does not decode them to find out what a video is, either: all takes much less time than to decode one."""
    costly, path = hostile.jpeg(2000, 2000, 800), tmp_path / f"video.{ending}"
    if ending == "mjpeg":
        path.write_bytes(3 * costly)
    else:
        with av.open(path, "w") as output:
            stream = output.add_stream("mjpeg", rate=10)
            stream.width, stream.height, stream.pix_fmt = 2000, 2000, "yuvj420p"
            for number in range(3):
                packet = av.Packet(costly)
                packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 10)
                output.mux(packet)
    begin = time.process_time()
    with open_video("video", str(path)) as video:
        assert list(video.pictures()) == []
        assert video.damaged == 3
    taken, begin = time.process_time() - begin, time.process_time()
    assert len(av.CodecContext.create("mjpeg", "r").decode(av.Packet(costly))) == 1
    assert taken < (time.process_time() - begin) / 2


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "size"),
    [
        ("index-last.mp4", "mpeg4", "yuv420p", (64, 48)),
        ("10-bit.mkv", "ffv1", "yuv420p10le", (64, 48)),
        ("odd.mkv", "ffv1", "yuv420p", (63, 47)),
        ("odd.webm", "libvpx", "yuv420p", (61, 45)),
        ("thin.mkv", "ffv1", "bgr0", (200, 1)),
        ("grey.mkv", "ffv1", "gray", (64, 48)),
        ("16-bit-grey.mkv", "ffv1", "gray16le", (64, 48)),
        ("alpha.mov", "qtrle", "argb", (64, 48)),
        ("alpha.mkv", "ffv1", "yuva420p", (64, 48)),
        ("large.mkv", "libx264", "yuv420p", (640, 360)),
    ],
)
def test_pictures_of_any_format(tmp_path: Path, name: str, codec: str, pixel_format: str, size: tuple[int, int]) -> None:
    """Pixels are BGR, thumbnails are grey, and both show the right picture."""
    for number, picture in enumerate(read(clip(tmp_path / name, codec, pixel_format, size))):
        assert picture.size == size
        assert picture.pixels().shape == (*size[::-1], 3)
        assert (picture.thumbnail().ndim, max(picture.thumbnail().shape)) == (2, min(max(size), 80))
        assert [videos.number_of(one) for one in (picture.pixels(), picture.thumbnail())] == [number, number]


def test_jpegs_in_a_video_are_not_decoded(tmp_path: Path) -> None:
    """Each picture has the bytes of the file. One that is no JPEG is skipped without ending the video; its time passes."""
    content = clip(tmp_path / "clip.mov", "mjpeg", "yuvj420p").read_bytes()
    jpegs = [picture.jpeg for picture in read(tmp_path / "clip.mov")]
    assert len(jpegs) == len(PHONE)
    assert all(jpeg is not None and jpeg in content for jpeg in jpegs)
    (tmp_path / "bad.mov").write_bytes(content.replace(jpegs[3] or b"-", bytes(len(jpegs[3] or b""))))
    with open_video("bad", str(tmp_path / "bad.mov")) as video:
        assert [picture.jpeg for picture in video.pictures()] == jpegs[:3] + jpegs[4:]
        assert video.damaged == 1
    pictures = LocalFile(str(tmp_path / "bad.mov"), SourceOptions(clock=Clock())).pictures()
    assert [one.timestamp for one in pictures if one is not None] == pytest.approx([*PHONE[:3], *PHONE[4:]], abs=0.002)


def test_a_video_that_is_damaged_for_long_is_lost(tmp_path: Path) -> None:
    path, frames = tmp_path / "clip.mov", MAX_DAMAGED + 3
    videos.timed_video(path, [(number / 10, videos.numbered(0)) for number in range(frames)], "mjpeg", "yuvj420p")
    content = path.read_bytes()
    first, *others = [picture.jpeg or b"-" for picture in read(path)]
    path.write_bytes(
        content[: content.index(first) + len(first)] + bytes(sum(map(len, others))) + content[content.index(b"moov") - 4 :]
    )
    with open_video("clip", str(path)) as video:
        pictures = video.pictures()
        assert next(pictures).jpeg == first
        with pytest.raises(SourceLost, match=r"^clip: [0-9]+ bytes that are not a JPEG$"):
            next(pictures)


def write_sound(path: Path) -> Path:
    """Writes a little silence."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux([*stream.encode(frame), *stream.encode()])
    return path


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "Invalid data found when processing input"),
        ("text.mp4", b"no video at all", "Invalid data found when processing input"),
        ("sound.m4a", None, "it contains no video"),
        (
            "index-missing.mp4",
            b"\0\0\0\x18ftypisom\0\0\2\0isommp41\0\0\4\0mdat" + bytes(1016),
            "Invalid data found when processing input",
        ),
    ],
)
def test_why_a_file_is_no_video(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    path = tmp_path / name
    if content is None:
        write_sound(path)
    else:
        path.write_bytes(content)
    with pytest.raises(SourceLost, match=f"^{path}: {reason}$"):
        list(LocalFile(str(path), SourceOptions(clock=Clock())).pictures())


def test_pictures_of_too_many_pixels_are_not_decoded(tmp_path: Path) -> None:
    """They count as damaged. FFmpeg reads more formats than a folder may have, such as GIF."""
    videos.timed_video(tmp_path / "large.mkv", [(0.0, np.zeros((4000, 5000, 3), np.uint8))], "ffv1")
    (tmp_path / "large.gif").write_bytes(hostile.gif(9000, 9000))
    (tmp_path / "small.gif").write_bytes(hostile.gif(90, 90))
    for name, pictures in (("large.mkv", 0), ("large.gif", 0), ("small.gif", 1)):
        with open_video(name, str(tmp_path / name)) as video:
            assert len(list(video.pictures())) == pictures
            assert (video.damaged > 0) == (pictures == 0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Recordings of several kinds."""
    folder = tmp_path_factory.mktemp("clips")
    kinds = (
        ("a.mp4", "libx264"),
        ("b.mov", "mpeg4"),
        ("c.webm", "libvpx"),
        ("d.mkv", "ffv1"),
        ("e.avi", "mjpeg"),
        ("f.ts", "libx264"),
    )
    pixel_formats = {"mjpeg": "yuvj420p"}
    return [clip(folder / name, codec, pixel_formats.get(codec, "yuv420p")) for name, codec in kinds]


@settings(max_examples=150)
@given(st.integers(0, 5), st.floats(0, 1), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=20))
def test_what_is_left_of_a_recording_is_played(
    clips: list[Path], kind: int, cut: float, changed: list[tuple[float, int]]
) -> None:
    """A recording that is cut off or damaged anywhere yields pictures with increasing times, or is lost for one reason."""
    path, content = clips[0].with_name("damaged"), bytearray(clips[kind].read_bytes())
    for at, value in changed:
        content[int(at * (len(content) - 1))] = value
    path.write_bytes(content[: round(cut * len(content))])
    source, times = LocalFile(str(path), SourceOptions(every_frame=True, clock=Clock())), []
    try:
        for picture in source.pictures():
            if picture is None:
                continue
            times.append(picture.timestamp or 0.0)
            with contextlib.suppress(UnusablePicture):
                assert picture.thumbnail().ndim == picture.pixels().ndim - 1
    except SourceLost as error:
        assert not times
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)
    assert times == sorted(set(times))


@pytest.mark.broker
def test_why_a_video_at_an_address_is_lost() -> None:
    """The reason is FFmpeg's own, without the address. A server that never answers costs the time-out."""
    with snapshot_camera() as camera, socket.create_server(("127.0.0.1", 0)) as silent:
        for address, reason in (
            (f"http://me:secret@{camera.host}/404", "Server returned 404 Not Found"),
            (f"http://127.0.0.1:{silent.getsockname()[1]}/", "Operation timed out"),
            ("http://127.0.0.1:1/", "Connection refused"),
            ("nonsense://127.0.0.1/", "Protocol not found"),
        ):
            with pytest.raises(SourceLost) as lost, open_video("door", address, timeouts=(0.5, 0.5)):
                pass
            assert str(lost.value) == f"door: {reason}"
            assert lost.value.__cause__ is None


@pytest.mark.system
def test_ffmpeg_writes_nothing_past_the_log(tmp_path: Path) -> None:
    """The messages of FFmpeg can contain an address with its password."""
    content = bytearray(clip(tmp_path / "clip.mp4", "libx264").read_bytes())
    content[60 : content.index(b"moov") : 7] = bytes(len(range(60, content.index(b"moov"), 7)))
    (tmp_path / "clip.mp4").write_bytes(content)
    code = (
        "import sys; from capture.drivers.video import open_video\n"
        "with open_video('clip', sys.argv[1]) as video: print(len(list(video.pictures())), video.damaged)"
    )
    command = sys.executable, "-c", code, str(tmp_path / "clip.mp4")
    shown = subprocess.run(command, cwd=ROOT, timeout=limit(60), check=True, capture_output=True, text=True)
    assert shown.stderr == ""
    assert shown.stdout.split()[1] != "0"


def test_playing_a_recording_again_and_again_needs_no_more_memory(tmp_path: Path) -> None:
    """Nor threads or descriptors, if it is played to its end or not."""
    path, process = clip(tmp_path / "clip.mp4", "libx264", size=(640, 480)), psutil.Process()
    used = []
    for number in range(150):
        with closing(LocalFile(str(path), SourceOptions(clock=Clock())).pictures()) as pictures:
            for picture in itertools.islice(pictures, 3 if number % 2 else None):
                if picture is not None:
                    picture.pixels()
                    picture.thumbnail()
        used.append((process.memory_info().rss, process.num_threads(), process.num_fds()))
    (memory, threads, descriptors), last = used[50], used[-1]
    assert last[0] - memory < 3_000_000  # a decoder that is not closed keeps more than that for each recording
    assert (last[1], last[2]) == (threads, descriptors)
