"""The demo's report: visits that are counted in unseen scenes, compared with the truth.

``python -m demo.evaluate [SEED ...]`` prints the tables. With ``--write`` they and the pictures go into the demo's README too.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from demo.cores import on_all_cores
from demo.figure import LABELS
from demo.light import LIGHTS
from demo.pictures import draw_report, draw_scenes
from demo.pipeline import NOBODY, SceneResult, run_scene
from demo.score import Score, score

FOLDER = Path(__file__).parent
SEEDS = range(1, 13)
"""Scenes that were used neither for training nor for tuning."""
MINUTES = 5.0
"""Length of each scene."""
WEAKEST_ROWS = 6
"""Rows in the table of the weakest traits; each trait has at least `MIN_FRAMES` frames."""
MIN_FRAMES = 100
VERDICT_COLUMNS = ("found", "wrong label", "missed", "split", "invented")


def main() -> int:
    """Prints the report. Returns exit code 0; invalid arguments end the program with exit code 2 and a message."""
    arguments = parse_arguments("demo.evaluate", __doc__ or "", SEEDS, MINUTES)
    scenes = on_all_cores(partial(run_scene, seconds=arguments.minutes * 60), arguments.seeds)
    report = tables(scenes)
    print(report)
    if arguments.write:
        write_report(FOLDER / "README.md", report)
        draw_report(FOLDER / "report.png", scenes)
        draw_scenes(FOLDER / "scenes.png", arguments.seeds[:3])
    return 0


def parse_arguments(program: str, description: str, seeds: range, minutes: float) -> argparse.Namespace:
    """Returns seeds, minutes of each scene, and whether to write. Invalid ones end the program."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description.partition("\n\n")[0])
    parser.add_argument("seeds", type=int, nargs="*", default=list(seeds), help=f"seeds of scenes [{seeds[0]} to {seeds[-1]}]")
    parser.add_argument("--minutes", type=float, default=minutes, help=f"length of each scene [{minutes:g}]")
    parser.add_argument("--write", action="store_true", help="update the tables and pictures of the documentation")
    arguments = parser.parse_args()
    if min(arguments.seeds) < 0 or not 0 < arguments.minutes <= 1440:
        parser.error("seeds must be 0 or above, and the minutes above 0 and at most 1440")
    return arguments


def tables(scenes: Sequence[SceneResult]) -> str:
    """Returns the report as Markdown."""
    minutes = sum(scene.seconds for scene in scenes) / 60
    seeds = ", ".join(str(scene.seed) for scene in scenes)
    about = f"{minutes:.0f} minutes of scenes (seeds {seeds})."
    return "\n\n".join([about, _frames_table(scenes), _frames_by_light(scenes), _weakest(scenes), _visits_table(scenes)])


def write_report(path: Path, report: str, name: str = "report") -> None:
    """Replaces the report of a name in a Markdown file. Raises `ValueError` unless the file has exactly one place for it."""
    text = path.read_text("utf-8")
    between = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    marked, number = re.subn(between, lambda mark: f"{mark[1]}{report}\n{mark[2]}", text, flags=re.DOTALL)
    if number != 1:
        raise ValueError(f"{path}: <!-- {name} --> and <!-- /{name} --> found {number} times; exactly one is needed")
    path.write_text(marked, "utf-8")


def _frames_table(scenes: Sequence[SceneResult]) -> str:
    found = Counter((frame.truth, frame.label) for scene in scenes for frame in scene.frames)
    labels = (*LABELS, NOBODY)
    head = ["| frames | " + " | ".join(f"labelled {label}" for label in labels) + " | correct |", "|---|" + "---:|" * 4]
    rows = []
    for truth in labels:
        numbers = [found[truth, label] for label in labels]
        name = truth if truth == NOBODY else f"{truth}, in full view"
        rows.append(f"| {name} | " + " | ".join(map(str, numbers)) + f" | {_percent(found[truth, truth], sum(numbers))} |")
    return "\n".join(head + rows)


def _frames_by_light(scenes: Sequence[SceneResult]) -> str:
    frames = [frame for scene in scenes for frame in scene.frames]
    groups = {
        "somebody in full view": [frame for frame in frames if frame.truth != NOBODY],
        "nobody": [frame for frame in frames if frame.truth == NOBODY],
    }
    head = ["| frames labelled correctly | " + " | ".join(LIGHTS) + " | all |", "|---|" + "---:|" * 5]
    rows = []
    for name, group in groups.items():
        cells = []
        for light in (*LIGHTS, None):
            correct = [frame.label == frame.truth for frame in group if light in (frame.light, None)]
            cells.append(_percent(sum(correct), len(correct)))
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(head + rows)


def _weakest(scenes: Sequence[SceneResult]) -> str:
    """Returns the table of the traits with the highest shares of wrong labels."""
    correct: dict[str, list[bool]] = {}
    for frame in (frame for scene in scenes for frame in scene.frames):
        for trait in frame.traits:
            correct.setdefault(trait, []).append(frame.label == frame.truth)
    enough = {trait: verdicts for trait, verdicts in correct.items() if len(verdicts) >= MIN_FRAMES}
    ranked = sorted(enough.items(), key=lambda item: sum(item[1]) / len(item[1]))[:WEAKEST_ROWS]
    rows = [f"| {trait} | {len(verdicts)} | {_percent(sum(verdicts), len(verdicts))} |" for trait, verdicts in ranked]
    return "\n".join(["| weakest traits, in full view | frames | correct |", "|---|---:|---:|", *rows])


def _visits_table(scenes: Sequence[SceneResult]) -> str:
    """Returns the verdicts by the light halfway through a visit. Invented visits have no truth, and so no light."""
    by_light: dict[str, Counter[str]] = {light: Counter() for light in LIGHTS}
    counted = Counter[str]()
    for scene in scenes:
        scored = score_scene(scene)
        for visitor, verdict, split in zip(scene.visitors, scored.verdicts, scored.split, strict=True):
            by_light[visitor.light].update(["visits", verdict, *(["split"] if split else [])])
        counted.update(invented=len(scored.invented), visits_counted=len(scene.visits))
    whole = sum(by_light.values(), Counter())
    with_gate = Counter[str]()
    for scene in scenes:
        with_gate += score_scene(scene._replace(visits=scene.gated_visits)).counts()
    head = ["| light | true visits | " + " | ".join(VERDICT_COLUMNS) + " |", "|---|" + "---:|" * 6]
    rows = [_visits_row(light, numbers, ("", "")) for light, numbers in by_light.items()]
    invented = (str(counted["invented"]), _percent(counted["invented"], counted["visits_counted"]))
    rows += [_visits_row("all", whole, invented)]
    held = sum(scene.share_held for scene in scenes) / max(1, len(scenes))
    with_gate["visits"] = whole["visits"]
    name = f"all, with the motion gate, which holds {100 * held:.0f} % of the frames back"
    rows += [_visits_row(name, with_gate, (str(with_gate["invented"]), ""))]
    shares = [_percent(whole[column], whole["visits"]) for column in VERDICT_COLUMNS[:-1]]
    rows.append("| share | | " + " | ".join([*shares, invented[1]]) + " |")
    return "\n".join(head + rows)


def score_scene(result: SceneResult) -> Score:
    """Returns the score of a scene's counted visits."""
    return score([visitor.span for visitor in result.visitors], result.visits)


def _visits_row(name: str, numbers: Counter[str], invented: tuple[str, str]) -> str:
    cells = [numbers["visits"], *(numbers[column] for column in VERDICT_COLUMNS[:-1]), invented[0]]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


if __name__ == "__main__":
    sys.exit(main())
