"""The module as a process, with a real broker."""

import itertools
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from bus import About, Command, Frame, Setup, Status
from bus import metric_names as names
from bus.states import CAMERA_LOST, ENDED, OFFLINE, PAUSED, RUNNING, STARTING
from capture.__main__ import BROKER_TIMEOUT
from capture.pictures.picture import Pixels
from tests.support import hostile, samples, videos
from tests.support.broker import Broker
from tests.support.cameras import snapshot_camera
from tests.support.capture import CameraListener
from tests.support.health import wait_until_touched, wait_until_untouched
from tests.support.link import CONNACK, open_link
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.secrets import MARK
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


@pytest.fixture
def back(broker: Broker) -> Iterator[CameraListener]:
    with CameraListener(broker.port, "back") as listener:
        yield listener


def picture(frame: Frame) -> Pixels:
    return cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_the_life_of_a_camera(broker: Broker, back: CameraListener, tmp_path: Path) -> None:
    """A missing clip is opened as soon as it exists. Frames are numbered from 0, and prepared and limited as set.

    A pause closes the clip, and the status says since when. After a resume the clip plays from its beginning. The health file is
    touched when frames are published or the camera is paused, but not without a camera or a broker.
    """
    path, health = tmp_path / "later.avi", tmp_path / "progress"
    health.touch()
    size = {"RESIZE_WIDTH": 32, "ROTATE": 90, "CONVERT_TO_GRAY": "true"}

    def is_open() -> bool:
        assert module.process
        return str(path) in [file.path for file in psutil.Process(module.process.pid).open_files()]

    with Module("capture", broker.port, CAMERA="back", VIDEO_PATH=path, FRAME_RATE=5, HEALTH_FILE=health, **size) as module:
        lost = back.wait_for_state(CAMERA_LOST)
        assert "No such file" in lost.detail
        assert lost.about.camera == "back"
        shutil.move(videos.video(tmp_path / "clip.avi", 20), path)
        back.wait_for("/frame", 10, 60)
        frames = back.frames
        assert 0 <= time.time() - frames[-1].captured_at < limit(2)
        assert (len(frames) - 1) / (frames[-1].captured_at - frames[0].captured_at) < 5.5
        assert picture(frames[3]).shape == (frames[3].height, frames[3].width, 3) == (43, 32, 3)
        wait_until_touched(health)
        until(is_open)
        begin = time.time()
        back.send(*[Command("back", "pause")] * 2, Command("back", "snapshot"))
        since = back.wait_for_state(PAUSED).since
        assert since
        assert begin - 0.1 < since < time.time() + 0.1
        until(lambda: not is_open())
        module.wait_for_log("snapshot ignored: the camera is paused")
        frames = back.frames
        wait_until_touched(health)
        until(lambda: time.time() > begin + 1.5)  # longer than the clip
        assert not is_open()
        assert len(back.frames) == len(frames)
        back.send(*[Command("back", "resume")] * 2)
        back.wait_for("/frame", len(frames) + 3)
        assert videos.number_of(picture(back.frames[len(frames)])) <= 5
        assert [frame.sequence for frame in back.frames] == list(range(len(back.frames)))
        back.wait_for_state(RUNNING)
        states = [state for state, _ in itertools.groupby(status.state for status in back.statuses)]
        assert states[-3:] == [PAUSED, STARTING, RUNNING]
        path.write_bytes(b"no video any more")
        back.wait_for_state(CAMERA_LOST)
        wait_until_untouched(health)
        back.send(Command("back", "pause"))
        wait_until_touched(health)
        broker.end()
        wait_until_untouched(health)
        broker.start()
        wait_until_touched(health)
        assert module.log.count(CAMERA_LOST) <= 3
        assert module.end() == 0


