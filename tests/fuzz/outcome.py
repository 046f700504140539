"""What an input leads to: it is accepted or refused, or there is an error that nobody expects."""

import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import NamedTuple

from runtime.logs import EdgeFormatter
from tests.fuzz.target import Parse, Target

MAX_MESSAGE = 1000
"""Characters of the message of an error."""
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|[\d.]+|[^\x20-\x7e]")


class Outcome(NamedTuple):
    """The outcome of an input."""

    is_accepted: bool
    signature: Hashable
    """Equal for outcomes of the same kind."""
    problem: str = ""
    """The traceback of an uncaught error, or what else is wrong; empty if there is nothing."""


class Observer(logging.Handler):
    """Calls a parser, and sees errors that it does not raise: tracebacks in the log and of threads, and lines on the console."""

    def __init__(self, target: Target) -> None:
        """Standard error must be a file."""
        super().__init__()
        self._errors = target.errors
        self._problems: list[str] = []
        self._printed = os.fstat(2).st_size
        self.setFormatter(EdgeFormatter())
        logging.basicConfig(level=logging.INFO, handlers=[self], force=True)
        threading.excepthook = lambda args: self._add(args.exc_type, args.exc_value, args.exc_traceback)
        sys.unraisablehook = lambda args: self._add(args.exc_type, args.exc_value, args.exc_traceback)

    def emit(self, record: logging.LogRecord) -> None:
        """Formats each record as programs do. One with a traceback is a problem."""
        text = self.format(record)
        if record.exc_info:
            self._problems.append(text)

    def call(self, parse: Parse, content: bytes, after: Callable[[], object] = str) -> Outcome:
        """Parses an input, calls `after` at once, and returns the outcome.

        No variable keeps the error. Python's garbage collector does not see the errors inside those of Pydantic, so an error that
        a frame of its own traceback refers to is never freed.
        """
        try:
            parse(content)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # anything is possible, and a finding
            after()
            return self._judge(error)
        after()
        return self._judge(None)

    def _judge(self, error: BaseException | None) -> Outcome:
        """Returns the outcome of a call."""
        if (printed := os.fstat(2).st_size) != self._printed:
            self._printed = printed
            self._problems.append("it writes to the console")
        is_expected = error is None or isinstance(error, self._errors)
        if error is not None and (not is_expected or (problem := _message_problem(str(error)))):
            trace = "".join(traceback.format_exception(error))
            self._problems.append(trace if not is_expected else f"{problem}\n{trace}")
        if self._problems:
            problem = "\n".join(self._problems)
            self._problems.clear()
            return Outcome(False, (type(error), _origin(error), _VALUES.sub("", problem)[:40]), problem)
        return Outcome(error is None, error and (type(error), _origin(error), _VALUES.sub("", str(error))[:100]))

    def _add(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        self._problems.append("".join(traceback.format_exception(kind, error, trace)))


def _message_problem(text: str) -> str:
    """Returns what is wrong with the message of an error, if it is not one line that can be logged and sent."""
    if len(text) > MAX_MESSAGE:
        return f"the error's message has {len(text)} characters"
    return "" if text.isprintable() else "the error's message is not one printable line"


def _origin(error: BaseException | None) -> Hashable:
    """Returns where an error was raised."""
    if error is None or (trace := error.__traceback__) is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno
