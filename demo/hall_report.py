"""The tables of the report on scenes with several visitors."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from capture.settings import MIN_GATE_RATE
from demo.hall_result import ALL, GROUPS, JudgedCrossing, Result, Tracks, VisitVerdict, merged

RATES = (10, 5, 2, 1)
"""Frames a second; each is a part of those of a scene."""
GATE_RATES = tuple(rate for rate in RATES if rate >= MIN_GATE_RATE)
"""The frame rates at which MOTION=auto is on."""
RATE = 5
"""The rate of the bars."""
PAUSE = 25.0
"""Seconds between two parties in the scenes with pauses."""
MIN_FOUND, MAX_INVENTED, MIN_LABELLED = 95.0, 2.0, 95.0
"""The bars, in percent."""
Boxes = Literal["detector", "disturbed", "disturbed, pauses"]
"""Whose boxes are counted: the detector's, or true ones as `demo.disturbance` changes them, in usual scenes or with pauses."""


class Compared(NamedTuple):
    """What was counted in some boxes, and what is counted if the true identity of each is known."""

    own: Result
    perfect: Result


class Gated(NamedTuple):
    """What was counted of the frames that the motion gate let pass, and the share of the others."""

    own: Result
    share_held: float


class SceneResult(NamedTuple):
    """The results of a scene, by boxes and frame rate; and with the motion gate and the detector's boxes, by frame rate."""

    seed: int
    seconds: float
    compared: dict[tuple[Boxes, int], Compared]
    gated: dict[int, Gated]


class Bar(NamedTuple):
    """A figure in percent that must be reached, at least or at most."""

    name: str
    reached: float
    limit: float
    is_minimum: bool = True

    @property
    def is_met(self) -> bool:
        return self.reached >= self.limit if self.is_minimum else self.reached <= self.limit

    @property
    def row(self) -> str:
        limit = f"{'at least' if self.is_minimum else 'at most'} {self.limit:g} %"
        return f"| {self.name} | {self.reached:.1f} % | {limit} | {'met' if self.is_met else '**missed**'} |"


def tables(scenes: Sequence[SceneResult]) -> str:
    """Returns the report as Markdown."""
    minutes = sum(scene.seconds for scene in scenes) / 60
    seeds = ", ".join(str(scene.seed) for scene in scenes)
    about = f"{minutes:.0f} minutes of scenes (seeds {seeds}), as much again with {PAUSE:g} s between parties."
    parts = (_crossings_by_rate, _crossings_by_group, _tracks_by_rate, _tracks_by_group, _visits_by_rate, _with_gate)
    return "\n\n".join([about, bars_table(scenes), *(part(scenes) for part in parts)])


def bars_table(scenes: Sequence[SceneResult]) -> str:
    """Returns the table of the bars."""
    head = [f"| at {RATE} frames a second | reached | to reach | |", "|---|---:|---:|---|"]
    return "\n".join([*head, *(bar.row for bar in bars(scenes))])


def bars(scenes: Sequence[SceneResult]) -> list[Bar]:
    """Returns the bars with the figures that are reached."""
    found = []
    disturbed: list[tuple[Boxes, str]] = [("disturbed", "true boxes"), ("disturbed, pauses", f"true boxes, {PAUSE:g} s apart")]
    for boxes, name in disturbed:
        own, perfect = _crossings(scenes, boxes, RATE), _crossings(scenes, boxes, RATE, is_perfect=True)
        found += [
            Bar(f"{name}: crossings found, of those found with perfect identity", _of(own, perfect), MIN_FOUND),
            Bar(f"{name}: crossings invented", _percent(own["invented"], _true(own)), MAX_INVENTED, is_minimum=False),
        ]
    own = _crossings(scenes, "detector", RATE)
    visits = _merged(scenes, "detector", RATE).visits
    return [
        *found,
        Bar("detector: crossings found in the right direction", _percent(own["found"], _true(own)), MIN_FOUND),
        Bar("detector: crossings invented", _percent(own["invented"], _true(own)), MAX_INVENTED, is_minimum=False),
        Bar("detector: visits with the right label", _percent(visits["right label"], _of_people(visits)), MIN_LABELLED),
    ]


def _of_people(visits: Counter[VisitVerdict]) -> int:
    return visits.total() - visits["nobody's"]


def _of(own: Counter[str], perfect: Counter[str]) -> float:
    return _percent(own["found"], perfect["found"])


def _crossings_by_rate(scenes: Sequence[SceneResult]) -> str:
    columns = ("true", "found", "wrong direction", "missed", "invented", "with the right label", "found with perfect identity")
    rows = []
    for rate in RATES:
        crossings = _merged(scenes, "detector", rate).crossings
        numbers = _verdicts(crossings)
        labelled = sum(one.has_label for one in crossings)
        perfect = _crossings(scenes, "detector", rate, is_perfect=True)["found"]
        rows.append(_row(str(rate), [*_cells(numbers), _share(labelled, numbers["found"]), _share(perfect, _true(numbers))]))
    return _table("crossings by frames a second", columns, rows)


