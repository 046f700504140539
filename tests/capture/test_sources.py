"""Sources on this machine: what an address means, when pictures come, and why a source is lost."""

import itertools
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from bus import InvalidSetting
from capture.settings import Settings
from capture.source import Picture, Source, SourceLost, SourceOptions
from capture.sources import create_source
from capture.sources.camera import Camera
from capture.sources.http import HttpCamera
from capture.sources.local import Local, play
from capture.sources.rtsp import Stream
from demo.about import CLIP
from demo.clip import write_clip
from demo.scenes import Scene
from demo.source import DrawnScene
from runtime.settings import load
from tests.support import videos
from tests.support.broker import ROOT
from tests.support.clock import Clock
from tests.support.wait import limit

DEMO = ("demo.source",)


def open_source(video_path: object, rate: float = 10.0, clock: Clock | None = None) -> Source:
    """A source on a clock whose seconds pass at once."""
    return create_source(str(video_path), SourceOptions(rate, clock=clock or Clock()), DEMO)


def numbers(source: Source) -> list[int]:
    """The numbers in all pictures of a file or folder."""
    return [videos.number_of(picture) for picture in source.pictures() if picture is not None]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("0", Camera),
        ("/dev/video2", Camera),
        ("clip.mp4", Local),
        ("1.mp4", Local),
        ("pictures", Local),
        ("./http://clip.mp4", Local),
        ("12:30 door.mp4", Local),
        ("rtsp://cam/1", Stream),
        ("RTSPS://cam/1", Stream),
        ("http://cam/mjpeg", HttpCamera),
        ("HTTPS://cam/mjpeg", HttpCamera),
        ("demo:7", DrawnScene),
    ],
)
def test_the_kind_of_an_address(path: str, kind: type) -> None:
    """Each kind takes its addresses; what none takes is on this machine."""
    assert type(open_source(path)) is kind


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"video_path": "ftp://camera/"}, "an address begins with http://, https://, rtsp:// or rtsps://"),
        ({"video_path": "rtsp:/camera"}, "an address begins with"),
        ({"video_path": "http\\\\camera"}, "an address begins with"),
        ({"video_path": "demo:x", "source_modules": "demo.source"}, "demo: and a number of at most nine digits, as demo:7"),
        ({"video_path": "~nobody-of-that-name/door.mp4"}, "home directory"),
        ({"source_modules": "no.such_module"}, "SOURCE_MODULES='no.such_module': no.such_module cannot be imported"),
        ({"source_modules": "demo.shop"}, "demo.shop has no source"),
    ],
)
def test_addresses_that_cannot_be_right(values: dict[str, str], problem: str) -> None:
    """They are refused at the start, in one line."""
    with pytest.raises(InvalidSetting) as caught:
        load(Settings, **values)
    assert problem in str(caught.value)


def test_drivers_and_demo_are_imported_when_needed() -> None:
    """Settings are read without OpenCV and NumPy, and a capture with a camera has no demo."""
    for module, unwanted in (("settings", {"cv2", "numpy", "demo"}), ("__main__", {"demo"})):
        code = f"import sys, capture.{module}; print({{name.partition('.')[0] for name in sys.modules}} & {unwanted})"
        shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=limit(60), check=True, capture_output=True)
        assert shown.stdout == b"set()\n"


@pytest.mark.parametrize(
    "name", ["12:30 door", "http:door", "-door", "door%d", "door%03d", "Tür 女", "two\nlines", "a@b", "a://b"]
)
@pytest.mark.parametrize("ending", [".avi", ".png"])
def test_files_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, ending: str) -> None:
    """A video or a picture is found by a relative name and by an absolute one, whatever FFmpeg would make of its name."""
    monkeypatch.chdir(tmp_path)
    path = Path(name + ending)
    path.parent.mkdir(exist_ok=True)
    if ending == ".avi":
        videos.video(tmp_path / "clip.avi", 1, 4).rename(path)
    else:
        path.write_bytes(cv2.imencode(".png", videos.numbered(0))[1].tobytes())
    assert numbers(Local(str(path), SourceOptions(clock=Clock()))) == [0]
    assert numbers(Local(str(path.absolute()), SourceOptions(clock=Clock()))) == [0]


@pytest.mark.parametrize(
    ("kind", "pictures", "rate", "seconds"),
    [("video", 10, 20, 0.5), ("folder", 5, 10, 0.5), ("video", 1, 10, 0.1), ("folder", 1, 10, 0.1), ("folder", 2, 0.1, 20.0)],
)
def test_recordings_are_shown_at_their_rate(tmp_path: Path, kind: str, pictures: int, rate: float, seconds: float) -> None:
    """All pictures come in order, and the last one is shown as long as the others, also where it is the only one."""
    clock = Clock()
    path = videos.pictures(tmp_path / "one", pictures) if kind == "folder" else videos.video(tmp_path / "a.avi", pictures, rate)
    begin = clock.now
    assert numbers(open_source(path, rate, clock)) == list(range(pictures))
    assert clock.now - begin == pytest.approx(seconds)


