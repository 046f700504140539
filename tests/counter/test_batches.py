"""Predictions that give nothing to publish are committed together, and nothing accepted is lost."""

import sqlite3
import threading
from contextlib import closing

import pytest

from bus import Command, CurrentLabel, Line, Setup, Tracks, Visit
from counter.batch import MAX_WAIT
from counter.database import FILE
from counter.main_loop import MAX_WAITING
from tests.counter.shop import NOON, Shop, brief, scripted
from tests.counter.street import Walker, predictions


def see_somebody(shop: Shop) -> None:
    """Opens a visit, and commits everything."""
    shop.see("wwww")
    shop.step(MAX_WAIT)
    assert not shop.bus.unacknowledged


def test_predictions_wait_for_each_other(shop: Shop) -> None:
    """They are committed and acknowledged half a second after the first of them, in one write."""
    see_somebody(shop)
    before, number = shop.ledger.states(), len(shop.bus.deliveries)
    with closing(sqlite3.connect(shop.folder / FILE)) as other:
        versions = {int(other.execute("PRAGMA data_version").fetchone()[0])}
        shop.see("wwwww", start=2)
        assert (shop.ledger.states(), len(shop.bus.deliveries)) == (before, number)
        shop.see("w", start=2.5)
        versions.add(int(other.execute("PRAGMA data_version").fetchone()[0]))
        assert (len(shop.bus.unacknowledged), len(shop.bus.deliveries) - number) == (0, 6)
        assert shop.ledger.states() != before
        shop.pass_time(16)
        versions.add(int(other.execute("PRAGMA data_version").fetchone()[0]))
    assert len(versions) == 2, "a visitor without a new prediction is written once"


@pytest.mark.parametrize(
    ("seen", "label", "visits"),
    [("mmmmm", "man", []), ("nnnnnn", None, [("woman", 0.0, 0.3, 4)])],
    ids=["another label", "a visit"],
)
def test_a_result_does_not_wait(shop: Shop, seen: str, label: str | None, visits: list[tuple[str, float, float, int]]) -> None:
    """A changed label and a visit are committed and published with the prediction that gives them, and so are those before it."""
    see_somebody(shop)
    shop.see(seen[:-1], start=0.4)
    assert (shop.visits, shop.sent(CurrentLabel)[-1].label) == ([], "woman")
    shop.see(seen[-1], start=0.4 + (len(seen) - 1) / 10)
    assert (brief(shop.visits), brief(shop.sent(Visit))) == (visits, visits)
    assert shop.sent(CurrentLabel)[-1].label == label
    assert not shop.bus.unacknowledged


def test_a_command_does_not_wait(shop: Shop) -> None:
    see_somebody(shop)
    shop.see("w", start=2)
    assert shop.bus.unacknowledged
    shop.receive(Command("door", "pause"))
    assert not shop.bus.unacknowledged
    assert brief(shop.visits) == [("woman", 0.0, 2.0, 5)]


def test_tracks_do_not_wait(shop: Shop) -> None:
    """Who is in view is published with each frame."""
    shop.receive(Setup("door", lines=(Line("entrance", (0.1, 0.9), (0.9, 0.9)),)))
    frames = predictions([Walker((0.3, 0.3), (0.0, 0.0), leaves=9.0)], rate=10.0, seconds=4.0)
    shop.receive(*frames[:20], at_once=False)
    before = len(shop.sent(Tracks))
    shop.receive(*frames[20:23], at_once=False)
    assert len(shop.sent(Tracks)) - before == 3
    assert shop.bus.unacknowledged


def test_the_brokers_window_is_not_used_up(shop: Shop) -> None:
    """After many predictions in a short time, none waits: the broker would send no others."""
    see_somebody(shop)
    shop.see("w" * (MAX_WAITING - 1), start=2, interval=0.001)
    assert len(shop.bus.unacknowledged) == MAX_WAITING - 1
    shop.see("w", start=2.1)
    assert not shop.bus.unacknowledged


def test_a_backlog_does_not_wait(shop: Shop) -> None:
    """If several predictions of a camera came at once, more will follow."""
    see_somebody(shop)
    shop.receive(*scripted("ww", start=NOON + 2))
    assert len(shop.bus.unacknowledged) == 2
    shop.receive(*scripted("www", start=NOON + 2.2))
    assert not shop.bus.unacknowledged


def test_a_stop_commits_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is in the ledger and acknowledged when the counter ends."""
    see_somebody(shop)
    shop.see("ww", start=2)
    assert len(shop.bus.unacknowledged) == 2
    monkeypatch.setattr(shop.counter, "restore", lambda: None)  # it goes on
    stop = threading.Event()
    stop.set()
    shop.counter.run(stop)
    assert not shop.bus.unacknowledged
    shop.restart()
    shop.see("n" * 20, start=2.2)
    assert brief(shop.visits) == [("woman", 0.0, 2.1, 6)]
