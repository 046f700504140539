"""A model that is changed while it is served."""

import os
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from bus import Frame, Prediction
from classifier import InvalidExport, TrialInterrupted, watch
from classifier.export import Export, read_export
from classifier.interpreter import Classifier
from classifier.pipeline import Pipeline
from classifier.watch import ModelWatch, stamp_of
from runtime.metrics import Metrics
from tests.support import samples, tflite
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until


def write(folder: Path, labels: str = "a\nb\nc", model: bytes = b"model") -> Path:
    """A folder as exports are."""
    folder.mkdir(exist_ok=True)
    (folder / "model.tflite").write_bytes(model)
    (folder / "labels.txt").write_text(labels)
    return folder


class Watched:
    """A watch whose loads and refusals are kept; each `look` is one of its own."""

    def __init__(self, path: Path) -> None:
        self.loaded: list[tuple[str, ...]] = []
        self.taken: list[object] = []
        self.refused: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.watch = ModelWatch(path, stamp_of(path), read_export(path), self._load, self.taken.append, self.refused.append)

    def _load(self, export: Export) -> Classifier:
        self.meanwhile()
        self.loaded.append(export.labels)
        if "bad" in export.labels:
            raise InvalidExport("it is bad")
        if "stopped" in export.labels and len(self.loaded) < 2:
            raise TrialInterrupted("its trial was stopped")
        return export.labels  # type: ignore[return-value]  # handed on, not looked into

    def look(self, times: int = 2) -> None:
        """So many looks."""
        for _ in range(times):
            self.watch.look()


def test_a_change_is_taken_over_once(tmp_path: Path) -> None:
    """Nothing happens without a change; after one, the new export is loaded when it looks the same twice, and only once."""
    watched = Watched(write(tmp_path / "x"))
    watched.look(3)
    assert not watched.loaded
    write(tmp_path / "x", "a\nbb\nc")
    watched.look(1)
    assert not watched.loaded
    watched.look(3)
    assert watched.loaded == watched.taken == [("a", "bb", "c")]
    assert watched.refused == [""]


def test_a_trial_that_was_stopped_is_made_again(tmp_path: Path) -> None:
    """It says nothing about the model: the model is not refused, and taken over once a trial came to its end."""
    watched = Watched(write(tmp_path / "x"))
    write(tmp_path / "x", "stopped\nb")
    watched.look(2)
    assert not watched.taken
    assert not watched.refused
    watched.look(1)
    assert watched.taken == [("stopped", "b")]


def test_a_bad_one_is_refused_until_it_changes(tmp_path: Path) -> None:
    """The reason is told once; the next good one is taken, and that the served one is there again is told too."""
    watched = Watched(write(tmp_path / "x"))
    write(tmp_path / "x", "bad\nb")
    watched.look(5)
    assert watched.refused == ["it is bad"]
    (tmp_path / "x" / "labels.txt").write_text("")
    watched.look(5)
    assert "line 1: 0 characters" in watched.refused[-1]
    write(tmp_path / "x")
    watched.look(5)
    assert watched.refused[-1] == ""
    assert watched.loaded == [("bad", "b")]
    assert not watched.taken


def test_what_is_being_written_is_waited_for(tmp_path: Path) -> None:
    """While a file grows nothing is read; one that stood still half-written is refused, and taken when it is whole."""
    watched = Watched(write(tmp_path / "x"))
    with (tmp_path / "x" / "labels.txt").open("w") as labels:
        for part in ("x", "\n", "x"):
            labels.write(part)
            labels.flush()
            watched.look(1)
        assert not watched.refused
        watched.look(1)
        assert "stands there twice" in watched.refused[-1]
        labels.write("y\nz")
    watched.look(2)
    assert watched.taken == [("x", "xy", "z")]
    assert watched.refused[-1] == ""


def test_one_that_changes_while_it_is_tried_is_not_judged(tmp_path: Path) -> None:
    """What was read may be of two states: it is looked at again."""
    watched = Watched(write(tmp_path / "x"))
    write(tmp_path / "x", "bad\nb")
    watched.meanwhile = lambda: write(tmp_path / "x", "a\nbbb")
    watched.look(2)
    assert (watched.refused, watched.taken) == ([], [])
    watched.meanwhile = lambda: None
    watched.look(2)
    assert watched.taken == [("a", "bbb")]


def test_replaced_by_rename(tmp_path: Path) -> None:
    """A folder that was moved away is waited for, and what is moved into its place is taken; a link that is turned, too."""
    watched = Watched(write(tmp_path / "x"))
    (tmp_path / "x").rename(tmp_path / "old")
    watched.look(3)
    assert (watched.refused, watched.loaded) == ([], [])
    write(tmp_path / "new", "n\nb").rename(tmp_path / "x")
    watched.look(2)
    assert watched.taken == [("n", "b")]
    (tmp_path / "link").symlink_to(tmp_path / "x")
    linked = Watched(tmp_path / "link")
    (tmp_path / "turned").symlink_to(write(tmp_path / "y", "y\nb"))
    (tmp_path / "turned").replace(tmp_path / "link")
    linked.look(2)
    assert linked.taken == [("y", "b")]