def test_bad_pictures_are_counted_and_skipped(broker: Broker, back: CameraListener, tmp_path: Path) -> None:
    """A frame of over 2 MiB, another kind of file, and pictures that would take 11 s and 2 GB are each logged once.

    The others are published, after a restart as well.
    """
    folder = videos.pictures(tmp_path / "pictures", 2)
    cv2.imwrite(str(folder / "noise.bmp"), np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8))
    cv2.imwrite(str(folder / "wide.png"), np.zeros((2, 70_000, 3), np.uint8))
    (folder / "none.jpg").write_text("no picture")
    kinds = {"scans.jpg": "JPEG of scans behind fill bytes", "huge.png": "PNG of 400 million px", "other.jpg": "JPEG 2000"}
    for name, kind in kinds.items():
        (folder / name).write_bytes(hostile.REFUSED[kind][0])
    refused = ("70000x2", "none.jpg: unknown", "100 scans; at most", "20000x20000", "other.jpg: JPEG 2000")
    texts = ("lower RESIZE_WIDTH or JPEG_QUALITY", *refused)
    for _ in range(2):
        before = len(back.payloads("/frame"))
        with Module("capture", broker.port, CAMERA="back", VIDEO_PATH=folder, JPEG_QUALITY=100) as module:
            back.wait_for("/frame", before + 8, 60)
            assert [text for text in texts if module.log.count(text) != 1] == []
            assert module.log.count("[WRN]") == len(texts)
            assert module.end() == 0
        until(lambda: back.statuses[-1].state == OFFLINE)
        assert back.statuses[-1].metrics[names.UNUSABLE] >= len(refused)


def brightest(frame: Frame) -> list[int]:
    """The brightest pixel of the left half and of the right half."""
    shown = picture(frame)
    half = shown.shape[1] // 2
    return [int(shown[:, : half - 8].max()), int(shown[:, half + 8 :].max())]


RIGHT = Setup("back", mask=(((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)),))
INVALID = b'{"mask": [[[0, 0], [1, 1]]]}'


def test_masked_parts_never_leave_the_module(broker: Broker, back: CameraListener, tmp_path: Path) -> None:
    """Not in one frame: not when the retained setup arrives late at a start, after a lost connection, or in a snapshot.

    A mask is effective from the next frame on, as is its removal. An invalid setup changes nothing. At a start the mask before is
    then unknown, so that there are no frames until the setup is replaced.
    """
    folder = tmp_path / "white"
    folder.mkdir()
    cv2.imwrite(str(folder / "white.png"), np.full((48, 64, 3), 255, np.uint8))
    settings = {"CAMERA": "back", "VIDEO_PATH": folder, "FRAME_RATE": 30}

    def new_frames(number: int, since: int) -> list[Frame]:
        back.wait_for("/frame", since + number, 60)
        return back.frames[since:]

    def is_masked(frames: list[Frame]) -> bool:
        return all(left > 200 and right < 16 for left, right in map(brightest, frames))

    back.send(RIGHT)
    with open_link(broker.port, held_after=CONNACK) as link, Module("capture", link.port, **settings) as module:
        module.wait_for_log("connected to the broker")
        back.send(Command("back", "snapshot"))
        time.sleep(BROKER_TIMEOUT + 1)
        assert back.frames == []
        link.release()
        assert is_masked(new_frames(5, 0))
    since = len(back.frames)
    with Module("capture", broker.port, **settings) as module:
        assert is_masked(new_frames(5, since))
        broker.end(signal.SIGTERM)
        broker.start()
        assert is_masked(new_frames(5, len(back.frames)))
        back.publish(RIGHT.topic, INVALID, retain=True)
        module.wait_for_log("has 2 corners")
        back.send(Command("back", "snapshot"))
        assert is_masked(back.frames[since:])
        assert is_masked(new_frames(5, len(back.frames)))
    since = len(back.frames)
    with Module("capture", broker.port, **settings):
        until(lambda: "mask is unknown" in back.statuses[-1].detail)
        time.sleep(0.5)
        assert len(back.frames) == since
        back.publish(RIGHT.topic, b"", retain=True)
        assert not is_masked(new_frames(5, since))
        back.send(RIGHT)
        back.settle()
        until(lambda: is_masked(back.frames[-1:]))
        assert is_masked(new_frames(5, len(back.frames)))


@pytest.mark.parametrize(
    ("path", "settings", "size"),
    [
        ("snapshot.jpg", {}, None),
        ("live", {}, None),
        ("live", {"RESIZE_WIDTH": 32}, (32, 24)),
        ("snapshot.jpg", {"ROTATE": 90}, (48, 64)),
        ("turned", {}, (48, 64)),
        ("live", {"mask": RIGHT}, (64, 48)),
    ],
)
def test_jpegs_of_a_camera_are_passed_on(
    broker: Broker, back: CameraListener, path: str, settings: dict[str, object], size: tuple[int, int] | None
) -> None:
    """Frames are the bytes that the camera sent, unless they are to be resized, turned or masked, or are not upright."""
    settings = dict(settings)
    if isinstance(mask := settings.pop("mask", None), Setup):
        back.send(mask)
    with snapshot_camera() as camera:
        with Module("capture", broker.port, CAMERA="back", VIDEO_PATH=f"http://{camera.host}/{path}", **settings):
            back.wait_for("/frame", 3, 60)
        frames = back.frames
        assert [frame.jpeg in camera.sent for frame in frames] == [size is None] * len(frames)
    width, height = size or (64, 48)
    assert {(frame.width, frame.height, *picture(frame).shape[:2]) for frame in frames} == {(width, height, height, width)}
    if mask:
        assert all(right < 16 for _, right in map(brightest, frames))


