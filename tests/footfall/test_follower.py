"""What a run learns from its modules' messages."""

import threading
import time
from collections.abc import Iterator

import pytest

from bus import About, Status, Visit, topics
from footfall.follower import Follower
from footfall.plan import Plan
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.samples import prediction
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker


class Run:
    """A follower, and the broker's other side."""

    def __init__(self, broker: Broker, modules: Listener) -> None:
        followed = {"prediction": topics.prediction(), "visit": topics.visit("door"), "status": topics.status()}
        plan = Plan(broker.port, "", (), {}, "door", ("door",), "x.mp4", True, (), "dashboard", "", "", followed)
        self.is_over = False
        self.modules = modules
        self.follower = Follower(plan, lambda: self.is_over, report_interval=0.1)

    def report(self, module: str, state: str, at: float | None = None, about: About | None = None) -> None:
        """A module's status."""
        at = time.time() if at is None else at
        self.publish(topics.status(module), Status(module, state, at, at, about=about or About()).pack())

    def publish(self, topic: str, payload: bytes) -> None:
        """Retained where it is a status."""
        self.modules.publish(topic, payload, retain=topic.startswith(topics.status("")))

    def visit(self, number: int, label: str, started_at: float) -> None:
        """A visit at the door."""
        visit = Visit(f"id-{number}", "door", label, started_at, started_at + 1, 0.9, 9)
        self.publish(visit.topic, visit.pack())


@pytest.fixture
def run(broker: Broker) -> Iterator[Run]:
    """Of a run that follows a broker at which the last run has left its dashboard's report."""
    with Listener(broker.port, "$SYS/broker/subscriptions/count") as modules:
        run = Run(broker, modules)
        run.report("dashboard", "running", at=1000.0)
        run.report("counter", "running", at=1000.0, about=About(ended=("door",)))
        yield run


def test_predictions_flow_and_the_dashboard_is_there(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Until both are so, it says what is missing; reports of the run before do not count."""
    first, shown, flows = prediction("woman"), "", []

    def is_shown(text: str) -> bool:
        nonlocal shown
        shown += capsys.readouterr().out
        return text in shown

    with run.follower as follower:
        waiting = threading.Thread(target=lambda: flows.append(follower.wait_for_predictions()))
        waiting.start()
        run.report("capture", "camera-lost")
        until(lambda: is_shown("No prediction yet: capture is camera-lost; counter is running; dashboard is running"))
        run.publish(first.topic, first.pack())
        until(lambda: is_shown("The dashboard is not ready: "))
        assert not flows
        run.report("dashboard", "running")
        waiting.join(limit(10))
        assert flows == [True]


def test_the_end_of_a_recording(run: Run) -> None:
    """Its visits, each once, and none of an earlier run; garbage is ignored."""
    now = time.time()
    with run.follower as follower:
        until(lambda: "dashboard" in follower._states, what="the subscription")
        run.visit(1, "man", now - 3600)
        run.visit(2, "man", now + 1)
        run.visit(3, "woman", now + 5)
        run.visit(2, "man", now + 1)
        for payload in (b"", b"{", b"[]", b'{"module": 7}', b"\xff" * 9):
            run.publish(topics.status("capture"), payload)
            run.publish(topics.visit("door"), payload)
        run.report("counter", "running", about=About(ended=("back", "door")))  # of the time before, as capture has not ended
        run.report("capture", "ended", about=About("door"))
        run.report("counter", "running", about=About(ended=("back", "door")))
        assert follower.wait_for_the_end()
        assert sorted(follower.counted) == ["man", "woman"]


def test_a_run_that_is_stopped_waits_for_nothing(run: Run) -> None:
    """Neither for predictions nor for the end."""
    run.is_over = True
    with run.follower as follower:
        assert not follower.wait_for_predictions()
        assert not follower.wait_for_the_end()
