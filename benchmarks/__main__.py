"""Runs the benchmarks and prints the figures in the documentation: make bench MODEL=export PICTURES=folder

The parts loads and pipeline send more frames through a Mosquitto than the classifier can process. They print its predictions a
second as a share of the bare model's in the same run. The part count compares footfall count with a bare loop. Other parts:
results, reports, writes, dashboard, memory, masks, capture, metrics, still, syncs, idle, frame-cost, start; with a folder of
people also people and two-stages. Defaults: the demo's model, pictures and clip.
"""

import argparse
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    capture,
    counting,
    dashboard,
    frame_cost,
    idle,
    masks,
    memory,
    metrics,
    people,
    pipeline,
    reports,
    results,
    start,
    still,
    syncs,
    two_stages,
    writes,
)
from benchmarks.frames import write_stills
from demo.about import CLIP, MODEL


def main() -> None:
    """Runs the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=os.environ.get("MODEL") or MODEL)
    parser.add_argument("--pictures", type=Path, default=os.environ.get("PICTURES") or None)
    parser.add_argument("--clip", type=Path, default=os.environ.get("VIDEO_PATH") or CLIP)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each measurement of the pipeline [60]")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the pipeline and the dashboard [3]")
    parser.add_argument("--minutes", type=int, default=10, help="minutes of the page in Chromium [10]")
    parser.add_argument(
        "--people", type=Path, default=os.environ.get("PEOPLE") or None, help="folder for people, two-stages and memory"
    )
    parser.add_argument("parts", nargs="*", help="parts named above [all]")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        pictures = arguments.pictures or write_stills(Path(folder) / "stills")
        photos = arguments.people and arguments.people / "photos"
        parts: dict[str, Callable[[], None]] = {
            "loads": lambda: pipeline.report_loads(arguments.model, pictures, arguments.seconds / 3),
            "pipeline": lambda: pipeline.report_pipeline(arguments.model, pictures, arguments.seconds, arguments.rounds),
            "count": lambda: counting.report(arguments.model, arguments.clip, arguments.rounds),
            "results": results.report,
            "reports": reports.report,
            "writes": lambda: writes.report(arguments.seconds),
            "dashboard": lambda: dashboard.report(arguments.minutes, arguments.rounds),
            "memory": lambda: memory.report(arguments.seconds, arguments.people),
            "masks": masks.report,
            "capture": lambda: capture.report(photos or pictures, arguments.clip, arguments.seconds / 3, arguments.rounds),
            "metrics": lambda: metrics.report(arguments.seconds),
            "still": lambda: still.report(arguments.seconds),
            "syncs": lambda: syncs.report(arguments.seconds),
            "idle": lambda: idle.report(arguments.seconds),
            "frame-cost": lambda: frame_cost.report(arguments.model, pictures, arguments.seconds),
            "start": lambda: start.report(arguments.rounds),
        }
        if arguments.people:
            parts["people"] = lambda: people.report(arguments.people)
            parts["two-stages"] = lambda: two_stages.report(arguments.people)
        if unknown := set(arguments.parts) - set(parts):
            parser.error(f"unknown parts: {', '.join(sorted(unknown))}; allowed are {', '.join(parts)}")
        for name, report in parts.items():
            if not arguments.parts or name in arguments.parts:
                print(f"--- {name}", flush=True)
                report()


if __name__ == "__main__":
    main()
