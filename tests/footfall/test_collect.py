"""``footfall collect``: which pictures of a running suite are stored, where, and when it ends."""

import resource
import secrets
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from paho.mqtt.client import MQTTMessage

from bus import Box, Detection, Frame, Label, Message, Prediction
from capture.pictures.picture import Pixels
from capture.pictures.prepare import encode_jpeg
from classifier.preprocess import decode
from classifier.settings import Settings
from footfall import collector
from footfall.collector import Collector
from footfall.connection import Connection, NotRunning
from footfall.picture_folder import MIN_INTERVAL, PictureFolder, difference, signature
from runtime.errors import FootfallError
from runtime.settings import load
from tests.footfall.suite import Suite, call, running_suite
from tests.support import samples
from tests.support.broker import ROOT, Broker
from tests.support.wait import limit, until


def scene(seed: int, brightness: int = 0) -> Pixels:
    """Returns a picture of coarse noise, 120 x 160; another one for each seed."""
    coarse = np.random.default_rng(seed).integers(20, 200, (12, 16, 3), np.uint8)
    return (cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_LINEAR) + np.uint8(brightness)).astype(np.uint8)


def walker(picture: Pixels, left: int) -> Pixels:
    """Returns the picture with a bright figure of 12 x 40 px, which is 2.5 % of it."""
    shown = picture.copy()
    shown[60:100, left : left + 12] = 255
    return shown


