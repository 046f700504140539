"""The newest-frame slot."""

from hypothesis import given
from hypothesis import strategies as st

from bus import NewestSlot


@given(st.lists(st.none() | st.tuples(st.integers(0, 5), st.integers())))
def test_keys_take_turns(puts_and_takes: list[tuple[int, int] | None]) -> None:
    """Whatever is put and taken (None), what comes out is each key's last value, in the order in which the keys began to wait; so
    a key that is updated all the time does not starve others. At most four wait, and what is dropped is reported.
    """
    slot: NewestSlot[int, int] = NewestSlot(limit=4)
    waiting: dict[int, int] = {}
    for put in (*puts_and_takes, *[None] * 5):
        if put is None:
            assert slot.take(0) == (waiting.pop(next(iter(waiting))) if waiting else None)
            continue
        key, value = put
        fits = key in waiting or len(waiting) < 4
        assert slot.put(key, value) == (fits and key not in waiting)
        if fits:
            waiting[key] = value
    assert not waiting
