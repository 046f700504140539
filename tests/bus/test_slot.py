"""The newest-frame slot."""

import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bus import NewestSlot
from tests.support.wait import limit


def test_the_newest_replaces_the_older() -> None:
    """Of one key only the newest is handed out, and the sender is told of the loss."""
    slot: NewestSlot[str, int] = NewestSlot()
    assert slot.put("door", 1)
    assert not slot.put("door", 2)
    assert slot.take(0) == 2
    assert slot.take(0) is None


def test_keys_take_turns() -> None:
    """A key that is fed all the time does not keep the others waiting."""
    slot: NewestSlot[str, str] = NewestSlot()
    for key in "abc":
        slot.put(key, key)
    taken = []
    for _ in range(9):
        value = slot.take(0)
        assert value
        taken.append(value)
        slot.put(value, value)
        slot.put("a", "a")
    assert Counter(taken) == {"a": 3, "b": 3, "c": 3}


def test_take_waits_for_a_value() -> None:
    """A waiting taker gets what is put from another thread."""
    slot: NewestSlot[str, int] = NewestSlot()
    threading.Timer(0.05, slot.put, ("door", 5)).start()
    assert slot.take(limit(5)) == 5


def test_the_number_of_keys_is_bounded() -> None:
    """Names made up by a sender cannot fill the memory; known ones go on."""
    slot: NewestSlot[int, int] = NewestSlot(limit=2)
    assert [slot.put(key, key) for key in (1, 2, 3)] == [True, True, False]
    slot.put(1, 10)
    assert [slot.take(0), slot.take(0), slot.take(0)] == [10, 2, None]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers())))
def test_every_key_ends_with_its_last_value(puts: list[tuple[int, int]]) -> None:
    """Whatever is put, what comes out is each key's last value, in the order in which the keys first came."""
    slot: NewestSlot[int, tuple[int, int]] = NewestSlot()
    for key, value in puts:
        slot.put(key, (key, value))
    taken = []
    while (item := slot.take(0)) is not None:
        taken.append(item)
    assert taken == [(key, dict(puts)[key]) for key in dict.fromkeys(key for key, _ in puts)]
