"""A recording that is played once: every picture of it, however slow its taker is."""

import time
from collections.abc import Generator

import pytest

from capture.playback import Playback
from capture.reader import Reader
from capture.source import Picture
from runtime.watchdog import Calls
from tests.support import videos
from tests.support.wait import limit, until


class Tape:
    """A recording of numbered pictures, given as fast as they are taken."""

    interval = 0.04

    def __init__(self, length: int) -> None:
        self._length = length

    def pictures(self) -> Generator[Picture, None, None]:
        for number in range(self._length):
            yield videos.numbered(number)


class States:
    """Collects states."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, state: str, detail: str) -> None:
        self.names.append(state)


@pytest.mark.parametrize("work", [0.0, 0.02], ids=["as fast as it comes", "slower than that"])
def test_no_picture_is_passed_over(work: float) -> None:
    """All pictures come once, in their order, in the recording's own time; it has ended when the last one is done with."""
    states, taken = States(), []
    with Playback(Tape(20), states, Calls()) as playback:
        for _ in range(20):
            captured = playback.take(limit(10))
            assert captured
            assert states.names == ["running"]
            taken.append((videos.number_of(captured.picture), captured.taken_at))
            time.sleep(work)
        assert playback.take(0.01) is None
        until(lambda: states.names == ["running", "ended"])
    begin = taken[0][1]
    assert [number for number, _ in taken] == list(range(20))
    assert [at - begin for _, at in taken] == pytest.approx([number * Tape.interval for number in range(20)])


@pytest.mark.parametrize("kind", ["played once", "read once"])
def test_what_is_stopped_in_the_middle_has_not_ended(kind: str) -> None:
    """Who stops it before its end is not told that it was played to its end."""
    states = States()
    source = Tape(1_000_000)
    reader = Playback(source, states, Calls()) if kind == "played once" else Reader(source, states, loop=False)
    with reader:
        assert reader.take(limit(10))
    until(lambda: not reader._thread.is_alive())
    assert states.names == ["running"]
