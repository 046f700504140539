"""The time from the start of `make run` with the demo to its first prediction."""

import statistics

from benchmarks.suite import running_suite


def measure(rounds: int) -> list[float]:
    """Returns the seconds of each start. The first one may read the programs from the disk."""
    found = []
    for _ in range(rounds):
        with running_suite() as suite:
            found.append(suite.start_seconds)
    return found


def report(rounds: int) -> None:
    """Prints the seconds of each start, and their median."""
    found = measure(rounds)
    print(f"seconds to the first prediction: {', '.join(f'{one:.2f}' for one in found)}; median {statistics.median(found):.2f}")
