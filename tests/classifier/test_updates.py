"""A classifier process whose model is changed while frames flow: switched, rolled back, killed and started again."""

import random
import signal
import time
from pathlib import Path
from types import TracebackType

import psutil
import pytest
from typing_extensions import Self

from bus import Frame, Prediction, Status, WantedModel, states
from bus import metric_names as names
from runtime.worker import Worker
from tests.classifier.shelf import SECRET, Shelf, export, put, sha256, zipped
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

pytestmark = pytest.mark.system

FIRST, SECOND = export("abc", 16), export("def", 48)
"""Of other sizes, so that a tensor for one of them does not fit the other."""


class Frames(Listener):
    """Sends a frame every 10 ms, and checks that each prediction is of one model."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "footfall/door/prediction", "footfall/status/classifier")
        self._sender = Worker("frames", self._send, interval=0.01)
        self._sent = 0

    def __enter__(self) -> Self:
        super().__enter__()
        self._sender.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._sender.__exit__(kind, error, trace)
        super().__exit__(kind, error, trace)

    def _send(self) -> None:
        self._sent += 1
        frame = Frame("door", "a1", self._sent, self._sent / 10, time.time(), 64, 48, samples.jpeg())
        self.client.publish(frame.topic, frame.pack())

    def letters(self, first: int = 0) -> list[tuple[str, str]]:
        """Model and labels of each prediction."""
        found = map(Prediction.unpack, self.payloads("prediction")[first:])
        return [(one.model, "".join(sorted(label.name for label in one.labels))) for one in found]

    def wait_for_letters(self, *allowed: str) -> None:
        """Waits until the next predictions are of one of these models."""
        seen = len(self.payloads("prediction"))
        until(lambda: any(letters in allowed for _, letters in self.letters(seen)[-1:]), 20, f"a prediction of {allowed}")

    def status(self) -> Status:
        return Status.unpack(self.wait_for("status/classifier")[-1])

    def wait_for_update(self, state: str, digest: str) -> Status:
        def reached() -> bool:
            update = self.status().about.update
            return update is not None and (update.state, update.sha256) == (state, digest)

        until(reached, 30, f"{state} {digest[:12]}")
        return self.status()

    def want(self, shelf: Shelf, content: bytes) -> str:
        shelf.content = content
        wanted = WantedModel(url=f"{shelf.url}&{sha256(content)[:8]}", sha256=sha256(content))
        self.publish(wanted.topic, wanted.pack())
        return wanted.sha256 or ""


def test_models_are_switched_while_frames_flow(broker: Broker, tmp_path: Path) -> None:
    """Wanted, refused, rolled back, changed by hand; served again after a restart; each prediction is of one model."""
    settings = {"MODEL": put(tmp_path / "own", "xyz", 32), "STATE_DIR": tmp_path / "state", "MAX_FRAME_AGE": 60}
    with Shelf() as shelf, Frames(broker.port) as frames:
        with Module("classifier", broker.port, **settings) as module:
            frames.wait_for_letters("xyz")
            assert module.process
            process, memory = psutil.Process(module.process.pid), []
            for content, letters in ((FIRST, "abc"), (SECOND, "def")) * 2:
                status = frames.wait_for_update("serving", frames.want(shelf, content))
                frames.wait_for_letters(letters)
                assert status.about.labels == tuple(letters)
                memory.append(process.memory_info().rss)
            assert memory[-1] - memory[1] < 20e6
            frames.wait_for_update("refused", frames.want(shelf, zipped({"model.tflite": FIRST, "labels.txt": b"a\nb\nc"})))
            frames.wait_for_letters("def")
            frames.want(shelf, SECOND)
            frames.wait_for_update("serving", sha256(SECOND))
            rollback = WantedModel(rollback=True)
            frames.publish(rollback.topic, rollback.pack())
            status = frames.wait_for_update("rolled-back", sha256(SECOND))
            frames.wait_for_letters("abc")
            assert status.about.update
            assert str(status.about.update.previous).startswith(f"people-{sha256(SECOND)[:12]}@")
            put(tmp_path / "own", "uvw", 24)
            frames.wait_for_letters("uvw")
            (tmp_path / "own" / "labels.txt").write_text("u\nv")
            until(lambda: frames.status().state == states.MODEL_REFUSED, 20)
            assert "labels.txt has 2 labels, the model has 3 outputs" in module.log
            put(tmp_path / "own", "uvw", 24)
            until(lambda: frames.status().state == states.RUNNING, 20)
            frames.publish(rollback.topic, rollback.pack())
            frames.wait_for_letters("abc")
            assert not any(figure in frames.status().metrics for figure in (names.FAILED, names.INVALID))
            assert SECRET not in module.log
        with Module("classifier", broker.port, **settings) as module:
            frames.wait_for_letters("abc")
        assert not any(SECRET.encode() in payload for payload in frames.payloads())
        answers = set(frames.letters())
        assert sorted(letters for _, letters in answers) == ["abc", "def", "uvw", "xyz"]
        assert len({model for model, _ in answers}) == 4


def test_kills_at_random_moments_of_an_update(broker: Broker, tmp_path: Path) -> None:
    """After each, a start serves one of the models, and the last one that is wanted in the end."""
    settings = {"MODEL": put(tmp_path / "own", "xyz", 32), "STATE_DIR": tmp_path / "state", "MAX_FRAME_AGE": 60}
    chance = random.Random(3)
    with Shelf() as shelf, Frames(broker.port) as frames:
        for number in range(6):
            with Module("classifier", broker.port, **settings) as module:
                frames.wait_for_letters("xyz", "abc", "def")
                frames.want(shelf, (FIRST, SECOND)[number % 2])
                time.sleep(chance.uniform(0, 1))
                module.end(signal.SIGKILL)
        with Module("classifier", broker.port, **settings):
            frames.wait_for_letters("xyz", "abc", "def")
            frames.wait_for_update("serving", frames.want(shelf, FIRST))
            frames.wait_for_letters("abc")
        assert len({model for model, _ in frames.letters()}) == len(set(frames.letters()))
        kept = {path.name for path in (tmp_path / "state").iterdir()}
        assert len(kept) <= 3
        assert not any(name.endswith(".part") for name in kept)
