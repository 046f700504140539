"""The site: what predictions, commands and time come to."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.outgoing import Kind
from bridge.policy import Policy
from bus import Command, Prediction, Visit
from counter.camera import MOST_HOURS
from counter.hours import HOUR
from counter.site import FORGOTTEN, PAUSE_AGAIN, SILENCE, Round, Site
from counter.visits import Correction, Rules
from tests.counter.test_visits import seen

RULES = Rules(threshold=0.5, frames=3, gap=1.5, is_background=lambda label: label == "nobody")
NOON = 1_790_000_000.0


class Setup:
    """A site whose results are kept as a ledger would, and whose clocks are set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, policy: Policy | None = None) -> None:
        self.now = NOON
        for module in ("site", "camera"):
            monkeypatch.setattr(f"bridge.{module}.time.time", lambda: self.now)
            monkeypatch.setattr(f"bridge.{module}.time.monotonic", lambda: self.now)
        self.policy = policy or Policy()
        self.kept: dict[str, str] = {}
        self.written = 0
        self.visits: list[Visit] = []
        self.corrections: list[tuple[int, Correction]] = []
        self.labels: list[str | None] = []
        self.outgoing: list[dict[str, object]] = []
        self.commands: list[Command] = []
        self.complaints: list[str] = []
        self.restart()

    def restart(self) -> None:
        """A site that knows what was kept, and nothing else."""
        self.site = Site(RULES, self.policy, lambda _figure, text, _sender: self.complaints.append(text))
        self.site.recall(self.kept, self.now)

    def _settle(self, round_: Round) -> None:
        for name, camera in round_.cameras.items():
            if (text := camera.change()) is not None:
                self.kept[name] = text
                self.written += 1
            if not camera.is_told:
                camera.is_told = True
                self.labels.append(camera.label.label)
        self.corrections += [(len(self.visits) + place, one._replace(until=0.0)) for place, one in round_.changes.corrections]
        self.visits += round_.changes.visits
        self.outgoing += [json.loads(one.body) for one in round_.changes.outgoing]
        self.commands += round_.commands

    def see(self, text: str, begin: float = 0.0, camera: str = "door", interval: float = 0.1) -> None:
        """Takes in predictions of that many seconds after noon, one by one."""
        for one in seen(text, interval, NOON + begin):
            self.take(replace(one, camera=camera))

    def take(self, one: Prediction) -> None:
        """Takes in one prediction."""
        self.now = max(self.now, one.captured_at)
        round_ = Round()
        self.site.take_in(one, round_)
        self._settle(round_)

    def look(self, hears: bool = True) -> None:
        """What the time alone changes."""
        round_ = Round()
        self.site.look(hears, round_)
        self._settle(round_)

    def obey(self, do: str, camera: str = "door") -> None:
        """A command."""
        round_ = Round()
        self.site.obey(Command(camera, do), round_)  # type: ignore[arg-type]
        self._settle(round_)

    def kinds(self) -> list[object]:
        """Of what goes upstream."""
        return [one["type"] for one in self.outgoing]


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A fresh one."""
    return Setup(monkeypatch)


def test_a_visit_is_told_once_and_labels_when_they_change(setup: Setup) -> None:
    """The label at first and when it is another; the visit when it is over, upstream too."""
    setup.see("n" * 5 + "w" * 20 + "n" * 20)
    assert setup.labels == [None, "woman", None]
    assert [visit.label for visit in setup.visits] == ["woman"]
    assert [one["id"] for one in setup.outgoing] == [setup.visits[0].id]


def test_silence_ends_what_was_going_on(setup: Setup) -> None:
    """When no prediction comes any more nobody is there; the visit's end is still the last frame's time."""
    setup.see("wwww")
    setup.now += SILENCE - 1
    setup.look()
    assert not setup.visits
    setup.now += 2
    setup.look()
    assert setup.visits[0].ended_at == pytest.approx(NOON + 0.3)
    assert setup.labels[-1] is None
    setup.look()
    assert len(setup.visits) == 1


def test_an_absence_of_its_own_is_no_silence(setup: Setup) -> None:
    """While the bridge itself is cut off it hears nothing; the visit goes on with what was kept for it."""
    setup.see("wwww")
    for _ in range(60):
        setup.now += 1
        setup.look(hears=False)
    setup.look()
    setup.see("www" + "n" * 20, begin=0.4)
    assert [visit.frames for visit in setup.visits] == [7]


def test_cameras_are_kept_apart(setup: Setup) -> None:
    """A label at one camera does not agree with the same at another."""
    for number in range(2):
        setup.see("w", begin=number * 0.1)
        setup.see("w", begin=number * 0.1 + 0.25, camera="back")
    setup.see("n" * 20, begin=0.5)
    setup.see("n" * 20, begin=0.5, camera="back")
    assert not setup.visits


def test_predictions_too_far_apart_are_told(setup: Setup) -> None:
    """A frame rate at which no visit can ever be made is not suffered in silence; one gap is no reason."""
    setup.see("wwww")
    setup.see("wwww", begin=20)
    assert not setup.complaints
    setup.see("w" * 8, begin=100, interval=2.0)
    assert "raise FRAME_RATE, or VISIT_GAP_SECONDS" in setup.complaints[0]


def test_late_predictions_are_counted(setup: Setup) -> None:
    """What is passed over is told, and goes nowhere."""
    setup.see("wwww")
    setup.see("ww")
    assert len(setup.complaints) == 2


def test_made_up_cameras_are_bounded(setup: Setup) -> None:
    """A sender that makes up names fills neither the memory nor the broker."""
    for number in range(200):
        setup.see("w", camera=f"camera{number}")
    assert len(setup.site.cameras) == 64
    assert len(setup.complaints) == 136


SCRIPT = "nnwwwwwwmwwwnnnnnnnnmmm?mmmmnnnnnnnnnnnwwmmwwwww" + " " * 16 + "wwnnnnnwwwwwwwww" + "n" * 20


SETS = st.lists(
    st.tuples(st.integers(0, len(SCRIPT)), st.sampled_from([-59.0, -30.0, -10.0, 45.0, 3600.0, 60.0 - NOON])), max_size=3
)
"""At which frames the clock is set, and by how much; in the end it is right, so that it may begin in 1970."""


@settings(max_examples=100)
@given(st.lists(st.integers(0, len(SCRIPT)), max_size=6), SETS)
def test_a_restart_anywhere_changes_nothing(cuts: list[int], sets: list[tuple[int, float]]) -> None:
    """Wherever the bridge ends and begins again, the visits are those of one that never did; so they are if the clock is set."""
    wrong = [max(60.0 - NOON, sum(by for place, by in sets if number < place)) for number in range(len(SCRIPT))]
    frames = [
        replace(seen(letter, begin=NOON + number / 10 + wrong[number])[0], sequence=number, session_time=number / 10)
        for number, letter in enumerate(SCRIPT)
        if letter != " "
    ]
    with pytest.MonkeyPatch.context() as monkeypatch:
        right, never, often = (Setup(monkeypatch) for _ in range(3))
        right.see(SCRIPT)
        for number, one in enumerate(frames):
            never.take(one)
            for _ in range(cuts.count(number)):
                often.restart()
            often.take(one)
        assert (often.visits, often.corrections) == (never.visits, never.corrections)
        assert brief(never.visits) == brief(right.visits)
        assert len(never.visits) >= 4


def brief(visits: list[Visit]) -> list[tuple[str, float, int]]:
    """Label, duration and frames."""
    return [(one.label, round(one.ended_at - one.started_at, 2), one.frames) for one in visits]


def test_a_label_is_told_again_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is there is known at once, before any prediction; that is no change, so nothing goes upstream."""
    setup = Setup(monkeypatch, Policy("changes"))
    setup.see("wwww")
    setup.restart()
    setup.look()
    setup.see("wwww", begin=0.4)
    assert setup.labels == [None, "woman", "woman"]
    assert setup.kinds() == ["change"]


