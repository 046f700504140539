"""Causes one fault after the other in a running suite, and prints what was measured: make faults

``python -m tests.faults [--short] [--write] [NAME ...]`` causes the faults with these names, or all. ``--write`` writes
their rows into the table of docs/reliability.md. The exit code is 1 if something that must hold did not.
"""

import argparse
import importlib
import logging
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.faults import causes, table
from tests.faults.fault import Fault, Outcome
from tests.faults.run import run

AT_ONCE = 3
"""Faults that last long run at the same time, before the others: this many."""


def find_faults() -> list[Fault]:
    """Returns all faults, by kind in the order of the kinds' names."""
    modules = [importlib.import_module(f"{causes.__name__}.{one.name}") for one in pkgutil.iter_modules(causes.__path__)]
    return [fault for module in modules for fault in module.FAULTS]


def run_all(faults: Sequence[Fault]) -> Iterator[Outcome]:
    """Yields what was measured: first of the faults that last long, of which several run at once, then of the others."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(run, [one for one in faults if one.is_long])
    yield from map(run, [one for one in faults if not one.is_long])


def report(outcomes: Iterable[Outcome], faults: Sequence[Fault]) -> list[Outcome]:
    """Prints each outcome at once. Returns all in the order of the faults."""
    done = []
    for outcome in outcomes:
        done.append(outcome)
        print(" | ".join(filter(None, table.row(outcome))), flush=True)
    return sorted(done, key=lambda one: faults.index(one.fault))


def main() -> int:
    """Runs the chosen faults. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="only the faults that make test causes")
    parser.add_argument("--write", action="store_true", help="write their rows into docs/reliability.md")
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of names of faults [all]")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    faults = [one for one in find_faults() if one.is_short or not arguments.short]
    if arguments.names:
        faults = [one for one in faults if any(name in one.name for name in arguments.names)]
    if not faults:
        parser.error(f"no such fault; there are: {', '.join(one.name for one in find_faults())}")
    outcomes = report(run_all(faults), faults)
    if arguments.write:
        table.write(outcomes, [one.name for one in find_faults()])
    return 0 if all(one.is_met for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
