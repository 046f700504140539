"""The site: what is told when."""

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
    for one in seen("ww", begin=NOON):
        setup.site.take_in(type(one)(**{**{name: getattr(one, name) for name in one.__slots__}, "camera": "back"}))
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


def test_closing_tells_what_is_open(setup: Setup) -> None:
    """A bridge that is stopped tells the visits that it knows of."""
    setup.see("wwwww")
    setup.site.close()
    assert [visit.label for visit in setup.forwarded] == ["woman"]