def test_an_empty_shop_writes_nothing(setup: Setup) -> None:
    """Of frames on which nobody is there nothing is kept, ten a second for hours on end."""
    setup.see("wwww" + "n" * 20)
    before = setup.written
    setup.see("n" * 500 + "?" * 100, begin=3)
    assert setup.written == before
    setup.see("w", begin=70)
    assert setup.written == before + 1


def test_what_cannot_be_read_begins_anew(setup: Setup) -> None:
    """A camera's memory that is none is told, and costs only what was open."""
    setup.kept = {"door": '{"visits": 3}', "back": "no json"}
    setup.restart()
    assert len(setup.complaints) == 2
    setup.see("wwww" + "n" * 20)
    assert len(setup.visits) == 1


def test_a_camera_of_long_ago_is_not_taken_up(setup: Setup) -> None:
    """One that has been away for a month is not told of at every start."""
    setup.see("n")
    setup.now += FORGOTTEN + 1
    setup.restart()
    assert not setup.site.cameras


@pytest.mark.parametrize(
    ("forward", "kinds"),
    [
        ("none", []),
        ("visits", ["visit"]),
        ("changes", ["change", "visit", "change"]),
        ("all", [*["prediction"] * 3, "change", *["prediction"] * 9, "visit", "change", *["prediction"] * 2]),
    ],
)
def test_what_goes_upstream(monkeypatch: pytest.MonkeyPatch, forward: str, kinds: list[str]) -> None:
    """Each level takes in what those below it do."""
    setup = Setup(monkeypatch, Policy(forward))  # type: ignore[arg-type]
    setup.see("w" * 4 + "n" * 10)
    told = setup.kinds()
    assert sorted(map(str, told)) == sorted(kinds)


