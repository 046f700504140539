"""The report on scenes with several visitors: what is counted in unseen ones, compared with the truth.

``python -m demo.evaluate_detector [SEED ...]`` prints the tables. With ``--write`` they go into the documentation, with pictures.
"""

import sys
from functools import partial
from pathlib import Path

from demo.cores import on_all_cores
from demo.counted import count, with_perfect_identity
from demo.disturbance import disturbed
from demo.evaluate import parse_arguments, write_report
from demo.gated import gated, share_held
from demo.hall_pictures import draw_situations, draw_timeline
from demo.hall_report import GATE_RATES, PAUSE, RATE, RATES, Boxes, Compared, Gated, SceneResult, bars_table, tables
from demo.hall_result import judge
from demo.recording import Recording, record

FOLDER = Path(__file__).parent
SEEDS = range(9001, 9013)
"""Scenes that were used neither for training nor for tuning."""
MINUTES = 2.0
"""Length of each scene: a day, from dawn to dawn."""


def main() -> int:
    """Prints the report. Returns exit code 0; invalid arguments end the program with exit code 2 and a message."""
    arguments = parse_arguments("demo.evaluate_detector", __doc__ or "", SEEDS, MINUTES)
    scenes = on_all_cores(partial(evaluate_scene, seconds=arguments.minutes * 60), arguments.seeds)
    report = tables(scenes)
    print(report)
    if arguments.write:
        write_report(FOLDER / "README.md", report, "people")
        write_report(FOLDER.parent / "docs" / "figures.md", bars_table(scenes), "people")
        draw_timeline(FOLDER / "crossings.png", scenes)
        draw_situations(FOLDER / "situations.png", arguments.seeds, arguments.minutes * 60)
    return 0


def evaluate_scene(seed: int, seconds: float) -> SceneResult:
    """Counts the visitors of a scene, with the detector at all rates, also with the motion gate, and with disturbed
    true boxes, also with pauses.
    """
    usual, with_pauses = record(seed, seconds), record(seed, seconds, PAUSE, None)
    compared: dict[tuple[Boxes, int], Compared] = {("detector", rate): compare(usual.sampled(rate)) for rate in RATES}
    compared["disturbed", RATE] = compare(disturbed(usual).sampled(RATE))
    compared["disturbed, pauses", RATE] = compare(disturbed(with_pauses).sampled(RATE))
    return SceneResult(seed, seconds, compared, {rate: count_gated(usual.sampled(rate)) for rate in GATE_RATES})


def compare(recording: Recording) -> Compared:
    """Compares with the truth what is counted in a recording, with Footfall's tracks and with perfect identity."""
    return Compared(judge(recording, count(recording)), judge(recording, with_perfect_identity(recording)))


def count_gated(recording: Recording) -> Gated:
    """Compares with the truth what is counted in a recording of which the motion gate holds frames back."""
    held_back = gated(recording)
    return Gated(judge(recording, count(held_back)), share_held(held_back))


if __name__ == "__main__":
    sys.exit(main())
