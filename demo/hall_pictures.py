"""The pictures of the report on scenes with several visitors: situations with the boxes of the tracks, and a timeline."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")  # no screen is needed

import cv2
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bus.polygon import contains
from demo.about import DETECTOR
from demo.canvas import Picture
from demo.counted import PeopleCounter, SeenVisitor
from demo.hall import LINE, ZONE
from demo.hall_report import RATE, SceneResult
from demo.hall_result import JudgedCrossing
from demo.hall_scenes import HallMoment, HallScene
from demo.parties import Cart, Person
from demo.recording import Finder
from demo.shop import HEIGHT, WIDTH
from demo.truth import PersonTruth, crossings_of
from demo.visitors import FRAME_RATE

COLOURS = {"in": "#0072b2", "out": "#d55e00"}
"""From the Okabe-Ito palette, which colour-blind people can distinguish."""
LABEL_COLOURS = {"man": (178, 114, 0), "woman": (0, 94, 213), None: (120, 120, 120)}
"""The same, in BGR."""
TIMELINE_SECONDS = 120.0
"""Seconds of each scene that the timeline shows."""
TIMELINE_SCENES = 6
COLUMNS = 4
SIZE = (256, 192)
"""Width and height of the picture of a situation, px."""
WARM_UP = 5.0
"""Seconds of a scene before its first situation, so that tracks are there."""
NEAR = 0.12
"""Distance from the line, in picture heights, at which somebody is at the door."""
CHILD = 1.4
"""Height of a figure, metres, below which it is a child's."""

Predicate = Callable[[HallMoment], bool]


def _at_door(one: PersonTruth) -> bool:
    (left, y), (right, _) = LINE
    return one.visible > 0.5 and abs(one.foot[1] - y) < NEAR and left < one.foot[0] < right


def _visible(moment: HallMoment, share: float = 0.9) -> list[PersonTruth]:
    return [one for one in moment.people if one.visible >= share]


def _persons(moment: HallMoment) -> Iterator[tuple[Person, PersonTruth]]:
    by_id = {one.id: one for one in moment.people}
    return ((item, by_id[item.id]) for item in moment.items if isinstance(item, Person) and item.id in by_id)


def _both_ways(moment: HallMoment) -> bool:
    """Returns whether somebody goes in and somebody goes out within a second of the moment."""
    crossings = [one for person, _ in _persons(moment) for one in crossings_of(person) if abs(one.at - moment.seconds) < 1]
    return len({one.direction for one in crossings}) == 2


def _waits(moment: HallMoment) -> bool:
    """Returns whether somebody has stood at the door for a second, and will stand for another."""
    return any(
        _at_door(one) and len({person.place(moment.seconds + seconds) for seconds in (-1.0, 0.0, 1.0)}) == 1
        for person, one in _persons(moment)
    )


def _turns_back(moment: HallMoment) -> bool:
    return any(_at_door(one) and not list(crossings_of(person)) for person, one in _persons(moment))


SITUATIONS: Mapping[str, Predicate] = {
    "alone": lambda moment: len(moment.people) == len([one for one in _visible(moment) if _at_door(one)]) == 1,
    "side by side": lambda moment: len([one for one in _visible(moment) if _at_door(one)]) == 2 == len(moment.people),
    "a group": lambda moment: len([one for one in moment.people if _at_door(one)]) >= 4,
    "in and out at once": _both_ways,
    "waiting in the door": _waits,
    "turning back": _turns_back,
    "a child": lambda moment: any(
        person.figure.height < CHILD and one.visible > 0.9 and _at_door(one) for person, one in _persons(moment)
    ),
    "a cart": lambda moment: any(isinstance(item, Cart) for item in moment.items) and any(map(_at_door, moment.people)),
    "at the till": lambda moment: any(one.visible > 0.5 and contains(ZONE, one.foot) for one in moment.people),
    "partly hidden": lambda moment: any(0.35 < one.visible < 0.55 and _at_door(one) for one in moment.people),
    "dusk": lambda moment: moment.light.name == "dusk" and len(_visible(moment)) >= 3,
    "night": lambda moment: moment.light.name == "night" and len(_visible(moment)) >= 3,
}
"""By its name, what a moment must show."""


