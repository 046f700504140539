"""Fuzzes the parsers of everything that comes from outside: python -m tests.fuzz [--inputs N | --seconds N] [TARGET ...]

Prints a table of the targets, and the findings with the command that repeats each. The exit code is 1 if there are any.
"""

import argparse
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime.logs import one_line
from tests.fuzz import table, targets
from tests.fuzz.child import Result
from tests.fuzz.findings import target_of
from tests.fuzz.run import Options, fuzz

MAX_LINES = 12
"""Lines at the end of a traceback that are shown."""
HEADER = """\
| Target | Inputs | Accepted | Refused | Uncaught | Worst time | Worst time, 64 KiB | Worst memory | Inputs per CPU second |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


def main() -> int:
    """Fuzzes the chosen targets, or repeats a finding. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--inputs", type=int, help="inputs of each target [1,000,000; models 10,000]")
    amount.add_argument("--seconds", type=float, help="seconds of CPU time of each job, evenly among its targets")
    parser.add_argument("--jobs", type=int, default=2, help="targets at once [2]")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="any text; the same seed gives the same inputs [random]")
    parser.add_argument("--write", action="store_true", help="write the table of docs/reliability.md")
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="try the input of a finding again")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all whose names begin so [all]")
    arguments = parser.parse_args()
    modules = targets.find_modules()
    if arguments.repeat:
        arguments.targets = [target_of(arguments.repeat)]
    chosen = [name for name in modules if not arguments.targets or name.startswith(tuple(arguments.targets))]
    if not chosen:
        parser.error(f"no such target; there are {', '.join(modules)}")
    only = arguments.repeat.read_bytes() if arguments.repeat else None
    seconds = arguments.seconds and arguments.seconds * min(arguments.jobs, len(chosen)) / len(chosen)
    options = Options(arguments.seed, arguments.inputs, seconds)
    print(f"seed {arguments.seed}\n\n{HEADER}", flush=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = dict(zip(chosen, pool.map(lambda name: _report(modules[name], name, options, only), chosen), strict=True))
    for name, result in results.items():
        for finding in result.findings:
            detail = "\n".join(f"{one_line(line):.200}" for line in finding.detail.splitlines()[-MAX_LINES:])
            print(f"\n{name}: {finding.kind}: {detail}\n  {sys.executable} -m tests.fuzz --repeat {finding.path}")
    if arguments.write:
        table.write(results, modules)
    return 1 if any(result.findings for result in results.values()) else 0


def _report(module: str, name: str, options: Options, only: bytes | None) -> Result:
    """Fuzzes a target and prints its row."""
    result = fuzz(module, name, options, only)
    refused = result.inputs - result.accepted - result.uncaught
    counts = " | ".join(f"{one:,}" for one in (result.inputs, result.accepted, refused, result.uncaught))
    times = f"{result.seconds * 1000:.1f} ms | {result.small_seconds * 1000:.1f} ms"
    print(f"| {name} | {counts} | {times} | {result.memory / 1e6:.1f} MB | {result.rate:,.0f} |", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