def test_frames_are_held_back_while_nothing_moves(broker: Broker, back: CameraListener, tmp_path: Path) -> None:
    """Something moves in the last second of a clip of six. Of the rest, heartbeats are published, and a snapshot at once.

    Each frame says for how long frames were held back before it. The status counts them.
    """
    stills = [np.full((48, 64, 3), 120, np.uint8) for _ in range(120)]
    for number, still in enumerate(stills[100:]):
        still[10:40, 2 * number : 2 * number + 12] = 20
    clip = videos.timed_video(tmp_path / "clip.mp4", ((number / 20, still) for number, still in enumerate(stills)))
    settings = {"VIDEO_PATH": clip, "HEARTBEAT_SECONDS": 1.5, "MOTION_HOLD": 1}
    with Module("capture", broker.port, CAMERA="back", **settings):
        until(lambda: sum(picture(frame).min() < 60 for frame in back.frames) > 10)
        until(lambda: back.frames[-1].held > 1.2)
        back.send(Command("back", "snapshot"))
        until(lambda: 0 < back.frames[-1].held < 1.2)
        until(lambda: back.statuses[-1].metrics.get(names.HELD_BACK, 0) > 20)
        assert back.statuses[-1].metrics[names.MOTION] in (0, 1)
    frames = back.frames
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    for frame, following in itertools.pairwise(frames):
        pause = following.session_time - frame.session_time
        assert following.held < pause < limit(2.0)
        assert not following.held or pause - following.held < limit(0.3)


def test_a_recording_waits_for_its_consumers(broker: Broker, back: CameraListener, tmp_path: Path) -> None:
    """A recording that is played once starts when classifier and counter run. Each frame waits for the prediction of the frame
    before, so a slow classifier loses none. The module stays healthy after the end.
    """
    health = tmp_path / "progress"
    settings = {"VIDEO_PATH": videos.video(tmp_path / "clip.avi", 10), "LOOP_VIDEO": "false", "FRAME_RATE": 20}

    def report(counter: str, at: float) -> None:
        back.send(Status("classifier", RUNNING, at, at, about=About(model="m")), Status("counter", counter, at, at))

    report(counter=RUNNING, at=1000.0)  # like the retained statuses of modules that were killed with the broker
    with Module("capture", broker.port, CAMERA="back", HEALTH_FILE=health, **settings) as module:
        module.wait_for_log("waits for the classifier and the counter")
        module.wait_for_log("connected to the broker")
        report(counter=STARTING, at=time.time())
        back.settle()
        assert back.statuses[-1].state == STARTING
        assert not back.frames
        report(counter=RUNNING, at=time.time())
        for number in range(10):
            until(lambda: number in [frame.sequence for frame in back.frames])  # noqa: B023
            back.settle()
            (*_, last) = frames = back.frames
            assert list(dict.fromkeys(videos.number_of(picture(frame)) for frame in frames)) == list(range(number + 1))
            assert back.statuses[-1].state != ENDED
            time.sleep(0.15)  # at the end the clock is more than a second ahead of the recording
            prediction = samples.prediction(captured_at=last.captured_at, camera="back")
            back.send(replace(prediction, session=last.session, sequence=last.sequence))
        back.wait_for_state(ENDED)
        wait_until_touched(health)
        assert module.running
        assert "[WRN]" not in module.log


def test_a_frame_that_waits_keeps_no_part_that_was_masked_meanwhile(broker: Broker, back: CameraListener, tmp_path: Path) -> None:
    """A recording's frame is published again until there is a prediction. After a change of the mask, it is not."""
    folder = tmp_path / "white"
    folder.mkdir()
    for number in range(50):
        cv2.imwrite(str(folder / f"{number:03}.jpg"), np.full((48, 64, 3), 255, np.uint8))
    settings = {"CAMERA": "back", "VIDEO_PATH": folder, "LOOP_VIDEO": "false", "FRAME_RATE": 20}
    at = time.time()
    back.send(Status("classifier", RUNNING, at, at, about=About(model="m")), Status("counter", RUNNING, at, at))
    with Module("capture", broker.port, **settings):
        back.wait_for("/frame", 1)
        back.send(RIGHT)
        back.settle()
        time.sleep(1)
        since = len(back.frames)
        back.wait_for("/frame", since + 2, 60)
        assert [right < 16 for _, right in map(brightest, back.frames[since:])] == [True] * len(back.frames[since:])


