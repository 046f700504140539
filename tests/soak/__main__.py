"""Soaks the whole suite in a day's worth of frames: ``python -m tests.soak``, about 20 minutes.

Half of the frames come while programs are killed. In the other half, memory, descriptors and threads must stay flat. At the end,
the ledger must have exactly the visits that were shown. Ends with exit code 1 if anything else was found.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from demo.evaluate import write_report
from tests.soak.soak import Soak
from tests.soak.table import table
from tests.support.broker import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def main() -> int:
    """Runs the soak and prints its table. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0, help="time of all cameras together [24]")
    parser.add_argument("--cameras", type=int, default=4, help="cameras among which it is divided [4]")
    parser.add_argument("--seed", type=int, default=1, help="of scene, visits and kills [1]")
    parser.add_argument(
        "--keep", type=Path, help="new folder for logs, ledger and outbox; otherwise they stay only if something is wrong"
    )
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    if not 0 < arguments.hours <= 24 * arguments.cameras <= 24 * 32 or arguments.seed < 0:
        parser.error("1 to 32 cameras, with 24 hours each at most; the seed must be 0 or above")
    if arguments.keep and arguments.keep.exists():
        parser.error(f"--keep {arguments.keep}: must be a new folder")
    if arguments.keep:
        arguments.keep.mkdir(parents=True)
    folder: Path = arguments.keep or Path(tempfile.mkdtemp(prefix="footfall-soak-"))
    _report(f"logs, ledger and outbox are in {folder}")
    outcome = Soak(folder.resolve(), arguments.hours, arguments.cameras, arguments.seed, _report).run()
    text = table(outcome, arguments.hours)
    print(text)
    if arguments.write:
        write_report(PAGE, text, "soak")
    for problem in outcome.all_problems():
        print(f"soak: {problem}", file=sys.stderr)
    if outcome.all_problems():
        return 1
    if not arguments.keep:
        shutil.rmtree(folder)
    return 0


def _report(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
