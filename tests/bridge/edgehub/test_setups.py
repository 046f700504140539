"""Tests of the setups of cameras that the cloud wants, without a transport: the last change counts, wherever it was made."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.outbox import Outbox
from bridge.sinks.edgehub.setups import CHECK_INTERVAL, MAX_DETAIL, REPUBLISH_INTERVAL, DesiredSetups
from bus import Line, Message, Setup, topics
from runtime.metrics import Metrics
from tests.bridge.support import FakeBus

WANTED = {"lines": [{"name": "entrance", "from": [0.1, 0.5], "to": [0.9, 0.5]}]}
SETUP = Setup("door", (Line("entrance", (0.1, 0.5), (0.9, 0.5)),))
DRAWN = Setup("door", (Line("drawn", (0.1, 0.5), (0.9, 0.5)),))
EMPTY = Setup("door", lines=())


class Site(FakeBus):
    """The setups of a site with the cameras door and back, on a broker that delivers back what it retains."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self.now = 1000.0
        self.cameras = ["back", "door"]
        self.setups = DesiredSetups(self, outbox, lambda: self.cameras, lambda: self.now)
        self.setups.restore()

    def apply(self, *, echoes: bool = True, after: float = CHECK_INTERVAL) -> list[Message | str]:
        """Returns the setups that are published after some seconds, and the topics that are cleared. They then come back."""
        self.now += after
        self.setups.apply()
        published, cleared, self.published, self.cleared = self.published, self.cleared, [], []
        for message in published if echoes else ():
            self.receive(message)
        for topic in cleared if echoes else ():
            self.receive(Setup(topics.setup.name_in(topic)), is_cleared=True)
        self.now += CHECK_INTERVAL
        self.setups.apply()
        return [*published, *cleared]

    def want(self, desired: object, **options: Any) -> list[Message | str]:
        self.setups.want({"setup": desired} if desired is not None else {})
        return self.apply(**options)

    @property
    def states(self) -> dict[str, str]:
        return {camera: one["state"] for camera, one in self.setups.report().items()}


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path, ["edgehub"], 9, Metrics())) as outbox:
        yield outbox


@pytest.fixture
def site(outbox: Outbox) -> Site:
    return Site(outbox)


def test_a_setup_is_published_when_it_changes_in_the_twin(site: Site) -> None:
    """An empty one is a setup. What disappears from the property is cleared, as IoT Hub removes what is set to null."""
    assert site.want(None) == []
    assert site.want({"door": WANTED}) == [SETUP]
    assert site.states == {"door": "applied"}
    assert site.want({"door": WANTED}) == []
    assert site.want({"door": {"lines": []}}) == [EMPTY]
    assert site.want({"door": None, "back": {}}) == [Setup("back"), topics.setup("door")]
    assert site.states == {"back": "applied"}
    assert site.want(None) == [topics.setup("back")]
    assert site.states == {}


def test_what_a_person_draws_later_stays(site: Site, outbox: Outbox) -> None:
    """Also after a restart, until the property changes; a removal is a change. The report shows that it differs."""
    site.want({"door": WANTED})
    site.receive(DRAWN)
    for current in (site, restarted := Site(outbox)):
        current.receive(DRAWN)
        assert current.want({"door": WANTED}, after=REPUBLISH_INTERVAL) == []
        assert current.states == {"door": "changed"}
    assert restarted.want({"door": {"lines": []}}) == [EMPTY]
    assert restarted.states == {"door": "applied"}
    restarted.receive(DRAWN)
    assert restarted.want(None) == [topics.setup("door")]


def test_a_setup_that_does_not_come_back_is_published_again(site: Site, outbox: Outbox) -> None:
    """So it is without a connection, when the broker denies it, and after a restart meanwhile. A removal is treated alike."""
    site.connected = False
    assert site.want({"door": WANTED}) == []
    site.connected = True
    assert site.apply(echoes=False) == [SETUP]
    assert site.apply() == []
    assert site.states == {"door": "waiting"}
    assert site.apply(echoes=False, after=REPUBLISH_INTERVAL) == [SETUP]
    restarted = Site(outbox)
    assert restarted.want({"door": WANTED}) == [SETUP]
    assert restarted.want(None, echoes=False) == [topics.setup("door")]
    assert Site(outbox).want(None) == [topics.setup("door")]
    assert Site(outbox).want(None) == []


@pytest.mark.parametrize(
    ("desired", "reason"),
    [
        ({"lines": [{"name": "a", "from": [0.5, 0.5], "to": [0.5, 0.5]}]}, "line 'a' is 0 long"),
        ({"zones": [{"name": "a", "polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}]}, "crosses itself"),
        ({"lines": [WANTED["lines"][0]] * 2}, "'entrance' is the name of two"),
        ({"visitors": []}, "visitors"),
        ([1], "must be a map"),
        ({"lines": "x" * 70_000}, "bytes; at most 65536"),
    ],
)
def test_an_invalid_setup_is_refused_and_changes_nothing(site: Site, desired: Any, reason: str) -> None:
    """The reason is reported by camera. Other cameras are set up."""
    site.want({"door": WANTED})
    assert site.want({"door": desired, "back": {}}) == [Setup("back")]
    report = site.setups.report()
    assert (report["door"]["state"], report["back"]) == ("refused", {"state": "applied"})
    assert reason in report["door"]["detail"]
    assert len(report["door"]["detail"]) <= MAX_DETAIL
    assert site.want({"door": WANTED, "back": {}}) == []


def test_an_unknown_camera_is_refused_until_it_appears(site: Site) -> None:
    assert site.want({"till": {}, "../door": {}}) == []
    unknown = {"state": "refused", "detail": "unknown camera; known cameras: back, door"}
    assert site.setups.report()["till"] == unknown
    site.cameras.append("till")
    assert site.apply() == [Setup("till")]
    assert site.states == {"../door": "refused", "till": "applied"}


def test_a_property_that_is_no_map_is_refused(site: Site) -> None:
    site.want({"door": WANTED})
    assert site.setups.want({"setup": "door"}) == {"setup": "'door': must be a map of cameras"}
    assert site.apply() == []
    assert site.states == {"door": "applied"}
