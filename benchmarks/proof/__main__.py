"""Measures all bars but those that take hours, and prints their table: make proof NAMES=counting

With words, only the bars of areas with these names, and bars with one of the words in their name. Bars that tests assert
are seen by running these tests. Bars whose measurement takes long are read from the page into which their command writes.
"""

import argparse
import time

from benchmarks.proof.bar import MISSED, NOT_RUN, Bar
from benchmarks.proof.bars import AREAS
from benchmarks.proof.evidence import see
from benchmarks.proof.table import line, table, write


def choose(words: list[str]) -> list[Bar]:
    """Returns the bars of areas with these names, or with one of the words in their name; all without words."""
    return [
        bar
        for area, bars in AREAS.items()
        for bar in bars
        if not words or any(word.lower() == area.lower() or word.lower() in bar.name.lower() for word in words)
    ]


def main() -> None:
    """Sees the chosen bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", metavar="WORD", nargs="*")
    parser.add_argument("--write", action="store_true", help="update docs/figures.md")
    arguments = parser.parse_args()
    bars, begin = choose(arguments.words), time.monotonic()
    if not bars:
        parser.error(f"no such bar; areas are {', '.join(AREAS)}")
    seen = list(see(bars))
    lines = {bar.name: line(bar, outcome) for bar, outcome in seen}
    print(table(lines))
    verdicts = [outcome.verdict for _, outcome in seen]
    minutes = (time.monotonic() - begin) / 60
    print(f"{len(seen)} bars, {verdicts.count(MISSED)} missed, {verdicts.count(NOT_RUN)} not run, in {minutes:.1f} minutes")
    if arguments.write:
        write(lines)


if __name__ == "__main__":
    main()
