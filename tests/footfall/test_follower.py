"""How a run follows the messages of its modules."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus import About, Status, Visit, topics
from footfall.follower import Follower
from footfall.plan import Plan
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.samples import prediction
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker


def test_a_run_is_followed_to_the_end_of_its_recording(broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    """Until the dashboard and predictions arrive, missing parts are printed. Each visit of the recording is counted once.

    Retained messages of an earlier run and invalid messages are ignored. A stopped run does not wait.
    """
    followed = {"prediction": topics.prediction(), "visit": topics.visit("door"), "status": topics.status()}
    plan = Plan(broker.port, "", (), {}, "door", ("door",), "x.mp4", True, None, "dashboard", "", "", followed)
    begin, is_over, first = time.time(), True, prediction("woman")

    def report(module: str, state: str, at: float | None = None, about: About | None = None) -> None:
        at = time.time() if at is None else at
        modules.publish(topics.status(module), Status(module, state, at, at, about=about or About()).pack(), retain=True)

    def is_shown(text: str) -> bool:
        return text in capsys.readouterr().out  # printed repeatedly

    with Listener(broker.port) as modules, ThreadPoolExecutor(1) as pool:
        report("dashboard", "running", at=1000.0)
        report("counter", "running", at=1000.0, about=About(ended=("door",)))
        with Follower(plan, lambda: is_over, report_interval=0.1) as follower:
            assert not follower.wait_for_predictions()
            assert not follower.wait_for_end()
            is_over = False
            flows = pool.submit(follower.wait_for_predictions)
            report("capture", "camera-lost")
            until(lambda: is_shown("No prediction yet: capture is camera-lost; counter is running; dashboard is running"))
            modules.publish(first.topic, first.pack())
            report("dashboard", "starting")
            until(
                lambda: is_shown("The dashboard is not ready: capture is camera-lost; counter is running; dashboard is starting")
            )
            assert not flows.done()
            report("dashboard", "running")
            assert flows.result(limit(10))
            for number, label, started_at in ((1, "man", begin - 3600), (2, "man", begin + 9), (3, "woman", begin + 9)):
                visit = Visit(f"id-{number}", "door", label, started_at, started_at + 1, 0.9, 9)
                modules.publish(visit.topic, visit.pack())
                modules.publish(visit.topic, visit.pack())
            for payload in (b"", b"{", b"[]", b'{"module": 7}', b"\xff" * 9):
                modules.publish(topics.status("capture"), payload, retain=True)
                modules.publish(topics.visit("door"), payload)
            report("counter", "running", about=About(ended=("back", "door")))  # too early: capture has not ended
            report("capture", "ended", about=About("door"))
            ended = pool.submit(follower.wait_for_end)
            time.sleep(0.5)
            assert not ended.done()
            report("counter", "running", about=About(ended=("back", "door")))
            assert ended.result(limit(10))
            assert sorted(follower.counted_labels) == ["man", "woman"]
