"""The inputs of a target: mutations of its seeds and of earlier inputs that had a new outcome."""

import random
from collections.abc import Hashable, Iterator, Sequence

from tests.fuzz.target import SMALL, Target

LARGE_SHARE = 1 / 2000
"""Part of the inputs that are made large."""
MAX_KEPT = 256
"""Inputs that are mutated further, besides the seeds."""


class Inputs:
    """An endless source of inputs. The same random numbers and outcomes give the same inputs."""

    def __init__(self, target: Target, seeds: Sequence[bytes], large: Sequence[bytes], rng: random.Random) -> None:
        self._target = target
        self._seeds = seeds
        self._large = large
        self._rng = rng
        self._kept: list[bytes] = []
        self._outcomes: set[Hashable] = set()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            rng = self._rng
            origin = rng.choice(self._kept if self._kept and rng.random() < 0.5 else self._seeds)
            if rng.random() < LARGE_SHARE:
                origin = rng.choice(self._large) if self._large and rng.random() < 0.5 else self._enlarge(origin)
            yield self._target.mutate(origin, rng, self._target.pieces, self._target.limit)

    def report(self, content: bytes, outcome: Hashable) -> None:
        """Keeps an input of at most `SMALL` bytes for further mutations if its outcome is new."""
        if outcome in self._outcomes or len(content) > SMALL:
            return
        self._outcomes.add(outcome)
        if len(self._kept) < MAX_KEPT:
            self._kept.append(content)
        else:
            self._kept[self._rng.randrange(MAX_KEPT)] = content

    def _enlarge(self, origin: bytes) -> bytes:
        """Repeats a part of an input up to a size of 1 KiB to the limit, small and large ones equally often."""
        size = int(1024 * (self._target.limit / 1024) ** self._rng.random())
        begin = self._rng.randrange(len(origin) + 1)
        end = min(len(origin), begin + self._rng.choice((1, 2, 8, 64, len(origin))))
        part = origin[begin:end] or b"\0"
        return origin[:begin] + part * (size // len(part)) + origin[end:]
