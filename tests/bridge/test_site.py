"""The site: what is told when."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from bridge.site import SILENCE, Site
from bridge.visits import Rules
from bus import CurrentLabel, DayCounts, Message, Visit
from tests.bridge.test_visits import seen

RULES = Rules(threshold=0.5, frames=3, gap=1.5, is_background=lambda label: label == "nobody")
NOON = 1_790_000_000.0


class Setup:
    """A site whose words are kept, and whose clocks are set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        monkeypatch.setattr("bridge.site.time.time", lambda: self.now)
        monkeypatch.setattr("bridge.site.time.monotonic", lambda: self.now)
        self.published: list[Message] = []
        self.forwarded: list[Visit] = []
        self.complaints: list[str] = []
        self.site = Site(RULES, self.published.append, self.forwarded.append, self._complain)

    def _complain(self, figure: str, text: str, sender: str) -> None:
        self.complaints.append(text)

    def see(self, text: str, begin: float = 0.0) -> None:
        """Takes in predictions of that many seconds after noon."""
        for one in seen(text, begin=NOON + begin):
            self.now = one.captured_at
            self.site.take_in(one)

    def told(self, kind: type[Message]) -> list[Message]:
        """What was published of a kind."""
        return [message for message in self.published if isinstance(message, kind)]


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A fresh one."""
    return Setup(monkeypatch)


def test_a_visit_changes_label_and_counts(setup: Setup) -> None:
    """Label and counts are told at first and when they change; the visit once, when it is over, and forwarded."""
    setup.see("n" * 5 + "w" * 20 + "n" * 20)
    labels = [message.label for message in setup.told(CurrentLabel) if isinstance(message, CurrentLabel)]
    assert labels == [None, "woman", None]
    totals = [message.totals for message in setup.told(DayCounts) if isinstance(message, DayCounts)]
    assert totals == [{}, {"woman": 1}]
    assert setup.told(Visit) == setup.forwarded
    assert len(setup.forwarded) == 1


def test_silence_ends_what_was_going_on(setup: Setup) -> None:
    """When no prediction comes any more nobody is there; the visit's end is still the last frame's time."""
    setup.see("wwww")
    setup.now += SILENCE - 1
    setup.site.look()
    assert not setup.forwarded
    setup.now += 2
    setup.site.look()
    assert setup.forwarded[0].ended_at == pytest.approx(NOON + 0.3)
    last = setup.told(CurrentLabel)[-1]
    assert isinstance(last, CurrentLabel)
    assert last.label is None
    number = len(setup.published)
    setup.site.look()
    assert len(setup.published) == number


def test_a_new_day_is_told_without_a_visit(setup: Setup) -> None:
    """After midnight the counts are empty although nothing happened."""
    setup.see("www" + "n" * 20)
    setup.now += 86_400
    setup.site.look()
    last = setup.told(DayCounts)[-1]
    assert isinstance(last, DayCounts)
    assert last.totals == {}


def test_cameras_are_kept_apart(setup: Setup) -> None:
    """A label at one camera does not agree with the same at another."""
    for one in seen("ww", begin=NOON):
        setup.site.take_in(one)
    for one in seen("ww", begin=NOON + 0.25):
        setup.site.take_in(replace(one, camera="back"))
    setup.site.close()
    assert not setup.forwarded


def test_predictions_too_far_apart_are_told(setup: Setup) -> None:
    """A frame rate at which no visit can ever be made is not suffered in silence; one gap is no reason."""
    for one in seen("wwww", begin=NOON) + seen("wwww", begin=NOON + 20):
        setup.site.take_in(one)
    assert not setup.complaints
    for one in seen("w" * 8, interval=2.0, begin=NOON + 100):
        setup.site.take_in(one)
    assert "raise FRAME_RATE, or VISIT_GAP_SECONDS" in setup.complaints[0]


def test_an_absence_of_its_own_is_no_silence(setup: Setup) -> None:
    """While the bridge itself is cut off it hears nothing; the visit goes on with what was kept for it."""
    setup.see("wwww")
    for _ in range(60):
        setup.now += 1
        setup.site.look(connected=False)
    setup.site.look(connected=True)
    setup.see("www", begin=0.4)
    setup.site.close()
    assert [visit.frames for visit in setup.forwarded] == [7]


def test_late_predictions_are_counted(setup: Setup) -> None:
    """What is passed over is told."""
    setup.see("wwww")
    setup.see("ww")
    assert len(setup.complaints) == 2


def test_a_label_that_an_earlier_bridge_left_is_cleared(setup: Setup) -> None:
    """After a crash nobody is shown to be at a camera that has not been heard of; what is known is not touched."""
    setup.site.remember(CurrentLabel("ghost", "woman", 0.9, NOON))
    assert setup.published == [CurrentLabel("ghost", None, None, None)]
    setup.see("www")
    number = len(setup.published)
    setup.site.remember(CurrentLabel("door", "woman", 0.9, NOON))
    setup.site.remember(CurrentLabel("ghost", None, None, None))
    assert len(setup.published) == number


def test_made_up_cameras_are_bounded(setup: Setup) -> None:
    """A sender that makes up names fills neither the memory nor the broker."""
    for number in range(200):
        setup.site.take_in(replace(seen("w", begin=NOON)[0], camera=f"camera{number}"))
    assert len(setup.told(CurrentLabel)) == 64
    assert len(setup.complaints) == 136


def test_a_visit_is_counted_before_it_is_forwarded(setup: Setup) -> None:
    """A failure to send it upstream costs neither the counts nor the visit's own message."""
    setup.site._forward = Mock(side_effect=OSError)
    setup.see("www")
    with pytest.raises(OSError):  # noqa: PT011
        setup.site.close()
    assert len(setup.told(Visit)) == 1
    last = setup.told(DayCounts)[-1]
    assert isinstance(last, DayCounts)
    assert last.totals == {"woman": 1}


def test_closing_tells_what_is_open(setup: Setup) -> None:
    """A bridge that is stopped tells the visits that it knows of."""
    setup.see("wwwww")
    setup.site.close()
    assert [visit.label for visit in setup.forwarded] == ["woman"]
