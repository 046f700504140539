"""How well the demo counts: unseen scenes through the real preprocessing, model and visit rules, against the truth.

Prints the tables, and writes them and their picture into the demo's README: ``python -m demo.evaluate [SEED ...]``.
"""

import argparse
import multiprocessing
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from demo.chain import NOBODY, Watched, watch
from demo.figure import LABELS
from demo.light import LIGHTS
from demo.pictures import draw_report, draw_scenes
from demo.score import Score, score

FOLDER = Path(__file__).parent
SEEDS = range(1, 13)
"""Scenes that neither training nor tuning has seen."""
MINUTES = 5.0
"""Of each."""
WEAKEST = 6
"""Rows of the table of weak spots, each of at least `MIN_FRAMES` frames."""
MIN_FRAMES = 100
COLUMNS = ("found", "wrong label", "missed", "split", "invented")


def main() -> int:
    """Exit code 0, or 2 with a line about what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m demo.evaluate", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("seeds", type=int, nargs="*", default=list(SEEDS), help=f"scenes to watch [{SEEDS[0]} to {SEEDS[-1]}]")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"of each scene [{MINUTES:g}]")
    parser.add_argument("--write", action="store_true", help="write tables and picture into the demo's README")
    wanted = parser.parse_args()
    if min(wanted.seeds) < 0 or not 0 < wanted.minutes <= 1440:
        parser.error("a seed is 0 or above, and the minutes are above 0 and at most a day's")
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        watched = list(pool.map(partial(watch, seconds=wanted.minutes * 60), wanted.seeds))
    report = tables(watched)
    print(report)
    if wanted.write:
        write_report(FOLDER / "README.md", report)
        draw_report(FOLDER / "report.png", watched)
        draw_scenes(FOLDER / "scenes.png", wanted.seeds[:3])
    return 0


def tables(watched: Sequence[Watched]) -> str:
    """The report as Markdown."""
    minutes = sum(one.seconds for one in watched) / 60
    seeds = ", ".join(str(one.seed) for one in watched)
    about = f"{minutes:.0f} minutes of scenes (seeds {seeds})."
    return "\n\n".join([about, _frames_table(watched), _frames_by_light(watched), _weakest(watched), _visits_table(watched)])


def write_report(path: Path, report: str) -> None:
    """Puts the report between the marks in a Markdown file. Raises `ValueError` where there are none."""
    text = path.read_text("utf-8")
    between = r"(<!-- report -->\n).*?(<!-- /report -->)"
    marked, number = re.subn(between, lambda mark: f"{mark[1]}{report}\n{mark[2]}", text, flags=re.DOTALL)
    if number != 1:
        raise ValueError(f"{path}: {number} places between <!-- report --> and <!-- /report -->; one is needed")
    path.write_text(marked, "utf-8")


def _frames_table(watched: Sequence[Watched]) -> str:
    found = Counter((frame.truth, frame.label) for one in watched for frame in one.frames)
    labels = (*LABELS, NOBODY)
    head = ["| frames | " + " | ".join(f"said {label}" for label in labels) + " | right |", "|---|" + "---:|" * 4]
    rows = []
    for truth in labels:
        numbers = [found[truth, label] for label in labels]
        name = truth if truth == NOBODY else f"{truth}, in full view"
        rows.append(f"| {name} | " + " | ".join(map(str, numbers)) + f" | {_share(found[truth, truth], sum(numbers))} |")
    return "\n".join(head + rows)


def _frames_by_light(watched: Sequence[Watched]) -> str:
    frames = [frame for one in watched for frame in one.frames]
    groups = {
        "somebody in full view": [frame for frame in frames if frame.truth != NOBODY],
        "nobody": [frame for frame in frames if frame.truth == NOBODY],
    }
    head = ["| frames right | " + " | ".join(LIGHTS) + " | all |", "|---|" + "---:|" * 5]
    rows = []
    for name, group in groups.items():
        cells = []
        for light in (*LIGHTS, None):
            right = [one.label == one.truth for one in group if light in (one.light, None)]
            cells.append(_share(sum(right), len(right)))
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(head + rows)


def _weakest(watched: Sequence[Watched]) -> str:
    """The traits of visitors with most wrong frames."""
    right: dict[str, list[bool]] = {}
    for frame in (frame for one in watched for frame in one.frames):
        for trait in frame.traits:
            right.setdefault(trait, []).append(frame.label == frame.truth)
    enough = {trait: verdicts for trait, verdicts in right.items() if len(verdicts) >= MIN_FRAMES}
    ranked = sorted(enough.items(), key=lambda item: sum(item[1]) / len(item[1]))[:WEAKEST]
    rows = [f"| {trait} | {len(verdicts)} | {_share(sum(verdicts), len(verdicts))} |" for trait, verdicts in ranked]
    return "\n".join(["| weakest, in full view | frames | right |", "|---|---:|---:|", *rows])


def _visits_table(watched: Sequence[Watched]) -> str:
    """By the light in a visit's middle; an invented one has no truth, and so no light."""
    by_light: dict[str, Counter[str]] = {light: Counter() for light in LIGHTS}
    counted = Counter[str]()
    for one in watched:
        result = score_of(one)
        for visitor, verdict, split in zip(one.visitors, result.verdicts, result.split, strict=True):
            by_light[visitor.light].update(["visits", verdict, *(["split"] if split else [])])
        counted.update(invented=len(result.invented), visits_counted=len(one.visits))
    whole = sum(by_light.values(), Counter())
    head = ["| visits | there were | " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * 6]
    rows = [_row(light, numbers, ("", "")) for light, numbers in by_light.items()]
    invented = (str(counted["invented"]), _share(counted["invented"], counted["visits_counted"]))
    rows += [_row("all", whole, invented)]
    shares = [_share(whole[column], whole["visits"]) for column in COLUMNS[:-1]]
    rows.append("| share | | " + " | ".join([*shares, invented[1]]) + " |")
    return "\n".join(head + rows)


def score_of(watched: Watched) -> Score:
    """The visits of one scene against its truth."""
    return score([visitor.span for visitor in watched.visitors], watched.visits)


def _row(name: str, numbers: Counter[str], invented: tuple[str, str]) -> str:
    cells = [numbers["visits"], *(numbers[column] for column in COLUMNS[:-1]), invented[0]]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


if __name__ == "__main__":
    sys.exit(main())