def test_a_zip_too(tmp_path: Path) -> None:
    """A zip that another is moved over is taken; a half one is refused with the reason."""
    path = tmp_path / "export.zip"

    def pack(target: Path, labels: str) -> None:
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("model.tflite", b"model")
            archive.writestr("labels.txt", labels)

    pack(path, "a")
    watched = Watched(path)
    pack(tmp_path / "other.zip", "b")
    whole = (tmp_path / "other.zip").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    watched.look(3)
    assert "not a zip" in watched.refused[-1]
    (tmp_path / "other.zip").replace(path)
    watched.look(2)
    assert watched.taken == [("b",)]
    assert watched.refused[-1] == ""


def test_a_touched_model_is_the_same(tmp_path: Path) -> None:
    """New times of the same files load nothing."""
    watched = Watched(write(tmp_path / "x"))
    os.utime(tmp_path / "x" / "model.tflite", (1, 1))
    watched.look(3)
    assert not watched.loaded


def test_fifty_swaps_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good and broken models in turn: frames are answered all along, by one model each, and memory does not grow."""
    monkeypatch.setattr(watch, "INTERVAL", 0.05)
    sides, path = {"small": 16, "large": 48}, tmp_path / "x"
    models = {name: tflite.classification(np.eye(3) / 255, np.zeros(3), side) for name, side in sides.items()}

    def put(name: str) -> None:
        write(tmp_path / "next", "\n".join(f"{name}-{part}" for part in "abc"), models.get(name, models["small"][:400]))
        if path.exists():
            path.rename(tmp_path / "last")
        (tmp_path / "next").rename(path)
        shutil.rmtree(tmp_path / "last", ignore_errors=True)

    put("small")
    seen, first = stamp_of(path), read_export(path)
    predictions: list[Prediction] = []
    complaints: list[str] = []
    refused: list[str] = []
    pipeline = Pipeline(Classifier(first), 5.0, Metrics(), predictions.append, lambda *words: complaints.append(" ".join(words)))
    ended, longest = threading.Event(), [0.0]

    def send() -> None:
        sequence, answered = 0, time.monotonic()
        while not ended.wait(0.02):
            sequence += 1
            number = len(predictions)
            pipeline.offer(Frame("door", "a1", sequence, sequence / 10, time.time(), 64, 48, samples.jpeg()))
            while len(predictions) == number and time.monotonic() - answered < limit(30):
                time.sleep(0.002)
            longest[0] = max(longest[0], time.monotonic() - answered)
            answered = time.monotonic()

    sender, own, memory = threading.Thread(target=send, daemon=True), psutil.Process(), []
    with pipeline, ModelWatch(path, seen, first, Classifier, pipeline.take_over, refused.append):
        sender.start()
        try:
            for number in range(50):
                name = ("large", "broken", "small", "broken")[number % 4]
                judged = len(refused)
                put(name)
                until(lambda: len(refused) > judged, 30, f"a word on model {number}")  # noqa: B023  # called at once
                assert bool(refused[-1]) == (name == "broken")
                memory.append(own.memory_info().rss)
        finally:
            ended.set()
            sender.join(limit(30))
    assert not complaints
    assert longest[0] < limit(1)
    names = {one.model: {label.name.partition("-")[0] for label in one.labels} for one in predictions}
    assert sorted(names.values(), key=sorted) == [{"large"}, {"small"}]
    for one in predictions:
        assert {label.name.partition("-")[0] for label in one.labels} == names[one.model]
    assert memory[-1] - memory[10] < 20e6


def test_the_running_classifier(broker: Broker, tmp_path: Path) -> None:
    """As a process: a good model is served without a restart, a bad one is told in log and status while the old one serves on."""
    good = tflite.classification(np.eye(3) / 255, np.zeros(3))
    folder = write(tmp_path / "x", model=good)
    with (
        Listener(broker.port, "footfall/+/prediction", "footfall/status/+") as listener,
        Module("classifier", broker.port, MODEL=folder, MAX_FRAME_AGE=60) as module,
    ):
        module.wait_for_log("connected to the broker")

        def answered() -> Prediction:
            number = len(listener.payloads("prediction"))
            frame = Frame("door", "a1", number, number / 10, time.time(), 64, 48, samples.jpeg())
            listener.publish(frame.topic, frame.pack())
            return Prediction.unpack(listener.wait_for("prediction", number + 1)[-1])

        assert {label.name for label in answered().labels} == set("abc")
        write(folder, "d\ne\nf", good)
        until(lambda: module.log.count("serving x@") == 2, 20)
        assert {label.name for label in answered().labels} == set("def")
        write(folder, "d\ne", good)
        until(lambda: any(b"model-refused" in one for one in listener.payloads("status/classifier")), 20)
        assert "labels.txt has 2 labels, the model has 3 outputs" in module.log
        assert {label.name for label in answered().labels} == set("def")
