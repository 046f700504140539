"""Parsers with a fault each, to show that it is found."""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable

from runtime.errors import FootfallError
from tests.fuzz.target import Parse, Target, plain


def _raise(error: BaseException) -> None:
    raise error


def _fail_in_thread() -> None:
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()


def _work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


FAULTS: dict[str, Callable[[], object]] = {
    "error": lambda: _raise(KeyError("missing")),
    "lines": lambda: _raise(FootfallError("two\nlines")),
    "thread": _fail_in_thread,
    "console": lambda: os.write(2, b"an oddity"),
    "exit": lambda: sys.exit(0),
    "gone": lambda: os._exit(0),
    "exhausted": lambda: bytearray(8 << 30),
    "slow": lambda: _work(0.1),
    "memory": lambda: bytearray(30_000_000),
    "hang": lambda: time.sleep(3600),
    "crash": lambda: ctypes.string_at(0),
}


def _parser(fault: Callable[[], object]) -> Parse:
    """Returns a parser that accepts inputs with an exclamation mark, and has the fault for those with a question mark."""

    def parse(content: bytes) -> None:
        if b"?" in content:
            fault()
        elif b"!" not in content:
            raise FootfallError("no mark")

    return parse


TARGETS = [
    Target(name, lambda: [b"a seed!"], plain(_parser(fault)), pieces=[b"?", b" "], small_seconds=0.05, memory=20_000_000)
    for name, fault in FAULTS.items()
]