def noisy(picture: Pixels) -> Pixels:
    """Returns the picture with the noise of a sensor."""
    shown: Pixels = np.clip(picture + np.random.default_rng(1).normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    return shown


@pytest.mark.parametrize(
    ("other", "is_new"),
    [
        (scene(1), False),
        (noisy(scene(1)), False),
        (scene(1, brightness=2), False),
        (scene(1, brightness=12), True),
        (walker(scene(1), 40), True),
        (scene(2), True),
    ],
    ids=["equal", "noise", "slightly brighter", "other light", "a visitor", "another scene"],
)
def test_pictures_that_differ(other: Pixels, is_new: bool, tmp_path: Path) -> None:
    """Noise makes no new picture; a visitor and other light do. Another label is compared with its own last picture."""
    folder = PictureFolder(tmp_path / "new", 10, 60)
    assert folder.is_new("man", scene(1), 0.0)
    assert folder.is_new("man", other, 1.0) == is_new
    assert folder.is_new("woman", scene(1), 1.0)
    assert difference(signature(scene(1)), signature(scene(1))) == 0


def test_pictures_are_spread_over_the_time(tmp_path: Path) -> None:
    """Of 100 pictures in 100 seconds, about half are stored in the first half, and none follows another of its label too soon."""
    folder = PictureFolder(tmp_path / "new", 100, 100.0)
    folder.create()
    stored = []
    for step in range(1000):
        label, elapsed = "ab"[step % 2], step / 10
        if folder.is_due(label, elapsed) and folder.is_new(label, scene(step), elapsed):
            folder.store(label, str(step), b"jpeg")
            stored.append((label, elapsed))
    assert len(stored) == 100
    assert 45 <= sum(elapsed < 50 for _, elapsed in stored) <= 52
    for label in "ab":
        times = [elapsed for one, elapsed in stored if one == label]
        assert all(later - earlier >= MIN_INTERVAL for earlier, later in pairwise(times))


def message(one: Message) -> MQTTMessage:
    received = MQTTMessage(1, one.topic.encode())
    received.payload = one.pack()
    return received


def test_after_a_long_pause_a_frame_still_waits_for_its_prediction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing moves there are few frames. Only without a classifier are they stored without a guess."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    folder = PictureFolder(tmp_path / "new", 100, 600)
    folder.create()
    collecting = Collector(folder, load(Settings))
    for number in range(3):
        now += 60.0
        picture = encode_jpeg(scene(number), 90)
        collecting.process(message(replace(samples.frame(sequence=number), jpeg=picture)))
        collecting.process(message(replace(samples.prediction("man"), sequence=number)))
    assert folder.counts == {"man": 3}
    for number in range(3, 5):
        now += 60.0
        collecting.process(message(replace(samples.frame(sequence=number), jpeg=encode_jpeg(scene(number), 90))))
    assert folder.counts == {"man": 3, "unsorted": 1}


@contextmanager
def max_file_size(size: int) -> Iterator[None]:
    """Limits the size of files that this process writes; the error is then like that of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_part_of_a_picture(tmp_path: Path) -> None:
    """The error names the file. What was stored before stays."""
    folder = PictureFolder(tmp_path / "new", 10, 60)
    folder.create()
    folder.store("man", "first", b"x" * 1000)
    with max_file_size(4096), pytest.raises(FootfallError, match=r"second.jpg: File too large"):
        folder.store("man", "second", b"x" * 10_000)
    assert [path.name for path in (tmp_path / "new" / "man").iterdir()] == ["first.jpg"]
    assert (folder.counts["man"], folder.bytes) == (1, 1000)


def test_foreign_files_stay(tmp_path: Path) -> None:
    """A folder without pictures is removed, unless another program, such as a file manager, has written into it."""
    folder = PictureFolder(tmp_path / "new", 10, 60)
    folder.create()
    (tmp_path / "new" / ".DS_Store").touch()
    folder.remove_if_empty()
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".DS_Store"]


@pytest.mark.parametrize("label", ["\u0e01" * 85, "\U0001f469" * 64, "a" * 99 + ". b"])
def test_long_labels(label: str, tmp_path: Path) -> None:
    """A name has at most 255 bytes, and does not end in a dot or a space."""
    folder = PictureFolder(tmp_path / "new", 10, 60)
    folder.create()
    folder.store(label, "first", b"jpeg")
    (stored,) = (tmp_path / "new").iterdir()
    assert label.startswith(stored.name)
    assert stored.name.strip(". ") == stored.name


class Camera:
    """A camera with its classifier: publishes frames, and predictions for them."""

    def __init__(self, suite: Suite) -> None:
        self._suite, self._session, self._numbers = suite, secrets.token_hex(4), count()

    def show(self, picture: Pixels, *labels: Label, detections: tuple[Detection, ...] = (), is_predicted: bool = True) -> bytes:
        """Publishes a frame, and its prediction. Returns the frame's JPEG."""
        number, now = next(self._numbers), time.time()
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        origin = ("door", self._session, number, number / 10, now)
        frame = Frame(*origin, picture.shape[1], picture.shape[0], jpeg)
        self._suite.modules.client.publish(frame.topic, frame.pack(), 0)
        if is_predicted:
            prediction = Prediction(*origin, now, 5.0, "m@1", labels, detections)
            self._suite.modules.client.publish(prediction.topic, prediction.pack(), 1)
        return jpeg


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A stand-in for a running suite with the camera door; the camera back is paused."""
    with running_suite(tmp_path_factory.mktemp("suite")) as the_suite:
        the_suite.report("counter", "running")
        the_suite.report("capture", "running", camera="door")
        the_suite.report("capture-back", "paused", camera="back")
        yield the_suite


@pytest.fixture
def camera(suite: Suite) -> Camera:
    return Camera(suite)


class Collection:
    """A ``footfall collect`` as a process; with enough time and pictures, unless `words` say otherwise."""

    def __init__(self, suite: Suite, folder: Path, *words: str) -> None:
        words = ("--minutes", "30", "--count", "10000", *words)
        command = [sys.executable, "-m", "footfall", "collect", str(folder), *words, *suite.settings]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._folder = folder

    def __enter__(self) -> "Collection":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.has_ended:
            self._process.kill()
            self._process.communicate()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def labels(self) -> Counter[str]:
        """The number of stored pictures by label."""
        return Counter(path.parent.name for path in self._folder.rglob("*.jpg"))

    def pictures(self, label: str) -> list[bytes]:
        """The stored pictures with a label, oldest first."""
        return [path.read_bytes() for path in sorted((self._folder / label).iterdir(), key=lambda path: path.stat().st_mtime_ns)]

    def show_until(self, show: Callable[[], object], is_enough: Callable[[Counter[str]], bool]) -> None:
        """Calls `show` again and again until the stored pictures are enough."""

        def shown() -> bool:
            assert not self.has_ended, self.end()
            show()
            time.sleep(0.1)
            return is_enough(self.labels)

        until(shown, 30, "pictures")

    def end(self, number: signal.Signals | None = None) -> tuple[int, str, str]:
        """Waits for the end, after a signal if one is given. Returns the exit code and the output."""
        if number is not None:
            self._process.send_signal(number)
        out, err = self._process.communicate(timeout=limit(60))
        return self._process.returncode, out, err


MAN, UNSURE, EMPTY = Label("man", 0.9), Label("man", 0.3), Label("[Negative]", 0.9, visitor=False)


@pytest.mark.system
def test_frames_are_sorted_by_the_models_guess(suite: Suite, camera: Camera, tmp_path: Path) -> None:
    """Pictures that are alike are stored once, as the camera sent them, and for their owner only. Ctrl-C ends with a summary."""
    folder, shown = tmp_path / "new", dict[str, bytes]()

    def show() -> None:
        for label, said in (("man", MAN), ("a_b", Label("a/b", 0.9)), ("nobody", EMPTY), ("undecided", UNSURE)):
            shown[label] = camera.show(scene(len(label)), said)

    with Collection(suite, folder) as collection:
        collection.show_until(show, lambda labels: len(labels) == 4)
        end = time.monotonic() + MIN_INTERVAL + 1
        while time.monotonic() < end:
            show()
            time.sleep(0.1)
        assert set(collection.labels.values()) == {1}
        assert {label: collection.pictures(label)[0] for label in shown} == shown
        collection.show_until(lambda: camera.show(scene(20), MAN), lambda labels: labels["man"] == 2)
        code, out, err = collection.end(signal.SIGINT)
    assert (code, err) == (0, "")
    notice, summary = out.splitlines()[:-2], out.splitlines()[-2:]
    for text in ("camera door", str(folder), "30 minutes", "10000 pictures", "Tell your visitors", "Delete the pictures"):
        assert any(text in line for line in notice), text
    assert summary[0].endswith(": a_b 1, man 2, nobody 1, undecided 1.")
    assert summary[1].endswith(f"rm -r {folder}")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*")) if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}


@pytest.mark.system
def test_visitors_are_cut_out(suite: Suite, camera: Camera, tmp_path: Path) -> None:
    """With --crops each visitor is stored with its label, or as undecided, unless it is small or doubtful."""
    detections = (
        Detection(Box(0.0, 0.0, 0.5, 1.0), 0.9, (Label("woman", 0.9),)),
        Detection(Box(0.5, 0.0, 0.5, 1.0), 0.9),
        Detection(Box(0.0, 0.0, 0.1, 0.1), 0.9, (Label("small", 0.9),)),
        Detection(Box(0.0, 0.0, 1.0, 1.0), 0.9, (Label("chair", 0.9, visitor=False),)),
        Detection(Box(0.0, 0.0, 1.0, 1.0), 0.3, (Label("doubtful", 0.3),)),
    )
    with Collection(suite, tmp_path / "new", "--crops") as collection:
        collection.show_until(lambda: camera.show(scene(1), detections=detections), lambda labels: len(labels) == 2)
        assert set(collection.labels) == {"woman", "undecided"}
        stored = {label: decode(collection.pictures(label)[0]) for label in ("woman", "undecided")}
        camera.show(scene(1), MAN)
        code, _, err = collection.end()
    left, right = scene(1)[:, :80], scene(1)[:, 80:]
    assert np.abs(stored["woman"].astype(int) - left).mean() < 8
    assert np.abs(stored["undecided"].astype(int) - right).mean() < 8
    assert (code, err.count("\n")) == (2, 1)
    assert "--crops: the suite's model classifies whole pictures" in err


@pytest.mark.system
@pytest.mark.parametrize("words", ["", "--unsorted"])
def test_pictures_without_a_guess(words: str, suite: Suite, camera: Camera, tmp_path: Path) -> None:
    """They are stored as unsorted: while no classifier answers, or where the guess is not wanted."""
    with Collection(suite, tmp_path / "new", *words.split()) as collection:
        collection.show_until(lambda: camera.show(scene(1), MAN, is_predicted=bool(words)), bool)
        assert set(collection.labels) == {"unsorted"}
        assert collection.end(signal.SIGTERM)[0] == 0


@pytest.mark.system
def test_both_limits_end_the_collection(suite: Suite, camera: Camera, tmp_path: Path) -> None:
    """It ends after --count pictures, and after --minutes. Without a picture no folder is left."""
    with Collection(suite, tmp_path / "two", "--count", "2", "--unsorted") as collection:
        for seed in count():
            if collection.has_ended:
                break
            camera.show(scene(seed), MAN)
            time.sleep(0.1)
        assert collection.end()[0] == 0
        assert collection.labels == {"unsorted": 2}
    assert call("collect", str(tmp_path / "none"), "--minutes", "0.01", *suite.settings) == 0
    assert not (tmp_path / "none").exists()


@pytest.mark.broker
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("{tmp}", "FOLDER='{tmp}': exists; name a new folder"),
        ("{tmp}/none/new", "FOLDER='{tmp}/none/new': cannot be created: No such file or directory"),
        ("~nobody-here/new", "FOLDER='~nobody-here/new': begins with the home folder of an unknown user"),
        ("https://me:secret@door/new", "FOLDER='***': cannot be created: No such file or directory"),
        ("{tmp}/new --camera yard", "CAMERA='yard': unknown camera; known cameras: back, door"),
        ("{tmp}/new CAMERA=back", "CAMERA='back': sends no pictures: capture-back is paused"),
        ("{tmp}/new --minutes 0", "--minutes 0: must be more than 0 and at most 1440"),
        ("{tmp}/new --minutes nan", "--minutes nan: must be more than 0"),
        ("{tmp}/new --count 0", "--count 0: must be 1 to 10000"),
        ("{tmp}/new MQTT_PORT=1", "no suite with its state in"),
        ("{tmp}/new THRESHOLD=2", "THRESHOLD='2'"),
    ],
)
def test_what_is_refused(words: str, reason: str, suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, one line says why, and no folder is created."""
    given = words.replace("{tmp}", str(tmp_path)).split()
    assert call("collect", given[0], *suite.settings, *given[1:]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert reason.replace("{tmp}", str(tmp_path)) in shown.err
    assert not list(tmp_path.iterdir())


@pytest.mark.broker
def test_a_suite_that_stops_ends_the_collection(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for its whole time."""
    monkeypatch.setattr(collector, "LOST_AFTER", 0.2)
    folder = PictureFolder(tmp_path / "new", 10, 60)
    with Connection("127.0.0.1", broker.port) as connection:
        broker.end()
        with pytest.raises(NotRunning, match="the suite has stopped"):
            collector.Collector(folder, load(Settings)).run(connection, "door", limit(60))
