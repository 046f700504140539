"""Local and network sources: which address means what, when pictures arrive, and why a source is lost."""

import itertools
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import psutil
import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import InvalidSetting
from capture.settings import Settings
from capture.source import Source, SourceLost, SourceOptions
from capture.sources import create_source
from capture.sources.http import HttpCamera
from capture.sources.local import LocalFile
from capture.timing import paced
from demo.about import CLIP, PEOPLE
from demo.clip import write_clip
from demo.hall_scenes import HallScene
from demo.scenes import Scene
from runtime.logs import silence_http_clients
from runtime.settings import load
from tests.support import hostile, multipart, samples, videos
from tests.support.broker import ROOT
from tests.support.cameras import PASSWORD, USER, snapshot_camera
from tests.support.clock import Clock
from tests.support.secrets import MARK, addresses
from tests.support.wait import limit, until

SECRET = quote(PASSWORD, safe="")


def open_source(video_path: object, rate: float = 10.0, clock: Clock | None = None) -> Source:
    """Returns a source with a clock that does not wait."""
    return create_source(str(video_path), SourceOptions(rate, clock=clock or Clock()), ("demo.source",))


def numbers(source: Source, count: int) -> list[int | None]:
    """Returns the numbers of the first pictures, or None for each None."""
    with closing(source.pictures()) as pictures:
        return [one if one is None else videos.number_of(one.pixels()) for one in itertools.islice(pictures, count)]


