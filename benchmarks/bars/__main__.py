"""Prints the table of performance: make bench, make bench BASE=commit, make bench PARTS="still paused"

The frames of the first groups are made of `--pictures`, for `--model`; by default those of the demo. It takes ten minutes, on a
machine that does nothing else; with `--base` twice as long.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.bars.bar import Inputs
from benchmarks.bars.report import report
from benchmarks.frames import write_stills
from demo.about import DETECTOR


def main() -> None:
    """Measures the chosen groups."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bars", description=__doc__)
    parser.add_argument("--model", type=Path, default=os.environ.get("MODEL") or DETECTOR)
    parser.add_argument("--pictures", type=Path, default=os.environ.get("PICTURES") or None)
    parser.add_argument("--base", default="", metavar="COMMIT", help="measure this commit, too, in turn")
    parser.add_argument("--write", action="store_true", help="write docs/figures.md, if all groups are measured")
    parser.add_argument("parts", nargs="*", metavar="PART", help="groups of figures [all]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures = arguments.pictures or write_stills(Path(folder) / "stills")
        try:
            report(Inputs(arguments.model, pictures), arguments.parts, arguments.base, arguments.write)
        except ValueError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
