"""What is fuzzed: a parser of bytes from outside, with examples of its input and the limits that it must keep."""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from runtime.errors import FootfallError
from tests.support.mutation import PIECES, mutate

Parse = Callable[[bytes], object]
"""Parses one input. It returns if the input is accepted, and raises one of the target's errors if it is refused."""
Mutate = Callable[[bytes, random.Random, Sequence[bytes], int], bytes]
"""Returns a damaged input, from another one, with random numbers, words and the maximum size; see `mutate`."""
FULL_RUN = 1_000_000
"""Inputs of a full run for one parser. Its targets share them, if it has several."""
SMALL = 64 * 1024
"""Bytes; the worst time of inputs up to this size is measured apart."""


@dataclass(frozen=True)
class Target:
    """A parser. Its module in tests/fuzz/targets lists it in `TARGETS`.

    Anything but a return or one of `errors` is a finding: also a traceback in the log, an error in a thread, a line on standard
    output or standard error, and a message of an error that is not one printable line.
    """

    name: str
    """Small letters, digits and dots, such as `message.frame`."""
    seeds: Callable[[], Sequence[bytes]]
    """Returns valid and invalid inputs to begin with, small ones."""
    opened: Callable[[], AbstractContextManager[Parse]]
    """Sets up, and gives the function that is called with each input. See `plain`."""
    large: Callable[[], Sequence[bytes]] = tuple
    """Returns large inputs, which are tried as they are, and mutated rarely."""
    inputs: int = FULL_RUN
    """Number of inputs of a full run."""
    pieces: Sequence[bytes] = PIECES
    """What mutations insert."""
    mutate: Mutate = mutate
    """Makes an input from another one."""
    limit: int = 4 << 20
    """Maximum size of an input in bytes."""
    errors: tuple[type[Exception], ...] = (FootfallError,)
    """The errors that refuse an input."""
    seconds: float = 2.0
    """Maximum CPU time for one input, of this process and of children that have ended."""
    small_seconds: float = 2.0
    """The same for inputs of at most `SMALL` bytes."""
    memory: int = 110_000_000
    """Maximum growth of memory in bytes during one input."""


def plain(parse: Parse) -> Callable[[], AbstractContextManager[Parse]]:
    """Returns the `opened` of a target without a set-up."""
    return lambda: nullcontext(parse)
