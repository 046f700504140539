"""A program that writes pictures to its standard output. It is killed when it hangs, and when this process ends."""

import contextlib
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from typing_extensions import Self

from capture.source import SourceLost
from capture.timing import YIELD_INTERVAL

TIMEOUT = 10.0
"""Seconds until the first output, and between two."""
KILL_TIMEOUT = 5.0
"""Seconds until a killed program has ended. One that hangs in a driver ends later."""
CHUNK = 1 << 16
MAX_ERRORS = 8192
"""Bytes at the end of the standard error that are kept."""
_END_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
"""A prefix for Linux, with which the program ends with the thread that started it, even if that is killed."""


class Program:
    """A program that runs while entered. When it ends, `explain` returns the reason in its standard error, or ""."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], explain: Callable[[str], str]) -> None:
        """`name` stands for the source in error messages. `environment` is added to that of this process."""
        self._name = name
        self._command = command
        self._environment = environment
        self._explain = explain
        self._errors = b""

    def __enter__(self) -> Self:
        """Raises `SourceLost` if it cannot be started."""
        try:
            self._process = subprocess.Popen(
                [*_END_WITH_PARENT, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | self._environment,
                bufsize=0,
            )
        except OSError as error:
            raise SourceLost(f"{self._name}: {self._command[0]} cannot be started: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_TIMEOUT)

    def chunks(self) -> Iterator[bytes]:
        """Yields the output as it comes, and b"" once a second meanwhile. Raises `SourceLost` when it ends or is silent."""
        assert self._process.stdout
        assert self._process.stderr
        output, errors = self._process.stdout.fileno(), self._process.stderr.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(errors, select.POLLIN)
        last = time.monotonic()
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(YIELD_INTERVAL * 1000)]
            if errors in ready:
                data = os.read(errors, CHUNK)
                self._errors = (self._errors + data)[-MAX_ERRORS:]
                if not data:
                    poll.unregister(errors)
            if output in ready:
                last = time.monotonic()
                if not (data := os.read(output, CHUNK)):
                    raise SourceLost(f"{self._name}: {self._reason()}")
                yield data
            elif time.monotonic() - last > TIMEOUT:
                raise SourceLost(f"{self._name}: no picture for {TIMEOUT:g} s")
            else:
                yield b""

    def _reason(self) -> str:
        """Returns why the program has ended."""
        assert self._process.stderr
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(KILL_TIMEOUT)
            self._errors += self._process.stderr.read(MAX_ERRORS) or b""
            how = f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"
            return self._explain(self._errors.decode(errors="replace")) or f"{self._command[0]} {how}"
        return f"{self._command[0]} does not end"


def check_program(name: str, program: str, package: str) -> None:
    """Raises `SourceLost` if a program is not installed. The text names the source, the program and its package."""
    if shutil.which(program) is None:
        raise SourceLost(f"{name}: {program} is missing; install the package {package}")