def test_a_folder_is_in_order_and_its_other_files_are_skipped(tmp_path: Path) -> None:
    """Pictures come in the order of their names; files that are no pictures take no time."""
    folder = videos.pictures(tmp_path / "pictures", 5)
    for name in ("2.png", "3.png", "notes.txt"):
        (folder / name).write_bytes(b"" if name == "3.png" else b"no picture")
    clock = Clock()
    begin = clock.now
    assert numbers(open_source(folder, 10, clock)) == [0, 1, 4]
    assert clock.now - begin == pytest.approx(0.3)


def test_a_slow_reader_skips_frames_of_a_file(tmp_path: Path) -> None:
    """A reader that is slower than the file gets later frames, not late ones."""
    clock, seen = Clock(), []
    for picture in open_source(videos.video(tmp_path / "clip.avi", 20), clock=clock).pictures():
        assert picture is not None
        seen.append(videos.number_of(picture))
        clock.sleep(0.2)
    assert len(seen) < 10
    assert seen == sorted(set(seen))


class SlowDecoder:
    """A video whose pictures take longer to decode than to show."""

    def __init__(self, pictures: int, clock: Clock) -> None:
        self._left = pictures
        self._clock = clock

    def grab(self) -> bool:
        self._left -= 1
        self._clock.sleep(0.05)
        return self._left >= 0

    def retrieve(self) -> tuple[bool, Picture]:
        return True, videos.numbered(0)


@pytest.mark.parametrize("complete", [False, True])
def test_a_file_that_this_machine_is_too_slow_for(complete: bool) -> None:
    """Pictures are skipped, but some are shown all the time; if it is to be complete, all of them, later than the file says."""
    clock = Clock()
    decoder = SlowDecoder(40, clock)
    played = play(decoder, 1 / 60, complete, clock)  # type: ignore[arg-type]
    shown = [clock.now for picture in played if picture is not None]
    assert len(shown) == 40 if complete else 4 <= len(shown) < 40
    assert max(later - earlier for earlier, later in itertools.pairwise(shown)) < 1.0


@pytest.mark.parametrize("kind", ["folder", "video", "folder of no pictures"])
def test_a_long_wait_gives_signs_of_life(tmp_path: Path, kind: str) -> None:
    """While a picture is shown for long, and where there are only files that are no pictures."""
    if kind == "video":
        path = videos.video(tmp_path / "clip.avi", 2, rate=0.2)
    else:
        path = videos.pictures(tmp_path / "pictures", 2)
        for picture in path.iterdir() if kind == "folder of no pictures" else []:
            picture.write_bytes(b"")
    given = list(open_source(path, 0.2).pictures())
    shown = [number for number, one in enumerate(given) if one is not None]
    if kind == "folder of no pictures":
        assert given == [None, None]
    else:
        assert len(shown) == 2
        assert shown[1] - shown[0] > 3
        assert len(given) - shown[1] > 3


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("none.mp4", None, "none.mp4: No such file"),
        ("text.mp4", b"no video at all", "text.mp4: OpenCV cannot open it"),
        ("empty.mp4", b"", "empty.mp4: OpenCV cannot open it"),
        ("x" * 5000, None, "too long"),
        ("other:7", None, "other:7: No such file or directory; SOURCE_MODULES has no kind of source for it either"),
        ("97", None, "there is no /dev/video97"),
        ("/dev/video98", None, "there is no /dev/video98"),
        ("/dev/null", None, "camera /dev/null: OpenCV cannot open it"),
    ],
)
def test_why_a_source_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, content: bytes | None, reason: str
) -> None:
    """The reason, with the name of file or device."""
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(path).write_bytes(content)
    with pytest.raises(SourceLost) as caught, closing(open_source(path).pictures()) as pictures:
        next(pictures)
    assert reason in str(caught.value)


def test_a_scene_is_drawn_in_time() -> None:
    """The pictures of a seed's scene from its beginning, ten a second; those that this machine is too slow for are skipped."""
    scene, clock = Scene(7), Clock()
    begin = clock.now
    pictures = [picture for picture in itertools.islice(open_source("demo:7", 1, clock).pictures(), 6) if picture is not None]
    assert clock.now - begin == pytest.approx(0.5)
    for moment, picture in zip(scene.moments(), pictures, strict=False):
        assert np.array_equal(scene.frame(moment), picture)


@pytest.mark.parametrize("beside", ["", "{", "[]", "[" * 100_000, '{"about": 7}', '{"seed": 7}', '{"about": "Counted by hand."}'])
def test_other_files_are_not_drawn(beside: str, tmp_path: Path) -> None:
    """Whatever JSON there is beside a video."""
    (tmp_path / "door.json").write_text(beside)
    assert not open_source(tmp_path / "door.mp4").is_drawn()


def test_drawn_scenes_are_known(tmp_path: Path) -> None:
    """The demo's clip, one that was made, and a live scene; no camera and no stream."""
    write_clip(3, 0.2, tmp_path / "scenes-3.mp4")
    assert all(open_source(path).is_drawn() for path in (CLIP, tmp_path / "scenes-3.mp4", "demo:7"))
    assert not any(open_source(path).is_drawn() for path in ("0", "rtsp://camera/stream", "http://camera/"))
