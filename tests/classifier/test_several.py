"""Several classifiers on one broker."""

import time
from collections import Counter
from pathlib import Path

import pytest

from bus import Frame, InvalidSetting, Prediction
from classifier.settings import Settings
from runtime.settings import load
from tests.classifier.shelf import put
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module

pytestmark = pytest.mark.system


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two models, told apart by the name of their folder."""
    return [put(tmp_path / name, "abc") for name in ("one", "two")]


def send(listener: Listener, camera: str, number: int, first: int = 0) -> None:
    """So many frames, each after the last one's prediction."""
    for sequence in range(first, first + number):
        before = len(listener.payloads(f"{camera}/prediction"))
        frame = Frame(camera, "a1", sequence, sequence / 10, time.time(), 64, 48, samples.jpeg())
        listener.publish(frame.topic, frame.pack())
        listener.wait_for(f"{camera}/prediction", before + 1)


def answers(listener: Listener, camera: str) -> list[tuple[int, str]]:
    """Frame number and model of each prediction."""
    predictions = [Prediction.unpack(payload) for payload in listener.payloads(f"{camera}/prediction")]
    return [(one.sequence, one.model.partition("@")[0]) for one in predictions]


def test_a_share_is_divided(broker: Broker, folders: list[Path]) -> None:
    """Each frame is answered once, half of them by each; when one ends, the other has them all."""
    names = ("classifier-one", "classifier-two")
    modules = [
        Module("classifier", broker.port, MODEL=folder, SHARE="all", MODULE_NAME=name, MAX_FRAME_AGE=60)
        for folder, name in zip(folders, names, strict=True)
    ]
    with Listener(broker.port, "footfall/+/prediction") as listener, modules[0], modules[1]:
        for module in modules:
            module.wait_for_log("connected to the broker")
        send(listener, "door", 20)
        found = answers(listener, "door")
        assert [sequence for sequence, _ in found] == list(range(20))
        assert Counter(name for _, name in found) == {"one": 10, "two": 10}
        assert modules[1].end() == 0
        send(listener, "door", 5, 20)
        assert answers(listener, "door")[20:] == [(sequence, "one") for sequence in range(20, 25)]


def test_cameras_are_divided(broker: Broker, folders: list[Path]) -> None:
    """Each serves the cameras that it is given, and no others."""
    first = Module("classifier", broker.port, MODEL=folders[0], CAMERAS="door, back", MODULE_NAME="one", MAX_FRAME_AGE=60)
    second = Module("classifier", broker.port, MODEL=folders[1], CAMERAS="yard", MODULE_NAME="two", MAX_FRAME_AGE=60)
    with Listener(broker.port, "footfall/+/prediction") as listener, first, second:
        for module in (first, second):
            module.wait_for_log("connected to the broker")
        for camera in ("door", "yard", "back"):
            send(listener, camera, 2)
        assert answers(listener, "door") == answers(listener, "back") == [(0, "one"), (1, "one")]
        assert answers(listener, "yard") == [(0, "two"), (1, "two")]


@pytest.mark.parametrize(
    ("setting", "value"), [*(("CAMERAS", value) for value in ("Door", "a,b/c", "+", "status")), ("SHARE", "all/+")]
)
def test_names_that_are_refused(setting: str, value: str) -> None:
    """No camera can have them, and a share's name must not change the topic."""
    with pytest.raises(InvalidSetting, match=setting):
        load(Settings, **{setting: value})