def _crossings_by_group(scenes: Sequence[SceneResult]) -> str:
    crossings = _merged(scenes, "detector", RATE).crossings
    groups = ("in", "out", *GROUPS)
    rows = [_row(group, _cells(_verdicts(one for one in crossings if group in one.groups))) for group in groups]
    return _table(f"crossings at {RATE} frames a second", ("true", "found", "wrong direction", "missed", "invented"), rows)


_TRACK_COLUMNS = ("HOTA", "DetA", "AssA", "IDF1")


def _tracks_by_rate(scenes: Sequence[SceneResult]) -> str:
    rows = []
    for rate in RATES:
        own, perfect = (_merged(scenes, "detector", rate, is_perfect).tracks[ALL] for is_perfect in (False, True))
        rows.append(_row(str(rate), [*_track_cells(own), f"{perfect.hota.value:.1f}", f"{perfect.identity.f1:.1f}"]))
    columns = (*_TRACK_COLUMNS, "HOTA with perfect identity", "IDF1 with perfect identity")
    return _table("tracks by frames a second", columns, rows)


def _tracks_by_group(scenes: Sequence[SceneResult]) -> str:
    tracks = _merged(scenes, "detector", RATE).tracks
    rows = [_row(group, _track_cells(one)) for group, one in tracks.items()]
    return _table(f"tracks at {RATE} frames a second", _TRACK_COLUMNS, rows)


def _visits_by_rate(scenes: Sequence[SceneResult]) -> str:
    columns = (
        "people",
        "no visit",
        "several",
        "visits with the right label",
        "wrong",
        "undecided",
        "nobody's",
        "at the till",
        "error",
    )
    rows = []
    for rate in RATES:
        result = _merged(scenes, "detector", rate)
        several = sum(number for visits, number in result.people.items() if visits > 1)
        error = sum(abs(one.true - one.counted) for one in result.stays) / max(1, len(result.stays))
        visits = result.visits
        cells = [result.people.total(), result.people[0], several, _share(visits["right label"], _of_people(visits))]
        cells += [visits["wrong label"], visits["undecided"], visits["nobody's"], len(result.stays), f"{error:.1f} s"]
        rows.append(_row(str(rate), cells))
    return _table("visits by frames a second", columns, rows)


def _with_gate(scenes: Sequence[SceneResult]) -> str:
    columns = ("held back", "found", "invented", "with the right label", "visits", "with the right label", "no visit", "several")
    rows = []
    for rate in GATE_RATES:
        held = sum(scene.gated[rate].share_held for scene in scenes) / max(1, len(scenes))
        gated = merged(scene.gated[rate].own for scene in scenes)
        for name, share, result in (("without", "", _merged(scenes, "detector", rate)), ("with", f"{100 * held:.0f} %", gated)):
            crossings, visits, people = _verdicts(result.crossings), result.visits, result.people
            cells = [share, crossings["found"], crossings["invented"], sum(one.has_label for one in result.crossings)]
            cells += [visits.total(), visits["right label"], people[0], people.total() - people[0] - people[1]]
            rows.append(_row(f"{rate}, {name} the gate", cells))
    return _table("frames a second, crossings and visits", columns, rows)


def _merged(scenes: Sequence[SceneResult], boxes: Boxes, rate: int, is_perfect: bool = False) -> Result:
    compared = [scene.compared[boxes, rate] for scene in scenes]
    return merged(one.perfect if is_perfect else one.own for one in compared)


def _crossings(scenes: Sequence[SceneResult], boxes: Boxes, rate: int, is_perfect: bool = False) -> Counter[str]:
    return _verdicts(_merged(scenes, boxes, rate, is_perfect).crossings)


def _verdicts(crossings: Iterable[JudgedCrossing]) -> Counter[str]:
    return Counter(one.verdict for one in crossings)


def _true(numbers: Counter[str]) -> int:
    return numbers.total() - numbers["invented"]


def _cells(numbers: Counter[str]) -> list[object]:
    true = _true(numbers)
    others = [numbers[verdict] for verdict in ("wrong direction", "missed")]
    return [true, _share(numbers["found"], true), *others, _share(numbers["invented"], true)]


def _track_cells(tracks: Tracks) -> list[object]:
    values = (tracks.hota.value, tracks.hota.detection, tracks.hota.association, tracks.identity.f1)
    return [f"{value:.1f}" for value in values]


def _table(name: str, columns: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([_row(name, columns), "|---|" + "---:|" * len(columns), *rows])


def _row(name: str, cells: Sequence[object]) -> str:
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def _percent(part: int, whole: int) -> float:
    return 100 * part / max(1, whole)


def _share(part: int, whole: int) -> str:
    return f"{part} ({_percent(part, whole):.1f} %)" if whole else str(part)