def test_changes_are_of_the_labels_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A label that is not wanted does not come, and that it went is not told either."""
    setup = Setup(monkeypatch, Policy("changes", labels=("man",)))
    setup.see("w" * 5 + "n" * 20 + "m" * 5 + "n" * 20)
    assert [(one["type"], one["label"]) for one in setup.outgoing] == [("change", "man"), ("visit", "man"), ("change", None)]


@pytest.mark.parametrize(
    ("policy", "text", "told"),
    [
        (Policy("changes", labels=("woman",)), "w" * 5 + "m" * 30 + "n" * 20, ["woman", None]),
        (Policy("changes", min_probability=0.8), "w" * 5 + "w" * 5, ["woman"]),
        (Policy("changes", min_probability=0.95), "w" * 10 + "n" * 20, []),
        (Policy("changes"), "w" * 5 + "n" * 10 + "w" * 5 + "n" * 20, ["woman", None, "woman", None]),
    ],
    ids=["not wanted", "sure", "never sure", "two"],
)
def test_upstream_knows_who_is_there_and_who_is_not(
    monkeypatch: pytest.MonkeyPatch, policy: Policy, text: str, told: list[str | None]
) -> None:
    """Whoever it was told of, it is told that they are gone, and of nobody else."""
    setup = Setup(monkeypatch, policy)
    setup.see(text)
    assert [one["label"] for one in setup.outgoing if one["type"] == "change"] == told


def test_a_label_is_told_once_it_is_sure_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before, nor taken back when it is less sure again."""
    setup = Setup(monkeypatch, Policy("changes", min_probability=0.8))
    for number, probability in enumerate([0.6, 0.6, 0.6, 0.6, 0.9, 0.6, 0.9]):
        setup.take(replace(seen("w", begin=NOON + number * 0.1, probability=probability)[0], camera="door"))
    assert [(one["label"], one["at"]) for one in setup.outgoing] == [("woman", NOON + 0.4)]
    setup.see("n" * 20, begin=1)
    assert [one["label"] for one in setup.outgoing if one["type"] == "change"] == ["woman", None]


def test_predictions_keep_their_distance_over_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """One a second of ten, each camera on its own."""
    setup = Setup(monkeypatch, Policy("all", interval=1.0))
    for number in range(40):
        setup.see("n", begin=number * 0.1)
        setup.see("n", begin=number * 0.1, camera="back")
        if number % 7 == 0:
            setup.restart()
    times = [float(str(one["captured_at"])) - NOON for one in setup.outgoing if one["camera"] == "door"]
    assert times == pytest.approx([0, 1, 2, 3])
    assert len(setup.outgoing) == 8


def test_a_policy_changes_while_running(setup: Setup) -> None:
    """What comes after it is selected by it."""
    setup.see("w" * 5 + "n" * 20)
    setup.site.policy = Policy("none")
    setup.see("w" * 5 + "n" * 20, begin=10)
    assert len(setup.visits) == 2
    assert setup.kinds() == ["visit"]


def test_a_paused_camera_is_not_counted(setup: Setup) -> None:
    """A pause ends the visit; what comes after it is nobody's, until it is resumed."""
    setup.see("wwww")
    setup.obey("pause")
    assert [visit.label for visit in setup.visits] == ["woman"]
    setup.see("m" * 10 + "n" * 20, begin=1)
    setup.obey("resume")
    setup.see("w" * 5 + "n" * 20, begin=10)
    assert [visit.label for visit in setup.visits] == ["woman", "woman"]


def test_a_pause_outlives_a_restart_of_both(setup: Setup) -> None:
    """A camera that was started anew while it is paused is told again, at a bounded rate; after a resume no more."""
    setup.see("n")
    setup.obey("pause")
    setup.restart()
    setup.see("w" * 100, begin=PAUSE_AGAIN + 1)
    assert setup.commands == [Command("door", "pause")] * 2
    assert not setup.visits
    setup.obey("resume")
    setup.restart()
    setup.see("w" * 20 + "n" * 20, begin=30)
    assert len(setup.visits) == 1
    assert len(setup.commands) == 2


def test_a_command_to_no_camera_makes_none(setup: Setup) -> None:
    """A misspelt name, or one that topics use, takes no place and is told of nowhere."""
    for camera in ("typo", "status", "display", "query"):
        for do in ("pause", "resume", "snapshot"):
            setup.obey(do, camera)
    setup.see("wwww", camera="status")
    assert not setup.site.cameras
    assert not setup.labels


