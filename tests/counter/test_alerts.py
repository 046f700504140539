"""Alerts: each is raised once and cleared once, whatever the counter, the broker, the camera and the clock do meanwhile."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Alert, AlertRule, Alerts, Command, Line, Message, Prediction, Setup, Status, Zone
from bus.status import About
from counter.alerts import CLEAR_AFTER, UNKNOWN, AlertBoard
from counter.opening import OpeningHours
from counter.settings import Settings
from tests.counter.shop import NOON, UTC, Shop, scripted, unpublished_ids
from tests.counter.street import Walker, predictions

DOOR = Line("door", (0.05, 0.5), (0.95, 0.5))
TILL = Zone("till", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
FULL, QUEUE, CROWD = (
    AlertRule("full", inside=0),
    AlertRule("queue", "till", waiting_seconds=5.0),
    AlertRule("crowd", "till", people=1),
)
LOST, QUIET = AlertRule("no camera", lost_minutes=3.0), AlertRule("quiet", uncounted_minutes=10.0)
NEVER = -1.0


def sent(shop: Shop) -> list[Alert]:
    """Returns the published alerts without repeats."""
    return list(dict.fromkeys(shop.sent(Alert)))


def brief(shop: Shop) -> list[tuple[str, bool]]:
    return [(one.rule, one.active) for one in sent(shop)]


def raised(shop: Shop) -> list[str]:
    """Returns the rules in the retained message."""
    return [one.rule for one in shop.sent(Alerts)[-1].alerts]


def in_force(shop: Shop) -> list[tuple[str, float]]:
    """Returns names and limits of the rules in the retained message."""
    return [(one.name, one.limit) for one in shop.sent(Alerts)[-1].rules]


def with_rules(*rules: AlertRule) -> Setup:
    return Setup("door", (DOOR,), (TILL,), alerts=rules)


def once(*names: str) -> list[tuple[str, bool]]:
    return [(name, is_active) for name in names for is_active in (True, False)]


MEASURES = {
    "at the limit": (AlertRule("a", inside=50), [(0, 50)], []),
    "above, then slightly below": (AlertRule("a", inside=50), [(0, 51), (60, 46), (120, 51), (180, 46), (240, 46)], [(0, True)]),
    "low for a moment": (AlertRule("a", inside=50), [(0, 51), (60, 45), (69, 45), (70, 46), (71, 45), (80, 45)], [(0, True)]),
    "low for long": (AlertRule("a", inside=50), [(0, 51), (60, 45), (70, 45), (71, 51)], [(0, True), (70, False), (71, True)]),
    "few": (AlertRule("a", "till", people=1), [(0, 2), (60, 1), (70, 1)], [(0, True), (70, False)]),
    "nobody": (AlertRule("a", inside=0), [(0, 1), (60, 0), (70, 0)], [(0, True), (70, False)]),
    "a wait": (
        AlertRule("a", "till", waiting_seconds=100.0),
        [(0, 101), (9, 91), (19, 91), (20, 90), (30, 90)],
        [(0, True), (30, False)],
    ),
    "a camera that is back": (LOST, [(0, 4), (1, 0)], [(0, True), (1, False)]),
    "unknown": (LOST, [(0, UNKNOWN), (1, 4), (2, UNKNOWN), (3, UNKNOWN)], [(1, True)]),
    "not measured any more": (AlertRule("a", inside=50), [(0, 51), (1, NEVER)], [(0, True), (1, False)]),
    "the clock is set back": (AlertRule("a", inside=50), [(900, 51), (910, 45), (30, 45), (40, 45)], [(900, True), (40, False)]),
}


@pytest.mark.parametrize(("rule", "measures", "expected"), MEASURES.values(), ids=MEASURES)
def test_an_alert_does_not_flutter(
    rule: AlertRule, measures: Sequence[tuple[int, float]], expected: list[tuple[int, bool]]
) -> None:
    """It is raised above its limit, and cleared when the measure has been a tenth of it lower for ten seconds."""
    board, events = AlertBoard("door", []), list[Alert]()
    for second, value in measures:
        at = NOON + second
        events += board.update([rule], lambda _rule, value=value: None if value == NEVER else value, at, at, False)  # type: ignore[misc]
    assert [(one.at - NOON, one.active) for one in events] == expected


@given(st.lists(st.tuples(st.floats(-20, 60), st.sampled_from([None, UNKNOWN, 0.0, 45.0, 46.0, 50.0, 51.0])), max_size=40))
def test_raised_and_cleared_alternate(steps: list[tuple[float, float | None]]) -> None:
    """Each pair has an alert of its own, each message an id of its own, and who follows them knows what is raised."""
    board, events, at = AlertBoard("door", []), list[Alert](), NOON
    for elapsed, value in steps:
        at += max(elapsed, -CLEAR_AFTER) + 0.001
        events += board.update([AlertRule("a", inside=50)], lambda _rule, value=value: value, at, at, False)  # type: ignore[misc]
    assert [one.active for one in events] == [number % 2 == 0 for number in range(len(events))]
    assert all(one.alert == other.alert for one, other in zip(events[::2], events[1::2], strict=False))
    assert len(board.raised) == len(events) % 2
    assert all(one.alert == raised.id for one, raised in zip(events[len(events) // 2 * 2 :], board.raised, strict=True))


STANDING = Walker((0.3, 0.7), (0.0, 0.0), arrives=1.0, leaves=20.0)
SECOND = Walker((0.9, 0.7), (0.0, 0.0), arrives=3.0, leaves=12.0)
ENTERING = Walker((0.6, 0.3), (0.0, 0.2), arrives=2.0, leaves=5.0)
STREET = predictions([STANDING, SECOND, ENTERING], rate=5.0, seconds=50.0)
EXPECTED = [("full", True), ("crowd", True), ("queue", True), ("crowd", False), ("queue", False)]


def stepped(by: float) -> list[Prediction]:
    """Returns the predictions with a clock that is set after eight seconds."""
    return [replace(one, captured_at=one.captured_at + by) if one.session_time > 8 else one for one in STREET]


WAYS: dict[str, tuple[list[Prediction], int]] = {
    "live": (STREET, 0),
    "with a restart after each prediction": (STREET, 1),
    "with restarts": (STREET, 17),
    "with a clock that is set ahead": (stepped(86400.0), 0),
    "with a clock that is set back": (stepped(-86400.0), 0),
}


@pytest.mark.parametrize("way", WAYS)
def test_visitors_raise_alerts_once(shop: Shop, way: str) -> None:
    """Also over restarts of the counter and a step of the clock. Who waited longest counts, and the alert says for how long."""
    some, restart_after = WAYS[way]
    shop.receive(with_rules(FULL, QUEUE, CROWD))
    for number, one in enumerate(some):
        shop.receive(one, at_once=False)
        if restart_after and number % restart_after == 0:
            shop.restart()
            shop.receive(with_rules(FULL, QUEUE, CROWD))
    shop.step(60)
    assert brief(shop) == EXPECTED
    queue = next(one for one in sent(shop) if one.rule == "queue")
    assert (queue.kind, queue.zone, queue.limit) == ("waiting_seconds", "till", 5.0)
    assert queue.value == pytest.approx(5.2, abs=0.21)
    assert queue.since - NOON == pytest.approx(6.2, abs=0.21)
    assert raised(shop) == ["full"]


def test_late_predictions_raise_the_same_alerts(shop: Shop) -> None:
    """Their times are those of the frames."""
    shop.receive(with_rules(FULL, QUEUE, CROWD), *STREET[:2], at_once=False)
    shop.pass_time(3600)
    shop.receive(*STREET[2:])
    assert brief(shop) == EXPECTED
    assert all(0 < one.at - NOON < 50 for one in sent(shop))


def test_an_alert_is_published_once_after_an_absence_of_the_broker(shop: Shop) -> None:
    """It waits in the ledger, also over a restart; the retained message says what is raised."""
    shop.bus.room = 0
    shop.receive(with_rules(FULL, QUEUE, CROWD), *STREET, at_once=False)
    assert (brief(shop), raised(shop)) == ([], ["full"])
    waiting = unpublished_ids(shop.ledger)
    shop.restart()
    shop.pass_time(60)
    assert brief(shop) == EXPECTED
    assert {one.id for one in shop.sent(Alert)} <= set(waiting)
    assert raised(shop) == ["full"]
    shop.pass_time(60)
    assert (len(brief(shop)), unpublished_ids(shop.ledger)) == (5, [])


CHANGES: dict[str, tuple[list[Message], list[str]]] = {
    "the rule is deleted": ([with_rules()], []),
    "the rules are as the settings say": ([Setup("door", (DOOR,), (TILL,))], []),
    "the zone is deleted": ([Setup("door", (DOOR,), (), alerts=(QUEUE,))], []),
    "the limit is higher": ([with_rules(replace(QUEUE, waiting_seconds=60.0))], []),
    "another rule is added": ([with_rules(LOST, QUEUE)], ["queue"]),
    "the zone moves": (
        [Setup("door", (DOOR,), (replace(TILL, polygon=((0.9, 0.5), (1, 0.5), (1, 1))),), alerts=(QUEUE,)), *STREET[45:110]],
        [],
    ),
    "the camera is paused": ([Command("door", "pause")], []),
    "the demo begins": ([replace(STREET[60], demo=True, sequence=60_000)], []),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_clears_what_does_not_apply_any_more(shop: Shop, what: str) -> None:
    messages, expected = CHANGES[what]
    shop.receive(with_rules(QUEUE), *STREET[:45], at_once=False)
    assert raised(shop) == ["queue"]
    shop.receive(*messages)
    shop.pass_time(20)
    assert (raised(shop), brief(shop)) == (expected, [("queue", True), *([] if expected else [("queue", False)])])


def test_a_lost_camera_raises_one_alert(shop: Shop) -> None:
    """Until its next prediction, however often the counter or the broker restarts; a clock that is set makes no difference."""
    shop.receive(with_rules(LOST))
    shop.see("wwwwnnnn")
    shop.pass_time(170)
    assert brief(shop) == []
    shop.wrong += 86400
    shop.pass_time(20)
    assert brief(shop) == [("no camera", True)]
    for _ in range(3):
        shop.restart(after=30)
        shop.pass_time(20)
        shop.bus.connected = False
        shop.pass_time(20)
        shop.bus.connected = True
        shop.pass_time(300)
    assert (brief(shop), raised(shop)) == ([("no camera", True)], ["no camera"])
    shop.see("n", start=shop.now - NOON)
    assert (brief(shop), raised(shop)) == (once("no camera"), [])


QUIET_CAMERAS: dict[str, tuple[list[Message], bool]] = {
    "lost": ([], True),
    "paused": ([Command("door", "pause")], False),
    "at the end of its recording": ([Status("capture", "ended", NOON, NOON, "", About(camera="door"))], False),
    "without movement": ([], False),
    "while the counter is not connected": ([], False),
}


@pytest.mark.parametrize("why", QUIET_CAMERAS)
def test_only_a_lost_camera_counts_as_lost(shop: Shop, why: str) -> None:
    messages, is_lost = QUIET_CAMERAS[why]
    shop.receive(with_rules(LOST))
    shop.see("wwwwnnnn")
    shop.receive(*messages)
    for _ in range(100):
        shop.bus.connected = "connected" not in why
        if "movement" in why:
            shop.registry.on_still("door")
        shop.step(4)
    assert bool(brief(shop)) == is_lost


HOURS: dict[str | None, list[int]] = {
    None: [10],
    "Mo-Su 06:00-18:00": [10],
    "Mo-Su 00:00-24:00": [10],
    "Mo-Su 14:00-14:30": [10, 16],
    "Mo-Su 14:30-18:00": [27],
    "Mo-Su 06:00-14:20; Mo 14:21-14:29": [],
    "Tu-Su 06:00-18:00": [],
}
"""By opening hours: the minutes after 14:13:20 on a Monday in which an alert is raised and cleared."""


@pytest.mark.parametrize("hours", HOURS)
def test_an_alert_is_raised_if_nobody_is_counted_during_opening_hours(shop: Shop, hours: str | None) -> None:
    """Somebody left half a minute after 14:13:20. It is cleared at closing time."""
    shop.registry.opening = OpeningHours(hours) if hours else None
    shop.receive(with_rules(QUIET))
    shop.see("wwwwnnn")
    shop.pass_time(3000)
    assert [int(one.at - NOON) // 60 for one in sent(shop)] == HOURS[hours]


def test_the_next_visitor_clears_it(shop: Shop) -> None:
    """Also after a restart, which does not raise it again. Predictions without visitors change nothing."""
    shop.receive(with_rules(QUIET))
    shop.see("wwwwnnn")
    shop.pass_time(800)
    shop.restart()
    shop.see("nnnn", start=shop.now - NOON)
    shop.pass_time(300)
    assert brief(shop) == [("quiet", True)]
    shop.see("wwww", start=shop.now - NOON)
    assert brief(shop) == once("quiet")


def test_a_forgotten_camera_has_no_alerts(shop: Shop) -> None:
    shop.receive(with_rules(FULL), *STREET, at_once=False)
    assert raised(shop) == ["full"]
    shop.bus.deliver("footfall/door/label", b"")
    shop.step(1)
    assert (brief(shop), "footfall/door/alerts" in shop.bus.forgotten) == (once("full"), True)


def test_a_rule_about_an_unknown_zone_is_logged(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """It is never raised. The zone may be drawn later."""
    shop.receive(Setup("door", zones=(), alerts=(QUEUE, FULL)), *STREET[:45], at_once=False)
    assert caplog.text.count("door: alert 'queue' is never raised: there is no zone 'till'") == 1
    assert brief(shop) == []
    shop.receive(Setup("door", zones=(TILL,), alerts=(QUEUE,)), *STREET[45:90], at_once=False)
    assert brief(shop) == [("queue", True)]
    assert caplog.text.count("never raised") == 1


def test_a_setup_overrides_the_settings(shop: Shop) -> None:
    """An empty list switches the alerts of the settings off. The retained message has the rules in force, also without alerts."""
    rules = '[{"name": "till", "zone": "till", "people": 0}]'
    shop.complete = Settings.model_validate({"ALERTS": rules}).completed
    shop.restart()
    shop.receive(Setup("door", zones=(TILL,)), *STREET[:20], at_once=False)
    assert (raised(shop), in_force(shop)) == (["till"], [("till", 0)])
    shop.receive(Setup("door", zones=(TILL,), alerts=(AlertRule("crowd", "till", people=3),)))
    assert (raised(shop), in_force(shop)) == ([], [("crowd", 3)])
    shop.receive(Setup("door", zones=(TILL,), alerts=(AlertRule("crowd", "till", people=4),)))
    assert in_force(shop) == [("crowd", 4)]
    shop.receive(Setup("door", zones=(TILL,), alerts=()))
    assert (raised(shop), in_force(shop)) == ([], [])


def test_a_model_of_whole_pictures_measures_no_places(shop: Shop) -> None:
    shop.receive(with_rules(FULL, QUEUE, CROWD), *scripted("wwwwwnnnnnn" * 20), at_once=False)
    assert (brief(shop), shop.sent(Alerts)) == ([], [Alerts("door", rules=(FULL, QUEUE, CROWD))])


def test_the_opening_hours_say_since_when_a_place_is_open() -> None:
    """Hours that touch are one time, also over midnight."""
    always, split = OpeningHours("Mo-Su 00:00-24:00"), OpeningHours("Mo-Su 06:00-14:00, 14:00-15:00")
    assert always.open_since(UTC, NOON, NOON - 86400) == NOON - 86400
    assert split.open_since(UTC, NOON, NOON - 86400) == NOON - 8 * 3600 - 800
    assert split.open_since(UTC, NOON + 3600, NOON - 86400) is None
