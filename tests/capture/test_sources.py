"""Real files, folders and streams, and what is said of those that fail."""

import http.server
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from capture import http_camera, pace, video
from capture.http_camera import HttpCamera
from capture.prepare import jpeg
from capture.scenes import DrawnScene
from capture.source import Picture, SourceLost
from capture.sources import Local, source_of
from capture.video import Camera, Stream
from demo.scenes import Scene
from tests.support import videos
from tests.support.broker import ROOT
from tests.support.clock import Clock, clock_of
from tests.support.wait import limit


def numbers(path: Path, rate: float = 50.0) -> list[int]:
    """The numbers in all pictures of a file or folder."""
    return [videos.number_of(picture) for picture in source_of(str(path), rate).pictures() if picture is not None]


def lost(video_path: str) -> str:
    """Why a source is lost."""
    with pytest.raises(SourceLost) as caught, closing(source_of(video_path, 10).pictures()) as pictures:
        next(pictures)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("0", Camera),
        ("/dev/video2", Camera),
        ("clip.mp4", Local),
        ("pictures", Local),
        ("rtsp://cam/1", Stream),
        ("RTSPS://cam/1", Stream),
        ("http://cam/mjpeg", HttpCamera),
        ("HTTPS://cam/mjpeg", HttpCamera),
        ("./http://clip.mp4", Local),
        ("12:30 door.mp4", Local),
        ("demo:7", DrawnScene),
    ],
)
def test_what_a_path_means(path: str, kind: type) -> None:
    """Numbers and devices are cameras, addresses streams or HTTP cameras, demo:7 is drawn, all else is on this machine."""
    assert type(source_of(path, 10)) is kind


@pytest.mark.parametrize(
    "name", ["12:30 door", "http:door", "-door", "door%d", "door%03d", "Tür 女", "two\nlines", "a@b", "a://b"]
)
@pytest.mark.parametrize("ending", [".avi", ".png"])
def test_files_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, ending: str) -> None:
    """A video or a picture is found by a relative name and by an absolute one, whatever FFmpeg would take its name for."""
    monkeypatch.chdir(tmp_path)
    path = Path(name + ending)
    path.parent.mkdir(exist_ok=True)
    if ending == ".avi":
        videos.video(tmp_path / "clip.avi", 1, 4).rename(path)
    else:
        path.write_bytes(cv2.imencode(".png", videos.numbered(0))[1].tobytes())
    assert numbers(path) == [0]
    assert numbers(path.absolute()) == [0]


def test_a_file_is_played_at_its_own_rate(tmp_path: Path) -> None:
    """Ten frames of a video at 20 a second come in order and take half a second."""
    path = videos.video(tmp_path / "clip.avi")
    begin = time.monotonic()
    assert numbers(path) == list(range(10))
    assert 0.4 < time.monotonic() - begin < limit(5)


def test_a_slow_reader_skips_frames_of_a_file(tmp_path: Path) -> None:
    """Who is slower than the file gets later frames, not late ones."""
    seen = []
    for picture in source_of(str(videos.video(tmp_path / "clip.avi", 20)), 10).pictures():
        assert picture is not None
        seen.append(videos.number_of(picture))
        time.sleep(0.2)
    assert len(seen) < 10
    assert seen == sorted(set(seen))


class SlowDecoder:
    """A video whose pictures take longer to decode than to show."""

    def __init__(self, pictures: int, seconds: float, clock: Clock) -> None:
        self._left = pictures
        self._seconds = seconds
        self._clock = clock

    def grab(self) -> bool:
        self._left -= 1
        self._clock.sleep(self._seconds)
        return self._left >= 0

    def retrieve(self) -> tuple[bool, Picture]:
        return True, videos.numbered(0)


def test_a_file_that_this_machine_is_too_slow_for_still_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are passed over, but some are shown all along."""
    clock = clock_of(monkeypatch, "capture.pace")
    shown = [clock.now for _ in video._played(SlowDecoder(40, 0.05, clock), 1 / 60)]  # type: ignore[arg-type]
    assert len(shown) >= 4
    assert max(later - earlier for earlier, later in itertools.pairwise(shown)) < 1.0


def test_a_complete_file_passes_nothing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that is to be played completely, every picture is shown, later than the file says."""
    decoder = SlowDecoder(20, 0.05, clock_of(monkeypatch, "capture.pace"))
    pictures = video._played(decoder, 1 / 60, complete=True)  # type: ignore[arg-type]
    assert len([picture for picture in pictures if picture is not None]) == 20


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_source_of_one_picture_has_its_rate_too(tmp_path: Path, kind: str) -> None:
    """Shown again and again, a single picture comes no more often than the rate says."""
    path = videos.pictures(tmp_path / "one", 1) if kind == "folder" else videos.video(tmp_path / "one.avi", 1, 10)
    source = source_of(str(path), 10)
    begin = time.monotonic()
    for _ in range(5):
        assert len(list(source.pictures())) == 1
    assert time.monotonic() - begin > 0.4


