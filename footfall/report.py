"""``footfall report``: visits, crossings or stays in zones over any range of time, from a running suite or a ledger's file."""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from bus import Answer, FootfallError, InvalidSetting, Page, Question, topics
from bus.reports import PARAMETERS
from bus.requests import MAX_PARAMETER
from counter.database import LedgerFile
from counter.pages import Pages
from counter.query import parse_query
from counter.settings import Settings
from footfall.connection import Connection, check_running, operator_connection, parse
from footfall.paths import argument_path
from footfall.report_output import FORMATS, print_table, write
from runtime.settings import load

ASKER = "operator"
ANSWER_TIMEOUT = 60.0
"""Seconds for a page. The first one can take long on a slow device, because it looks up all labels of the range."""


def main(arguments: argparse.Namespace) -> None:
    """Prints or writes the report. Raises `InvalidSetting`, or another `FootfallError` if asking or writing fails."""
    given = vars(arguments)
    parameters = {name: given[name] for name in PARAMETERS if given.get(name) is not None}
    for name, value in parameters.items():
        if len(value) > MAX_PARAMETER or not value.isprintable():
            raise InvalidSetting(f"--{name}: must be text of at most {MAX_PARAMETER} characters")
    outputs = {name: given[name] for name in FORMATS if given[name] is not None}
    if len(outputs) > 1:
        raise InvalidSetting(f"{' and '.join(f'--{one}' for one in outputs)}: only one of them is possible")
    ledger = os.environ.get("LEDGER")
    pages = read_file(argument_path("LEDGER=", ledger), parameters) if ledger else ask_counter(parameters)
    with closing(pages):
        if not outputs:
            print_table(pages, sys.stdout)
        for name, target in outputs.items():
            write(name, target, pages)


def read_file(path: Path, parameters: dict[str, str]) -> Generator[Page, None, None]:
    """Yields the pages of a report from a ledger's file, which it does not change."""
    settings, now = load(Settings), time.time()
    calendar = settings.calendar
    with closing(LedgerFile(path)) as ledger:
        pages = Pages(ledger, calendar)
        yield from _all_pages(parameters, lambda some: pages.page(parse_query(some, calendar, now, settings.opening_hours)))


def ask_counter(parameters: dict[str, str]) -> Generator[Page, None, None]:
    """Yields the pages of a report from the counter of the running suite."""
    with operator_connection() as connection:
        check_running(connection)
        connection.follow(topics.answer(ASKER))
        yield from _all_pages(parameters, lambda some: _ask(connection, some))


def _all_pages(parameters: dict[str, str], read: Callable[[dict[str, str]], Page]) -> Iterator[Page]:
    """Yields the page that `read` returns for the parameters, and those at its cursors."""
    page = read(parameters)
    yield page
    while page.cursor:
        page = read(parameters | {"cursor": page.cursor})
        yield page


def _ask(connection: Connection, parameters: dict[str, str]) -> Page:
    question, end = Question(ASKER, secrets.token_hex(8), query=parameters), time.monotonic() + ANSWER_TIMEOUT
    connection.publish(question.topic, question.pack())
    while (left := end - time.monotonic()) > 0:
        message = connection.take(left)
        answer = parse(Answer, message.topic, message.payload) if message else None
        if answer is None or answer.id != question.id:
            continue
        if answer.page is None:
            raise (InvalidSetting if answer.refused else FootfallError)(answer.problem or "the counter is too old for reports")
        return answer.page
    raise FootfallError(f"the counter did not answer within {ANSWER_TIMEOUT:g} s")
