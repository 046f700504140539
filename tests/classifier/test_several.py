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


@pytest.mark.system
def test_cameras_and_frames_are_divided(broker: Broker, tmp_path: Path) -> None:
    """Of the cameras that they are given each frame is answered once, half of them by each; when one ends, the other has all."""

    def start(name: str, cameras: str, share: str = "") -> Module:
        own = {"MODEL": put(tmp_path / name, "abc"), "CAMERAS": cameras, "MODULE_NAME": name, "MAX_FRAME_AGE": 60}
        return Module("classifier", broker.port, **own | ({"SHARE": share} if share else {}))

    def answers(camera: str, number: int) -> list[str]:
        """The models that answer so many frames, each sent after the last one's prediction."""
        before = len(listener.payloads(f"{camera}/prediction"))
        for sequence in range(number):
            frame = Frame(camera, "a1", sequence, sequence / 10, time.time(), 64, 48, samples.jpeg())
            listener.publish(frame.topic, frame.pack())
            listener.wait_for(f"{camera}/prediction", before + sequence + 1)
        predictions = list(map(Prediction.unpack, listener.payloads(f"{camera}/prediction")[before:]))
        assert [one.sequence for one in predictions] == list(range(number))
        return [one.model.partition("@")[0] for one in predictions]

    modules = start("one", "door, back", "all"), start("two", "door, back", "all"), start("yard", "yard")
    with Listener(broker.port, "footfall/+/prediction") as listener, modules[0], modules[1], modules[2]:
        for module in modules:
            module.wait_for_log("connected to the broker")
        assert Counter(answers("door", 20)) == {"one": 10, "two": 10}
        assert answers("yard", 2) == ["yard", "yard"]
        assert modules[1].end() == 0
        assert answers("door", 5) == ["one"] * 5
        assert answers("back", 2) == ["one"] * 2


@pytest.mark.parametrize(
    ("setting", "value"), [*(("CAMERAS", value) for value in ("Door", "a,b/c", "+", "status")), ("SHARE", "all/+")]
)
def test_names_that_are_refused(setting: str, value: str) -> None:
    """No camera can have them, and a share's name must not change the topic."""
    with pytest.raises(InvalidSetting, match=setting):
        load(Settings, **{setting: value})
