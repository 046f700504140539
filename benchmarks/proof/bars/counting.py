"""Bars of counting."""

from functools import partial

from benchmarks.proof.bar import Bar, Limit, Printed, Quoted, asserted_by, at_least, at_most
from benchmarks.proof.read import apart, cell, number

FIGURES, REPORT = "docs/figures.md", "demo/README.md"
TRACKS = "benchmarks.tracking --data {tracks}"
THREE = "face-demographics-walking-and-pause.gif"
CLIPS = f"benchmarks.tracking.clips --model {{people}}/models/ssd-person {{people}}/clips/{THREE}"
RATES = (10, 5, 2)


def _people(name: str, limit: Limit) -> Bar:
    return Bar(f"drawn hall, {name}", limit, Quoted(FIGURES, "people", cell(name, 0), "make evaluate"))


def _one_visitor(name: str, limit: Limit, row: str, column: int) -> Bar:
    return Bar(f"drawn shop, {name}", limit, Quoted(REPORT, "report", cell(row, column), "make evaluate DEMO=classifier"))


def _gate(name: str, columns: tuple[int, ...]) -> Bar:
    rows = [(f"{rate}, with the gate", f"{rate}, without the gate") for rate in RATES]
    read = apart(rows, columns)
    return Bar(
        f"drawn hall, {name} with the motion gate, difference", at_most(0), Quoted(REPORT, "people", read, "make evaluate")
    )


def _real(name: str, limit: Limit, rate: int, column: int) -> Bar:
    return Bar(f"real people, {name}, {rate} frames a second", limit, Printed(TRACKS, cell(f"{rate} Footfall", column)))


def _error_of_three(text: str) -> float:
    counts = [number(one) for line in text.splitlines() if line.startswith(THREE) for one in line.split()[2:]]
    return max(abs(one - 3) for one in counts)


_found, _invented, _idf1 = (partial(_real, name) for name in ("crossings found", "crossings invented", "IDF1"))

BARS = (
    _people("true boxes: crossings found, of those found with perfect identity", at_least(95, "%")),
    _people("true boxes: crossings invented", at_most(2, "%")),
    _people("true boxes, 25 s apart: crossings found, of those found with perfect identity", at_least(95, "%")),
    _people("true boxes, 25 s apart: crossings invented", at_most(2, "%")),
    _people("detector: crossings found in the right direction", at_least(95, "%")),
    _people("detector: crossings invented", at_most(2, "%")),
    _people("detector: visits with the right label", at_least(95, "%")),
    _gate("crossings found and invented", (1, 2)),
    _gate("visits", (4,)),
    _one_visitor("frames in full view labelled correctly", at_least(98, "%"), "somebody in full view", 4),
    _one_visitor("visits found with the right label", at_least(97, "%"), "share", 1),
    _one_visitor("visits split", at_most(1, "%"), "share", 4),
    _one_visitor("visits invented", at_most(1, "%"), "share", 5),
    _found(at_least(93, "%"), 10, 6),
    _invented(at_most(6, "%"), 10, 7),
    _found(at_least(94, "%"), 5, 6),
    _invented(at_most(5, "%"), 5, 7),
    _found(at_least(88, "%"), 2, 6),
    _invented(at_most(6, "%"), 2, 7),
    _idf1(at_least(49.8), 30, 1),
    _idf1(at_least(62.9), 10, 1),
    _idf1(at_least(61.3), 5, 1),
    _idf1(at_least(51.5), 2, 1),
    Bar("tracker, 20 people in view: time for a frame", at_most(1, "ms"), Printed(TRACKS, cell("20", 0, 3))),
    Bar("tracker, 20 people in view: memory", at_most(5000, "kB"), Printed(TRACKS, cell("20", 1, 3))),
    Bar(
        "a clip of three people who walk together, error at any frame rate",
        at_most(0, "visitors"),
        Printed(CLIPS, _error_of_three),
    ),
    Bar(
        "a clip of six people, in `make run` and in `footfall count`",
        "6 visits, none invented",
        asserted_by(
            "end_to_end/test_people.py::test_six_visitors_are_counted_once_each", "footfall/test_count.py::test_real_people"
        ),
    ),
    Bar(
        "the demo's clip through the running suite",
        "the visits of the offline report, each once",
        asserted_by("end_to_end/test_recordings.py"),
    ),
    Bar(
        "two classifiers share the frames of a camera",
        "each crossing once; a prediction waits for at most 0.3 s",
        asserted_by(
            "counter/test_process.py::test_crossings_come_through_the_broker_once_although_classifiers_share_the_frames",
            "counter/test_reordering.py::test_predictions_come_in_order_and_soon",
        ),
    ),
    Bar(
        "the clock is set, by seconds to years, while somebody is there",
        "everybody once, on the right day; no visit deleted",
        asserted_by(
            "counter/test_clock.py::test_a_clock_changes_no_count",
            "counter/test_expiry.py::test_a_wrong_clock_deletes_nothing",
        ),
    ),
    Bar(
        "reports of any step, zone and range, over changes of clocks",
        "equal to a recount of the visits",
        asserted_by(
            "counter/test_pages.py::test_every_step_equals_a_recount",
            "counter/test_pages.py::test_hours_and_days_where_clocks_change",
        ),
    ),
)
