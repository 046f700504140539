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


def open_source(video_path: object, rate: float = 10.0, clock: Clock | None = None) -> Source:
    """A source on a clock whose seconds pass at once."""
    return create_source(str(video_path), SourceOptions(rate, clock=clock or Clock()), ("demo.source",))


def numbers(source: Source) -> list[int]:
    """The numbers in all pictures of a file or folder."""
    return [videos.number_of(picture) for picture in source.pictures() if picture is not None]


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (Camera, ["0", "/dev/video2"]),
        (Local, ["clip.mp4", "1.mp4", "pictures", "./http://clip.mp4", "12:30 door.mp4"]),
        (Stream, ["rtsp://cam/1", "RTSPS://cam/1"]),
        (HttpCamera, ["http://cam/mjpeg", "HTTPS://cam/mjpeg"]),
        (DrawnScene, ["demo:7"]),
    ],
)
def test_the_kind_of_an_address(kind: type, paths: list[str]) -> None:
    assert {type(open_source(path)) for path in paths} == {kind}


@pytest.mark.parametrize(
    ("path", "modules", "problem"),
    [
        ("ftp://camera/", "", "an address begins with http://, https://, rtsp:// or rtsps://"),
        ("rtsp:/camera", "", "an address begins with"),
        ("http\\\\camera", "", "an address begins with"),
        *[
            (f"demo:{seed}", "demo.source", "demo: and a number of at most nine digits, as demo:7")
            for seed in ("", "x", "-1", "1.5", "1234567890", "\u0663")
        ],
        ("~nobody-of-that-name/door.mp4", "", "home directory"),
        ("0", "no.such_module", "SOURCE_MODULES='no.such_module': no.such_module cannot be imported"),
        ("0", "..", "the name of a Python module is needed, as demo.source"),
        ("0", "demo.shop", "demo.shop has no source"),
    ],
)
def test_settings_that_cannot_be_right(path: str, modules: str, problem: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        load(Settings, video_path=path, source_modules=modules)
    assert problem in str(caught.value)


@pytest.mark.system
@pytest.mark.parametrize(("module", "unwanted"), [("settings", {"cv2", "numpy", "demo"}), ("__main__", {"demo"})])
def test_drivers_and_demo_are_imported_when_needed(module: str, unwanted: set[str]) -> None:
    code = f"import sys, capture.{module}; print({{name.partition('.')[0] for name in sys.modules}} & {unwanted})"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=limit(60), check=True, capture_output=True)
    assert shown.stdout == b"set()\n"


NAMES = ["12:30 door", "http:door", "-door", "door%d", "door%03d", "Tür 女", "two\nlines", "a@b", "a://b"]


@pytest.mark.parametrize("ending", [".avi", ".png"])
def test_files_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Found by a relative name and by an absolute one, whatever FFmpeg would make of its name."""
    monkeypatch.chdir(tmp_path)
    for path in [Path(name + ending) for name in NAMES]:
        path.parent.mkdir(exist_ok=True)
        if ending == ".avi":
            videos.video(tmp_path / "clip.avi", 1, 4).rename(path)
        else:
            path.write_bytes(cv2.imencode(".png", videos.numbered(0))[1].tobytes())
        for name in (path, path.absolute()):
            assert numbers(Local(str(name), SourceOptions(clock=Clock()))) == [0]


@pytest.mark.parametrize(
    ("kind", "pictures", "rate", "seconds"),
    [("video", 10, 20, 0.5), ("folder", 5, 10, 0.5), ("video", 1, 10, 0.1), ("folder", 1, 10, 0.1), ("folder", 2, 0.1, 20.0)],
)
def test_recordings_are_shown_at_their_rate(tmp_path: Path, kind: str, pictures: int, rate: float, seconds: float) -> None:
    """The last picture is shown as long as the others, also where it is the only one; what is no picture takes no time."""
    clock = Clock()
    if kind == "video":
        path = videos.video(tmp_path / "a.avi", pictures, rate)
    else:
        path = videos.pictures(tmp_path / "folder", pictures)
        for name, content in (("0a.png", b"no picture"), ("0b.png", b""), ("notes.txt", b"no picture")):
            (path / name).write_bytes(content)
    begin = clock.now
    assert numbers(open_source(path, rate, clock)) == list(range(pictures))
    assert clock.now - begin == pytest.approx(seconds)


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
    played = play(SlowDecoder(40, clock), 1 / 60, complete, clock)  # type: ignore[arg-type]
    shown = [clock.now for picture in played if picture is not None]
    assert len(shown) == 40 if complete else 4 <= len(shown) < 40
    assert max(later - earlier for earlier, later in itertools.pairwise(shown)) < 1.0


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_long_wait_gives_signs_of_life(tmp_path: Path, kind: str) -> None:
    path = videos.video(tmp_path / "a.avi", 2, 0.2) if kind == "video" else videos.pictures(tmp_path / "pictures", 2)
    given = list(open_source(path, 0.2).pictures())
    shown = [number for number, one in enumerate(given) if one is not None]
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
def test_why_a_source_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, content: bytes, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(path).write_bytes(content)
    with pytest.raises(SourceLost) as caught, closing(open_source(path).pictures()) as pictures:
        next(pictures)
    assert reason in str(caught.value)


def test_a_scene_is_drawn_in_time() -> None:
    """From its beginning, ten pictures a second."""
    scene, clock = Scene(7), Clock()
    begin = clock.now
    pictures = [picture for picture in itertools.islice(open_source("demo:7", 1, clock).pictures(), 6) if picture is not None]
    assert clock.now - begin == pytest.approx(0.5)
    for moment, picture in zip(scene.moments(), pictures, strict=False):
        assert np.array_equal(scene.frame(moment), picture)


def test_drawn_scenes_are_known(tmp_path: Path) -> None:
    """The demo's clip, one that was made, and a live scene; no camera, no stream, and no video beside any other JSON."""
    write_clip(3, 0.2, tmp_path / "scenes-3.mp4")
    assert all(open_source(path).is_drawn() for path in (CLIP, tmp_path / "scenes-3.mp4", "demo:7"))
    assert not any(open_source(path).is_drawn() for path in ("0", "rtsp://camera/stream", "http://camera/"))
    for beside in ("", "{", "[]", "[" * 100_000, '{"about": 7}', '{"seed": 7}', '{"about": "Counted by hand."}'):
        (tmp_path / "door.json").write_text(beside)
        assert not open_source(tmp_path / "door.mp4").is_drawn()