def draw_situations(path: Path, seeds: Sequence[int], seconds: float, detector: Path = DETECTOR) -> None:
    """Draws a moment of each situation that occurs in the first seconds of some scenes, with the tracks as they are then."""
    found: dict[str, Picture] = {}
    for seed in seeds:
        for name, picture in _situations(seed, seconds, detector, [name for name in SITUATIONS if name not in found]):
            found[name] = _captioned(picture, name)
    tiles = [found[name] for name in SITUATIONS if name in found]
    tiles += [np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[first : first + COLUMNS]) for first in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(path), np.vstack(rows))


def _situations(seed: int, seconds: float, detector: Path, wanted: list[str]) -> Iterator[tuple[str, Picture]]:
    """Yields the wanted situations that occur, each once and at most one in a second."""
    scene, finder, counter, last = HallScene(seed), Finder(detector), PeopleCounter(), 0.0
    for moment in scene.moments(FRAME_RATE // RATE):
        if moment.seconds >= seconds or not wanted:
            return
        picture = scene.frame(moment)
        seen = counter.process(moment.seconds, finder.find(picture))
        name = next((one for one in wanted if SITUATIONS[one](moment)), None)
        if name and moment.seconds > max(WARM_UP, last + 1):
            wanted.remove(name)
            last = moment.seconds
            yield name, with_tracks(picture, seen)


def with_tracks(picture: Picture, seen: Sequence[SeenVisitor]) -> Picture:
    """Returns a picture with the line, the zone, and the boxes of the visitors."""
    drawn = picture.copy()
    corners = np.array(ZONE) * (WIDTH, HEIGHT)
    cv2.polylines(drawn, [corners.round().astype(np.int32)], True, (255, 255, 255), 1, cv2.LINE_AA)
    start, end = ((round(x * WIDTH), round(y * HEIGHT)) for x, y in LINE)
    cv2.line(drawn, start, end, (255, 255, 255), 2, cv2.LINE_AA)
    for one in seen:
        colour, (x, y, w, h) = LABEL_COLOURS[one.label], (round(length * HEIGHT) for length in one.area)
        cv2.rectangle(drawn, (x, y), (x + w, y + h), colour, 2)
        cv2.putText(drawn, f"{one.track}", (x + 3, y + 18), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2, cv2.LINE_AA)
    return drawn


def _captioned(picture: Picture, name: str) -> Picture:
    tile = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
    cv2.rectangle(tile, (0, SIZE[1] - 20), (10 + 8 * len(name), SIZE[1]), (0, 0, 0), cv2.FILLED)
    cv2.putText(tile, name, (5, SIZE[1] - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def draw_timeline(path: Path, scenes: Sequence[SceneResult]) -> None:
    """Draws the true crossings of some scenes, and below them the counted ones."""
    shown = scenes[:TIMELINE_SCENES]
    figure, axes = plt.subplots(figsize=(13, 0.8 + 0.6 * len(shown)), layout="constrained")
    for row, scene in enumerate(shown):
        _draw_crossings(axes, row, scene.compared["detector", RATE].own.crossings)
    axes.set_yticks(np.arange(len(shown)) + 0.2, [f"seed {scene.seed}" for scene in shown])
    axes.set_ylim(len(shown) - 0.3, -0.7)
    axes.set_xlim(0, TIMELINE_SECONDS)
    axes.set_xlabel("seconds; in each pair of rows: true crossings above, counted ones below")
    styles = {"in": ("v", COLOURS["in"]), "out": ("^", COLOURS["out"]), "missed or invented": ("x", "black")}
    handles = [Line2D([], [], marker=marker, color=colour, ls="", label=name) for name, (marker, colour) in styles.items()]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _draw_crossings(axes: Axes, row: int, crossings: Sequence[JudgedCrossing]) -> None:
    for one in crossings:
        marker, is_found = "v" if one.direction == "in" else "^", one.verdict == "found"
        if one.verdict != "invented":
            axes.plot(one.at, row, marker=marker, color=COLOURS[one.direction], ls="")
        if one.counted_at is not None:
            axes.plot(one.counted_at, row + 0.4, marker=marker, color=COLOURS[one.direction], ls="")
        if not is_found:
            axes.plot(one.at, row + 0.4, marker="x", color="black", ls="", markersize=9)
    axes.axhline(row + 0.7, color="0.9", lw=0.8)
