"""Measures everything and prints the figures in the documentation: make bench MODEL=export PICTURES=folder

Parts: loads and pipeline (more frames than the classifier can take come through a Mosquitto; its predictions a second are given
as a share of those of the bare model in the same run), results, dashboard, memory. Without MODEL and PICTURES, the demo's are
used.
"""

import argparse
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import dashboard, memory, pipeline, results
from benchmarks.frames import write_stills
from demo.about import MODEL


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=os.environ.get("MODEL") or MODEL)
    parser.add_argument("--pictures", type=Path, default=os.environ.get("PICTURES") or None)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each measurement of the pipeline [60]")
    parser.add_argument("--rounds", type=int, default=3, help="of the pipeline and the dashboard [3]")
    parser.add_argument("--minutes", type=int, default=10, help="of the page in Chromium [10]")
    parser.add_argument("parts", nargs="*", help="some of loads, pipeline, results, dashboard, memory [all]")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        pictures = arguments.pictures or write_stills(Path(folder) / "stills")
        parts: dict[str, Callable[[], None]] = {
            "loads": lambda: pipeline.report_loads(arguments.model, pictures, arguments.seconds / 3),
            "pipeline": lambda: pipeline.report_pipeline(arguments.model, pictures, arguments.seconds, arguments.rounds),
            "results": results.report,
            "dashboard": lambda: dashboard.report(arguments.minutes, arguments.rounds),
            "memory": lambda: memory.report(arguments.seconds),
        }
        if unknown := set(arguments.parts) - set(parts):
            parser.error(f"there is no {' and no '.join(sorted(unknown))}; there are {', '.join(parts)}")
        for name, report in parts.items():
            if not arguments.parts or name in arguments.parts:
                print(f"--- {name}", flush=True)
                report()


if __name__ == "__main__":
    main()
