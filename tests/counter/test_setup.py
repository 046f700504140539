"""The setup of a camera: what is drawn counts from the next frame on, and what is wrong changes nothing."""

import json
from dataclasses import replace

import pytest

from bus import Crossing, Line, Occupancy, Setup, Tracks, Visit, topics
from counter.settings import Settings
from tests.counter.shop import Shop
from tests.counter.street import Walker, predictions

DOOR, GATE = Line("door", (0.05, 0.5), (0.95, 0.5)), Line("gate", (0.05, 0.7), (0.95, 0.7))
WALK = predictions([Walker((0.3, 0.3), (0.0, 0.2), leaves=2.6)], rate=5.0, seconds=6.0)
"""Somebody who crosses the door after 1 s and the gate after 2 s."""
LINES = json.dumps([{"name": "door", "from": [0.05, 0.5], "to": [0.95, 0.5]}])


def crossed(shop: Shop) -> list[tuple[str, str]]:
    return [(one.line, one.direction) for one in shop.sent(Crossing)]


def numbers(shop: Shop) -> set[int]:
    """Returns the numbers of all visitors in the published tracks."""
    return {visitor.number for one in shop.sent(Tracks) for visitor in one.visitors}


def with_settings(shop: Shop, **settings: str) -> None:
    shop.complete = Settings.model_validate(settings).completed
    shop.restart()


CHANGES = {
    "the line stays": (Setup("door", (DOOR, GATE)), [("door", "in"), ("gate", "in")]),
    "it is reversed": (Setup("door", (Line("door", DOOR.end, DOOR.start), GATE)), [("door", "out"), ("gate", "in")]),
    "it is removed": (Setup("door", (GATE,)), [("gate", "in")]),
    "it is renamed": (Setup("door", (Line("way in", DOOR.start, DOOR.end), GATE)), [("way in", "in"), ("gate", "in")]),
    "it moves behind the visitor": (Setup("door", (Line("door", (0.05, 0.35), (0.95, 0.35)), GATE)), [("gate", "in")]),
    "all is as the settings say": (Setup("door"), [("door", "in")]),
    "nothing is counted": (Setup("door", (), ()), []),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("restarts", [False, True])
def test_a_setup_counts_from_the_next_frame_on(shop: Shop, how: str, restarts: bool) -> None:
    """Whoever is in view keeps their track. After a restart, predictions that waited count by the last setup."""
    setup, expected = CHANGES[how]
    with_settings(shop, LINES=LINES)
    shop.receive(Setup("door", (DOOR,)), *WALK[:3], setup)
    if restarts:
        shop.restart()
    shop.receive(*WALK[3:], at_once=False)
    assert crossed(shop) == expected
    assert [one.frames for one in shop.sent(Visit)] == [13]
    assert len(numbers(shop)) == 1


def test_a_line_that_moves_on_with_a_visitor_is_crossed_again(shop: Shop) -> None:
    """Both crossings are in the ledger, as the number inside says."""
    shop.receive(Setup("door", (DOOR,)), *WALK[:7], Setup("door", (Line("door", GATE.start, GATE.end),)), *WALK[7:])
    assert [(one.line, one.direction) for one in shop.crossings] == [("door", "in")] * 2
    assert shop.sent(Occupancy)[-1].inside == 2


REFUSED = {
    "no JSON": (b"{", "not JSON"),
    "a line without length": (b'{"lines": [{"name": "a", "from": [0.5, 0.5], "to": [0.5, 0.5]}]}', "line 'a' is 0 long"),
    "a polygon that crosses itself": (
        b'{"zones": [{"name": "a", "polygon": [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]}]}',
        "crosses itself",
    ),
    "outside the picture": (b'{"lines": [{"name": "a", "from": [0.5, 1.5], "to": [0.5, 0.5]}]}', "from 0 to 1"),
    "64 zones": (
        json.dumps({"zones": [{"name": f"{n}", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]} for n in range(64)]}).encode(),
        "at most 16",
    ),
    "two of one name": (
        b'{"lines": [{"name": "a", "from": [0, 0.5], "to": [1, 0.5]}, {"name": "a", "from": [0, 0.6], "to": [1, 0.6]}]}',
        "names must differ",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_wrong_setup_changes_nothing(shop: Shop, caplog: pytest.LogCaptureFixture, what: str) -> None:
    """It is counted and logged with the reason; the setup before it still counts, and so does everything counted."""
    payload, reason = REFUSED[what]
    shop.receive(Setup("door", (DOOR,)), *WALK[:8])
    shop.bus.deliver(topics.setup("door"), payload, 1)
    shop.receive(*WALK[8:], at_once=False)
    assert crossed(shop) == [("door", "in")]
    assert shop.sent(Occupancy)[-1].inside == 1
    assert (shop.metrics["invalid"], reason in caplog.text, topics.setup("door") in caplog.text) == (1, True, True)


def test_a_cleared_setup_gives_way_to_the_settings(shop: Shop) -> None:
    """An empty retained message clears it. Without lines, who is inside is unknown."""
    with_settings(shop, LINES=LINES)
    shop.receive(Setup("door", (GATE,)), *WALK[:3])
    shop.bus.deliver(topics.setup("door"), b"")
    shop.receive(*WALK[3:], at_once=False)
    assert crossed(shop) == [("door", "in")]
    shop.receive(Setup("door", ()), predictions([], seconds=7.0)[-1])
    assert (shop.sent(Occupancy)[-1].inside, shop.sent(Occupancy)[-1].entered) == (None, 0)


def test_a_setup_of_a_camera_that_is_unknown_counts_later(shop: Shop) -> None:
    """It creates no camera, and the number of setups is bounded."""
    for number in range(100):
        shop.receive(Setup(f"camera{number}", (GATE,)))
    assert (len(shop.registry.cameras), shop.metrics["dropped_camera"]) == (0, 36)
    shop.receive(*(replace(one, camera="camera7") for one in WALK), at_once=False)
    assert crossed(shop) == [("gate", "in")]


def test_deleted_setups_leave_room_for_others(shop: Shop) -> None:
    """However many names were tried out, the setup of a real camera counts."""
    for number in range(100):
        shop.receive(Setup(f"camera{number}", (GATE,)))
        shop.bus.deliver(topics.setup(f"camera{number}"), b"")
        shop.step()
    shop.receive(Setup("door", (GATE,)), *WALK)
    assert (crossed(shop), shop.metrics.get("dropped_camera")) == ([("gate", "in")], None)


def test_the_part_of_a_setup_that_does_not_count_is_not_saved(shop: Shop) -> None:
    """The state is written at every prediction: masks are of no use to the counter, but can be longer than all the rest."""
    setup, mask = Setup("door", (DOOR,)), tuple(((0.0, n / 32), (1.0, n / 32), (1.0, (n + 1) / 32)) for n in range(16))
    shop.receive(setup, *WALK[:4])
    size = len(shop.ledger.states()["door"])
    shop.receive(replace(setup, mask=mask, visitors=("person",)), WALK[4])
    assert len(shop.ledger.states()["door"]) == pytest.approx(size, abs=64)