def test_frames_on_their_way_when_a_pause_came_are_no_reason_to_remind(setup: Setup) -> None:
    """Some predictions are older than the pause."""
    setup.see("n", begin=-1)
    setup.obey("pause")
    setup.see("w" * 10)
    assert not setup.commands


def hours(setup: Setup) -> list[tuple[str, float]]:
    """Camera and begin, in hours after the hour of noon."""
    return [(camera.name, (hour.begin - NOON // HOUR * HOUR) / HOUR) for camera, hour in setup.site.hours_over()]


def test_an_hour_is_summed_up_when_it_is_known(setup: Setup) -> None:
    """Once, when a frame is later and no visit of it is open any more."""
    setup.see("n")
    assert hours(setup) == []
    over = (NOON // HOUR + 1) * HOUR - NOON
    setup.see("wwwww", begin=over - 0.3)
    assert hours(setup) == []
    setup.see("n" * 30, begin=over + 0.3)
    assert hours(setup) == [("door", 0)]
    assert hours(setup) == []


def test_an_hour_that_passed_at_once_is_summed_up(setup: Setup) -> None:
    """Predictions of two hours that come all together are of both."""
    setup.see("wwww" + "n" * 20)
    setup.see("n", begin=HOUR)
    assert hours(setup) == [("door", 0)]


def test_hours_of_an_absence_are_summed_up(setup: Setup) -> None:
    """After a restart those that passed meanwhile follow, of a bounded number of hours; of a camera that is gone none."""
    setup.see("n")
    setup.now += 3 * HOUR
    setup.restart()
    assert hours(setup) == []
    setup.now += SILENCE + 1
    assert hours(setup) == [("door", 0), ("door", 1), ("door", 2)]
    setup.see("n", begin=3 * HOUR + (MOST_HOURS - 1) * HOUR)
    assert len(hours(setup)) == MOST_HOURS - 1
    setup.now += (MOST_HOURS + 2) * HOUR
    assert hours(setup) == []


def test_the_hour_under_way_is_summed_up_when_the_clock_jumps(setup: Setup) -> None:
    """A clock that is set far ahead skips hours in which nothing was counted, and not the one in which something was."""
    setup.see("wwww" + "n" * 20)
    setup.see("n", begin=1000 * HOUR)
    found = hours(setup)
    assert found[:1] == [("door", 0)]
    assert len(found) == MOST_HOURS + 1


def test_a_clock_that_was_never_set_has_no_hours(setup: Setup) -> None:
    """In 1970 none is summed up, neither of frames nor of a camera that is silent; afterwards they go on."""
    for number, begin in enumerate((60.0, 4000.0, 9000.0)):
        setup.take(replace(seen("n", begin=begin)[0], sequence=number, session_time=begin))
        assert hours(setup) == []
    setup.now = 9000.0 + SILENCE + 1
    assert hours(setup) == []
    setup.see("n")
    setup.see("n", begin=HOUR)
    assert hours(setup) == [("door", 0)]


def test_a_clock_that_was_set_back_begins_its_hours_anew(setup: Setup) -> None:
    """The hours go on from where the clock is."""
    setup.see("n")
    hours(setup)
    for begin in (-5 * HOUR, -4 * HOUR):
        assert hours(setup) == []
        setup.take(replace(seen("n", begin=NOON + begin)[0], session="next"))
    assert hours(setup) == [("door", -5)]


def test_a_visit_goes_last_of_what_a_prediction_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox is in the order in which things happened: the frame first, then what it ended."""
    setup = Setup(monkeypatch, Policy("all"))
    setup.see("w" * 4 + "n" * 10)
    kinds = [Kind[str(kind).upper()] for kind in setup.kinds()]
    ended = kinds.index(Kind.VISIT)
    assert kinds[ended - 1] is Kind.PREDICTION
    assert kinds[ended + 1] is Kind.CHANGE


@pytest.mark.parametrize("number", [3, 9], ids=["late", "repeated"])
def test_a_late_prediction_of_the_other_model_splits_no_visit(setup: Setup, number: int) -> None:
    """The demo's model was replaced within the session; what comes again of it is dropped, and the visit goes on."""
    frames = [replace(one, sequence=place) for place, one in enumerate(seen("n" * 10 + "w" * 20 + "n" * 20, 0.1, NOON))]
    demos = [replace(one, model="demo:drawn") for one in frames[:10]]
    for one in [*demos, *frames[10:20], demos[number], *frames[20:]]:
        setup.take(one)
    assert [(visit.frames, visit.demo) for visit in setup.visits] == [(20, False)]
    assert len(setup.complaints) == 1