@pytest.mark.parametrize(
    ("path", "modules", "problem"),
    [
        ("ftp://camera/", "", "an address must begin with http://, https://, rtsp:// or rtsps://"),
        ("rtsp:/camera", "", "an address must begin with"),
        ("http\\\\camera", "", "an address must begin with"),
        *[
            (f"demo:{seed}", "demo.source", "at most nine digits")
            for seed in ("", "x", "-1", "1.5", "1234567890", "\u0663", "classifier:")
        ],
        ("~nobody-of-that-name/door.mp4", "", "home directory"),
        ("0", "no.such_module", "SOURCE_MODULES='no.such_module': no.such_module cannot be imported"),
        ("0", "..", "must be the name of a Python module, such as demo.source"),
        ("0", "demo.shop", "demo.shop declares no kind of source"),
    ],
)
def test_invalid_settings(path: str, modules: str, problem: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        load(Settings, video_path=path, source_modules=modules)
    assert problem in str(caught.value)


@pytest.mark.parametrize("loop", [False, True])
def test_a_recording_played_once_yields_every_frame(loop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("capture.settings.create_source", lambda _path, options, _modules: options)
    created: object = Settings(loop_video=loop, frame_rate=5).create_source()
    assert created == SourceOptions(5, every_frame=not loop)


@pytest.mark.broker
@settings(max_examples=225)
@given(addresses(), st.sampled_from([{}, {"frame_rate": "fast"}, {"camera": "A"}]))
def test_settings_show_no_secret(given: tuple[str, str], others: dict[str, str]) -> None:
    """Messages about an invalid address, about another invalid setting and about a lost source show no secret."""
    address, _ = given
    for values in ({"video_path": address}, {"video_path": "0", "mqtt_host": address}, {"mqtt_ca_file": address}):
        try:
            load(Settings, **values, **others)
        except InvalidSetting as error:
            assert MARK not in str(error)
        else:
            assert not others
    with pytest.raises((SourceLost, ValueError)) as caught:
        next(create_source(address, SourceOptions()).pictures())
    assert MARK not in str(caught.value)
    assert MARK not in repr(caught.value.__cause__)


@pytest.mark.system
@pytest.mark.parametrize(("module", "unwanted"), [("settings", {"cv2", "numpy", "demo"}), ("__main__", {"demo"})])
def test_drivers_and_demo_are_imported_when_needed(module: str, unwanted: set[str]) -> None:
    code = f"import sys, capture.{module}; print({{name.partition('.')[0] for name in sys.modules}} & {unwanted})"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=limit(60), check=True, capture_output=True)
    assert shown.stdout == b"set()\n"


@pytest.mark.parametrize("ending", [".avi", ".png"])
def test_files_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Files are found by relative and absolute paths, even if FFmpeg would misread their names."""
    monkeypatch.chdir(tmp_path)
    for name in ("12:30 door", "http:door", "-door", "door%d", "door%03d", "Tür 女", "two\nlines", "a@b", "a://b"):
        path = Path(name + ending)
        path.parent.mkdir(exist_ok=True)
        if ending == ".avi":
            videos.video(tmp_path / "clip.avi", 1, 4).rename(path)
        else:
            path.write_bytes(cv2.imencode(".png", videos.numbered(0))[1].tobytes())
        for either in (path, path.absolute()):
            assert numbers(LocalFile(str(either), SourceOptions(clock=Clock())), 2) == [0]


@pytest.mark.parametrize(
    ("kind", "pictures", "rate", "seconds"),
    [
        ("video", 10, 20, 0.5),
        ("video", 1, 10, 0.1),
        ("video", 2, 0.2, 10.0),
        ("folder", 5, 10, 0.5),
        ("folder", 1, 10, 0.1),
        ("folder", 2, 0.1, 20.0),
    ],
)
def test_recordings_are_shown_at_their_rate(tmp_path: Path, kind: str, pictures: int, rate: float, seconds: float) -> None:
    """The last picture is shown as long as the others, even a single one. Other files take no time. A long wait yields None every
    second.
    """
    if kind == "video":
        path = videos.video(tmp_path / "a.avi", pictures, rate)
    else:
        path = videos.pictures(tmp_path / "folder", pictures)
        for name, content in (("0a.png", b"no picture"), ("0b.png", b""), ("notes.txt", b"no picture")):
            (path / name).write_bytes(content)
    clock = Clock(0.0)
    given = [(picture, clock.now) for picture in open_source(path, rate, clock).pictures()]
    shown = [(videos.number_of(picture.pixels()), at) for picture, at in given if picture is not None]
    assert [number for number, _ in shown] == list(range(pictures))
    assert [at for _, at in shown] == pytest.approx([number * seconds / pictures for number in range(pictures)])
    assert clock.now == pytest.approx(seconds)
    assert max(later - earlier for earlier, later in itertools.pairwise([*(at for _, at in given), clock.now])) < 1.01


@pytest.mark.parametrize(("scale", "rate"), [(1, 2**32 - 1), (2**32 - 1, 1)])
def test_a_rate_that_cannot_be_right(tmp_path: Path, scale: int, rate: int) -> None:
    """A damaged header can mean a picture a century. Without a rate, a recording has 25 pictures a second."""
    clip = videos.video(tmp_path / "clip.avi", frames=5)
    content = bytearray(clip.read_bytes())
    struct.pack_into("<II", content, content.index(b"strh") + 28, scale, rate)
    clip.write_bytes(content)
    source = LocalFile(str(clip), SourceOptions(every_frame=True, clock=Clock()))
    with closing(source.pictures()) as pictures:
        times = [picture.timestamp for picture in pictures if picture is not None]
    assert len(times) == 5
    assert times == pytest.approx([number / 25 for number in range(5)])


@pytest.mark.parametrize("every_frame", [False, True])
def test_a_slow_machine(every_frame: bool) -> None:
    """Late pictures are skipped, but never for long. With `every_frame` all are shown, later than in the file."""
    clock = Clock()

    def decoded() -> Iterator[tuple[str, float]]:
        for number in range(40):
            clock.sleep(0.05)  # longer than a picture is shown
            yield "a picture", number / 60

    shown = [clock.now for picture in paced(decoded(), 1 / 60, every_frame, clock) if picture is not None]
    assert len(shown) == 40 if every_frame else 4 <= len(shown) < 40
    assert max(later - earlier for earlier, later in itertools.pairwise(shown)) < 1.0


def test_costly_pictures_of_a_stream() -> None:
    """They are counted and skipped; the others are shown."""
    counted, sound = list[int](), samples.jpeg()
    camera = HttpCamera("http://camera/", SourceOptions(on_unusable=lambda: counted.append(1)))
    stream, shown = camera._read_stream([hostile.REFUSED["JPEG of 21 scans"][0], sound, sound]), list[bytes | None]()
    with pytest.raises(SourceLost, match="stopped sending"):
        shown.extend(picture.jpeg for picture in stream if picture is not None)
    assert shown == [sound, sound]
    assert counted == [1]


@pytest.mark.broker
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none.mp4", "none.mp4: No such file"),
        ("text.mp4", "^text.mp4: Invalid data found when processing input$"),
        ("1.mp4", "1.mp4: No such file"),
        ("./http://clip.mp4", "No such file"),
        ("12:30 door.mp4", "12:30 door.mp4: No such file"),
        ("x" * 5000, "too long"),
        ("other:7", "other:7: No such file or directory; no module of SOURCE_MODULES accepts it either"),
        ("97", "/dev/video97 does not exist"),
        ("/dev/null", "^camera /dev/null: /dev/null is not a camera"),
        ("RTSP://me:secret@127.0.0.1:1/live", "^rtsp://127.0.0.1:1: Connection refused$"),
        ("rtsps://127.0.0.1:1/live", "^rtsps://127.0.0.1:1: Connection refused$"),
        ("HTTPS://127.0.0.1:1/live", "^https://127.0.0.1:1: Connection refused$"),
        ("http://127.0.0.1:port/live", "invalid address"),
        ("http://{camera}/404", "^http://{camera}: the camera responds with 404 Not Found; check the path of the address$"),
        ("http://{camera}/503", "the camera responds with 503 Service Unavailable$"),
        ("http://{camera}/page", "it sends text/html, not a picture or a video"),
        ("http://{camera}/text", "unknown format \\(10 bytes\\); only JPEG, PNG, WebP, BMP and TIFF are allowed"),
        ("http://{camera}/empty", "unknown format \\(0 bytes\\)"),
        ("http://{camera}/truncated", "is truncated"),
        ("http://{camera}/flaky", "is truncated"),
        ("http://{camera}/stream/usual", "stopped sending pictures"),
        ("http://{camera}/circle", "it redirects without an end$"),
        ("http://{camera}/ftp", "it redirects to an address that is not http or https$"),
        ("http://{camera}/nowhere", "it redirects to an invalid address$"),
        ("https://{camera}/", "SSL"),
        ("http://me:x@{camera}/no nonce", "unsupported authentication"),
        ("http://me:x@{camera}/unknown", "unsupported authentication; basic and digest are supported$"),
    ],
)
def test_why_a_source_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str) -> None:
    """The reason names the fault and the camera's host and port, also after three faults in a row and at the end of a stream."""
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video at all")
    with snapshot_camera() as camera, pytest.raises(SourceLost, match=reason.replace("{camera}", camera.host)):
        list(open_source(path.replace("{camera}", camera.host)).pictures())


@pytest.mark.parametrize(("path", "kind"), [("demo:7", HallScene), ("demo:classifier:7", Scene)])
def test_a_scene_is_drawn_at_its_rate(path: str, kind: type[HallScene] | type[Scene]) -> None:
    """A scene starts at its beginning and yields ten pictures a second: of a hall, or of a shop for the classifier."""
    clock, scene = Clock(0.0), kind(7)
    for number, picture in enumerate(itertools.islice(open_source(path, 1, clock).pictures(), 6)):
        assert picture is not None
        assert clock.now == pytest.approx(number / 10)
        moment: Any = next(itertools.islice(scene.moments(), number, None))
        assert np.array_equal(picture.pixels(), scene.frame(moment))


def test_drawn_scenes_are_recognised(tmp_path: Path) -> None:
    """The demo's clip, other written clips and live scenes are drawn; cameras, streams and videos beside other JSON are not."""
    write_clip(Scene(3), 0.2, tmp_path / "scenes-3.mp4")
    assert all(open_source(path).is_drawn() for path in (CLIP, PEOPLE, tmp_path / "scenes-3.mp4", "demo:7", "demo:classifier:7"))
    assert not any(open_source(path).is_drawn() for path in ("0", "rtsp://camera/stream", "http://camera/"))
    for beside in ("", "{", "[]", "[" * 100_000, '{"about": 7}', '{"seed": 7}', '{"about": "Counted by hand."}'):
        (tmp_path / "door.json").write_text(beside)
        assert not open_source(tmp_path / "door.mp4").is_drawn()


@pytest.mark.broker
@pytest.mark.parametrize(
    ("address", "requests", "connections", "expected"),
    [
        ("http://{camera}/snapshot.jpg", 8, 1, range(8)),
        ("HTTP://{camera}/untyped", 8, 8, range(8)),
        ("http://{camera}/octet", 8, 1, range(8)),
        ("http://{camera}/a b/ü?x=a b", 8, 1, range(8)),
        ("HTTP://{camera}/moved", 16, 1, range(1, 17, 2)),
        ("http://{camera}/closing", 8, 8, range(8)),
        ("http://{camera}/silent", 15, 8, range(8)),
        ("http://{login}@{camera}/basic", 9, 2, range(8)),
        ("http://{login}@{camera}/digest", 9, 1, range(8)),
        ("http://{login}@{camera}/sha256?x=1", 9, 1, range(8)),
        ("http://{login}@{camera}/both", 9, 1, range(8)),
        ("http://{login}@{camera}/stale", 11, 1, range(8)),
        ("http://{camera}/some", 8, 3, [0, 1, None, 3, 4, None, 6, 7]),
    ],
)
def test_pictures_on_request(address: str, requests: int, connections: int, expected: Sequence[int | None]) -> None:
    """Pictures are requested at the set rate, whatever their content type, and passed on as they were sent.

    A connection is used again as long as the camera keeps it open. If the camera closes it, nothing is lost. A truncated picture
    is dropped. Percent-encoded passwords work with basic and digest authentication, whose nonce is used again.
    """
    clock = Clock(0.0)
    with snapshot_camera() as camera:
        source = open_source(address.format(camera=camera.host, login=f"{USER}:{SECRET}"), 20, clock)
        with closing(source.pictures()) as pictures:
            received = [one and one.jpeg for one in itertools.islice(pictures, 8)]
        assert received == [None if number is None else camera.sent[number] for number in expected]
        assert (len(camera.requests), camera.connections) == (requests, connections)
    assert clock.now == pytest.approx(7 / 20)


@pytest.mark.broker
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_camera_that_signed_its_certificate_itself() -> None:
    """Cameras do, so that theirs is accepted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("camera.invalid").configure_cert(context)
    with snapshot_camera(context) as camera:
        assert numbers(open_source(f"https://{USER}:{SECRET}@{camera.host}/digest"), 3) == [0, 1, 2]
        assert camera.connections == 1


@pytest.mark.broker
@pytest.mark.parametrize("path", ["flood", "digest/flood"])
def test_endless_pages_are_not_read(path: str) -> None:
    """A camera redirects the request, or asks for the password, with a page of a gigabyte."""
    with snapshot_camera() as camera:
        assert None not in numbers(open_source(f"http://{USER}:{SECRET}@{camera.host}/{path}"), 3)
        assert camera.flooded < 100


@pytest.mark.broker
@pytest.mark.parametrize("kind", [*multipart.SOUND, *multipart.CHANGES, "chunked"])
def test_pictures_of_a_stream(kind: str) -> None:
    """All sound pictures of a stream arrive as they were sent, by one request. A bad part costs one picture."""
    clock, path = Clock(0.0), kind if kind == "chunked" else f"stream/{kind}"
    with snapshot_camera() as camera:
        received: list[bytes | None] = []
        pictures = open_source(f"http://{camera.host}/{path}", 20, clock).pictures()
        with pytest.raises(SourceLost, match=r"stopped sending pictures$"):
            received.extend(one.jpeg for one in pictures if one is not None)
        assert len(camera.requests) == 1
    numbers = [multipart.PICTURES.index(one.replace(multipart.APP, b"")) for one in received if one is not None]
    assert numbers == [number for number in range(multipart.COUNT) if kind not in multipart.CHANGES or number % 3]
    assert len(numbers) == (20 if kind in multipart.CHANGES else 30)
    assert all((multipart.APP in one) == (kind == "segment") for one in received if one is not None)
    assert clock.now == 0.0


REFUSED = "401 Unauthorized; the user or password is missing or wrong; the next attempt is in 5 minutes"


@pytest.mark.broker
@pytest.mark.parametrize(("kind", "method"), [("basic", "Basic"), ("digest", "Digest"), ("sha256", "Digest"), ("both", "Digest")])
def test_a_wrong_password_is_sent_once(kind: str, method: str) -> None:
    """More attempts would make the camera lock the user out. When the source is opened again, it waits for five minutes."""
    for user, requests in (("", [kind]), ("me:wrong@", [kind, f"{kind} {method}"])):
        clock = Clock(0.0)
        with snapshot_camera() as camera:
            source = open_source(f"http://{user}{camera.host}/{kind}", clock=clock)
            for attempt in range(2):
                with pytest.raises(SourceLost, match=f"responds with {REFUSED}$"):
                    numbers(source, 1000)
                assert clock.now == attempt * 300.0
                assert camera.requests == requests * (attempt + 1)


@pytest.mark.broker
@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_a_password_is_not_sent_to_another_host(kind: str) -> None:
    """A camera can redirect a request."""
    with snapshot_camera() as camera:
        with pytest.raises(SourceLost, match="401 Unauthorized"):
            numbers(open_source(f"http://{USER}:{SECRET}@{camera.host}/elsewhere/{kind}"), 1)
        assert camera.requests == ["elsewhere", kind]


@pytest.mark.broker
def test_an_invalid_cookie_is_ignored(recwarn: pytest.WarningsRecorder) -> None:
    """Python's cookies would write a traceback past the log."""
    silence_http_clients()  # as a process does at its start
    with snapshot_camera() as camera:
        assert numbers(open_source(f"http://{camera.host}/cookie"), 2) == [0, 1]
    assert not recwarn.list


@pytest.mark.broker
def test_a_slow_picture_is_given_up() -> None:
    """The time limit is that of the whole picture, even if each byte arrives in time."""
    with snapshot_camera() as camera, pytest.raises(SourceLost, match=r"no response within 0.5 s$"):
        numbers(HttpCamera(f"http://{camera.host}/slow", SourceOptions(), timeout=0.5), 1)


@pytest.mark.broker
@pytest.mark.parametrize("path", ["snapshot.jpg", "stream/usual", "stream/truncated", "503", "silent"])
def test_many_reconnections_leave_nothing_open(path: str) -> None:
    """Neither a connection nor a thread."""
    process = psutil.Process()
    with snapshot_camera() as camera:
        before = process.num_fds()
        for _ in range(50):
            with suppress(SourceLost):
                numbers(open_source(f"http://{camera.host}/{path}"), 3)
        until(lambda: process.num_fds() <= before and threading.active_count() <= 3, what="closed connections")


@pytest.mark.broker
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "no response within"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=x\r\n\r\n--x\r\n", "no response within"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + bytes(200_000), "more than 100000 bytes"),
    ],
    ids=["nothing", "the beginning of a stream", "an endless picture"],
)
def test_incomplete_responses(answer: bytes, reason: str) -> None:
    """The camera keeps the connection open and sends nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        lost = thread.submit(numbers, HttpCamera(address, SourceOptions(), timeout=0.5, max_bytes=100_000), 1)
        connection, _ = server.accept()
        connection.sendall(answer)
        with connection, pytest.raises(SourceLost, match=reason):
            lost.result(limit(10))


@pytest.mark.broker
def test_an_upper_case_scheme_reaches_ffmpeg() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        lost = thread.submit(numbers, open_source(f"RTSP://127.0.0.1:{server.getsockname()[1]}/"), 1)
        connection, _ = server.accept()
        with connection:
            assert connection.recv(7) == b"OPTIONS"
        with pytest.raises(SourceLost):
            lost.result(limit(20))