def test_a_long_wait_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a picture is shown that is shown for long, and where there is nothing but what is no picture."""
    monkeypatch.setattr(pace, "SIGN_OF_LIFE", 0.05)
    folder = videos.pictures(tmp_path / "pictures", 2)
    (folder / "none.png").write_bytes(b"")
    for path in (folder, videos.video(tmp_path / "clip.avi", 2, rate=2)):
        given = list(source_of(str(path), 2).pictures())
        shown = [number for number, one in enumerate(given) if one is not None]
        assert len(shown) == 2
        assert shown[1] - shown[0] > 3
        assert len(given) - shown[1] > 3


def test_a_path_too_long_is_told() -> None:
    """A path that the system refuses is a lost source with the reason."""
    assert "too long" in lost("x" * 5000)


def test_a_folder_is_shown_in_order_at_the_rate(tmp_path: Path) -> None:
    """Pictures come in the order of their names, as many a second as asked for; what is no picture is passed over."""
    folder = videos.pictures(tmp_path / "pictures", 5)
    (folder / "2.png").write_bytes(b"no picture")
    (folder / "3.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no picture either")
    begin = time.monotonic()
    assert numbers(folder, 10) == [0, 1, 4]
    assert 0.25 < time.monotonic() - begin < limit(5)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("none.mp4", None, "No such file"),
        ("text.mp4", b"no video at all", "cannot open it"),
        ("empty.mp4", b"", "cannot open it"),
    ],
)
def test_why_a_file_is_lost(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    """A file that is missing or no video is told with its name and the reason."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    text = lost(str(tmp_path / name))
    assert name in text
    assert reason in text


def test_why_a_camera_is_lost() -> None:
    """A camera that is not plugged in is told with its device."""
    assert "there is no /dev/video97" in lost("97")
    assert "there is no /dev/video98" in lost("/dev/video98")


def test_a_device_that_is_no_camera() -> None:
    """A device that gives no pictures is told as such."""
    assert "camera /dev/null: OpenCV cannot open it" in lost("/dev/null")


class _MotionJpeg(http.server.BaseHTTPRequestHandler):
    """A network camera: Motion JPEG, `frames` pictures and then silence or the end."""

    frames: ClassVar[int] = 8
    then_silent: ClassVar[bool] = False
    release: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(self.frames):
            picture = jpeg(videos.numbered(number), 90)
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            self.wfile.write(head.encode() + picture + b"\r\n")
            time.sleep(0.03)
        if self.then_silent:
            self.release.wait(limit(30))

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def network_camera(silent: bool = False) -> Iterator[str]:
    """The address of one."""
    released = threading.Event()

    class Handler(_MotionJpeg):
        then_silent = silent
        release = released

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/live"
        finally:
            released.set()
            server.shutdown()
            thread.join()


def test_a_stream_gives_its_pictures_and_is_lost_at_its_end() -> None:
    """A network camera's pictures come in order; when it closes the connection that is a loss, not an end."""
    seen: list[int] = []
    with network_camera() as address, pytest.raises(SourceLost, match="stopped giving pictures"):
        seen.extend(videos.number_of(picture) for picture in source_of(address, 10).pictures() if picture is not None)
    with network_camera() as address, closing(source_of(address.replace("http:", "HTTP:"), 10).pictures()) as pictures:
        seen = [videos.number_of(picture) for picture in itertools.islice(pictures, 5) if picture is not None]
    assert seen == sorted(seen)
    assert len(set(seen)) >= 4


def test_a_stream_that_falls_silent_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network camera that keeps its connection open and sends nothing is given up after the time-out."""
    monkeypatch.setattr(http_camera, "TIMEOUT", 1.0)
    begin = time.monotonic()
    with network_camera(silent=True) as address, pytest.raises(SourceLost):
        for _ in source_of(address, 10).pictures():
            pass
    assert time.monotonic() - begin < limit(20)


def test_a_stream_nobody_serves() -> None:
    """An address where nobody answers is lost with the reason."""
    assert lost("RTSP://me:secret@127.0.0.1:1/live") == "rtsp://127.0.0.1:1: Connection refused"


def test_a_scene_is_drawn_in_time() -> None:
    """The pictures of a seed's scene from its beginning, ten a second."""
    scene = Scene(7)
    begin = time.monotonic()
    pictures = [picture for picture in itertools.islice(source_of("demo:7", 1).pictures(), 6) if picture is not None]
    assert time.monotonic() - begin >= 0.5
    drawn = [scene.frame(moment) for moment in itertools.islice(scene.moments(), 40)]
    places = [next(number for number, one in enumerate(drawn) if np.array_equal(one, picture)) for picture in pictures]
    assert places == sorted(set(places))
    assert places[0] == 0


def test_without_the_demo_a_scene_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where capture is installed alone, it says what is missing."""
    monkeypatch.setitem(sys.modules, "demo.scenes", None)
    assert lost("demo:7") == "demo:7: the demo is not installed here"


def test_the_demo_is_not_imported_unasked() -> None:
    """Who has a camera does not carry the demo along."""
    code = "import sys, capture.__main__; sys.exit(any(name.partition('.')[0] == 'demo' for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=limit(60), check=True)