HANGING = """
import itertools, pathlib, time
import numpy as np
from capture.pictures.decoded import DecodedPicture
from capture.source import Source, SourceKind

openings = itertools.count(1)


class Hanging(Source):
    # hangs in its openings 1, 4 and 5, until a file is there

    def __init__(self, address, options):
        self.when, self.folder = address.removeprefix("hang://"), pathlib.Path(__file__).parent

    def step(self, name, opening):
        while opening in (1, 4, 5) and name == self.when and not (self.folder / "released").exists():
            time.sleep(0.05)

    def pictures(self):
        opening = next(openings)
        self.step("opening", opening)
        for number in range(20) if opening in (1, 4, 5) else itertools.count():
            yield DecodedPicture(np.full((48, 64, 3), 10 * opening, np.uint8))
            self.step("reading", opening)
            time.sleep(0.02)
            if opening == 3 and (self.folder / "ended").exists():
                break
        self.step("closing", opening)


KIND = SourceKind("a driver that hangs", Hanging, schemes=("hang",))
"""


@pytest.mark.parametrize("when", ["opening", "reading", "closing"])
def test_a_camera_that_hangs_is_opened_again(when: str, broker: Broker, back: CameraListener, tmp_path: Path) -> None:
    """The frames go on, also after a pause, without pictures of the abandoned opening when its call returns. Its thread ends.

    Later one may hang again. If another hangs as well, the exit code is 3, so that the process is restarted. The source comes
    from SOURCE_MODULES.
    """
    (tmp_path / "hanging.py").write_text(HANGING)
    settings = {"VIDEO_PATH": f"hang://{when}", "SOURCE_MODULES": "hanging", "PYTHONPATH": tmp_path, "CAMERA": "back"}

    def wait_for_opening(number: int) -> None:
        until(lambda: back.frames and round(float(picture(back.frames[-1]).mean())) == 10 * number)

    with Module("capture", broker.port, SOURCE_TIMEOUT=1, **settings) as module:
        module.wait_for_log("camera-lost: the camera does not respond for 1 s; opening it again")
        wait_for_opening(2)
        back.send(Command("back", "pause"))
        back.wait_for_state(PAUSED)
        back.send(Command("back", "resume"))
        wait_for_opening(3)
        back.wait_for_state(RUNNING)
        assert module.process
        process = psutil.Process(module.process.pid)
        threads = process.num_threads()
        (tmp_path / "released").touch()
        until(lambda: process.num_threads() == threads - 1)
        back.wait_for("/frame", len(back.frames) + 5)
        wait_for_opening(3)
        assert [frame.sequence for frame in back.frames] == list(range(len(back.frames)))
        (tmp_path / "released").unlink()
        (tmp_path / "ended").touch()
        assert module.process.wait(limit(30)) == 3
        assert module.log.count("[CRT] - the camera still does not respond; exiting") == 1
        assert module.log.count("opening it again") == 2


@pytest.mark.parametrize(
    "video_path",
    [
        "http://me:{secret}@{host}/401",
        "http://me:{secret}@{host}/truncated/{secret} with spaces?token={secret}",
        "http://me:{secret}/x@{host}/snapshot.jpg",
        "rtsp://me:{secret}@{host}/{secret}",
        "ftp://me:{secret}@{host}/",
    ],
)
def test_no_secret_of_an_address_is_shown(broker: Broker, video_path: str) -> None:
    """No secret is in the verbose log, with the lines of OpenCV and FFmpeg, or in a published message."""
    with snapshot_camera() as camera, Listener(broker.port, "#") as listener:
        source = video_path.format(secret=f"{MARK}%40{MARK}", host=camera.host)
        settings = {"VIDEO_PATH": source, "VERBOSE": "true", "OPENCV_LOG_LEVEL": "INFO"}
        with Module("capture", broker.port, **settings) as module:
            until(lambda: CAMERA_LOST.encode() in b"".join(listener.payloads("status/capture")) or not module.running)
            assert module.running or module.end() == 2
            assert MARK not in module.log
            assert CAMERA_LOST in module.log or "VIDEO_PATH=" in module.log
            assert all(MARK.encode() not in one.payload for one in listener.messages())
