"""The newest-frame slot."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bus import NewestSlot


def test_keys_take_turns() -> None:
    """A key that is updated all the time does not starve the others."""
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


def test_the_number_of_keys_is_limited() -> None:
    """Invented names cannot fill the memory; a known key's newer value replaces the older, which is reported."""
    slot: NewestSlot[int, int] = NewestSlot(limit=2)
    assert [slot.put(key, key) for key in (1, 2, 3)] == [True, True, False]
    assert not slot.put(1, 10)
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
