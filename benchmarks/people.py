"""How often a detector and a classifier are right about real people: photographs and clips, with their truth.

The folder has `models`, `photos` and `clips` with a `truth.json` each, as docs/figures.md describes.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2

from benchmarks.tables import print_row
from bus import Detection
from capture.drivers.video import open_video
from capture.pictures.picture import Pixels
from classifier.export import read_export
from classifier.model import Model
from classifier.recogniser import Recogniser
from classifier.visitors import Rules

LOOKS = {"W": "woman", "M": "man"}
"""The adults among the letters of the photographs' truth."""
NOBODY = "nobody"
VERDICTS = ("right", "wrong", "undecided", "missed")
GROUP, VISITORS = "face-demographics-walking-and-pause.gif", "one-by-one-person-detection.mp4"
FACES, CLASSIFIERS = ("face-full-range", "face-short-range"), ("gender-dlib", "gender-faceapi")
THRESHOLD = Rules().threshold
MAX_FACES = 6
"""Faces in a photograph; with fewer crops than that, some would have to wait for the next frame."""
MARGINS = (0.0, 0.1, 0.2, 0.3)


def load_model(folder: Path) -> Model:
    """Loads and tries the model in a folder."""
    return Model(read_export(folder))


def find_visitors(recogniser: Recogniser, picture: Pixels) -> list[Detection]:
    """Returns the visitors in a picture that a detector is sure of, from the left."""
    found = recogniser.recognise(recogniser.prepare(picture)).detections
    sure = (one for one in found if one.is_visitor and one.confidence >= THRESHOLD)
    return sorted(sure, key=lambda one: one.box.x + one.box.w / 2)


def judge(visitor: Detection | None, looks: str) -> str:
    """Returns one of `VERDICTS`."""
    if visitor is None:
        return "right" if looks == NOBODY else "missed"
    return "undecided" if not visitor.labels else "right" if visitor.labels[0].name == looks else "wrong"


def judge_photographs(recogniser: Recogniser, folder: Path) -> Counter[str]:
    """Returns the verdicts on all adults in the photographs. All are missed in one where not all faces are found."""
    verdicts: Counter[str] = Counter()
    for name, letters in _truth(folder / "photos").items():
        if name == "about":
            continue
        found: list[Detection | None] = [*find_visitors(recogniser, cv2.imread(str(folder / "photos" / name)))]
        if len(found) != len(letters):
            found = [None] * len(letters)
        pairs = zip(found, letters, strict=True)
        verdicts.update(judge(one, LOOKS[letter]) for one, letter in pairs if letter in LOOKS)
    return verdicts


def judge_group(recogniser: Recogniser, folder: Path) -> list[tuple[str, Counter[str]]]:
    """Returns the looks of each of the three people in the clip, from the left, and the verdicts on the frames."""
    looks = _truth(folder / "clips")[GROUP]["left_to_right"]
    people: list[tuple[str, Counter[str]]] = [(one, Counter()) for one in looks]
    for _, picture in _frames(folder / "clips" / GROUP):
        thirds = {int((one.box.x + one.box.w / 2) * len(looks)): one for one in find_visitors(recogniser, picture)}
        for number, (one, verdicts) in enumerate(people):
            verdicts[judge(thirds.get(number), one)] += 1
    return people


def judge_visitors(recogniser: Recogniser, folder: Path, step: int) -> list[tuple[str, Counter[str]]]:
    """Returns the looks of each of the six visitors in the clip and the verdicts on each `step`th frame, and last, on nobody."""
    truth = _truth(folder / "clips")[VISITORS]
    people: list[tuple[str, Counter[str]]] = [*((one["looks"], Counter()) for one in truth["visitors"]), (NOBODY, Counter())]
    for number, picture in _frames(folder / "clips" / VISITORS):
        if number % step == 0:
            at = number / truth["fps"]
            present = (index for index, one in enumerate(truth["visitors"]) if one["from"] <= at <= one["to"])
            looks, verdicts = people[next(present, -1)]
            verdicts[judge(next(iter(find_visitors(recogniser, picture)), None), looks)] += 1
    return people


def report(folder: Path, step: int = 2) -> None:
    """Prints the verdicts for each pair of models."""
    detectors = {name: load_model(folder / "models" / name) for name in FACES}
    classifiers = {name: load_model(folder / "models" / name) for name in CLASSIFIERS}
    pairs = [(detector, classifier) for detector in FACES for classifier in CLASSIFIERS]
    print("adults in the photographs")
    _print("models", "margin", dict(zip(VERDICTS, VERDICTS, strict=True)))
    for detector, classifier in pairs:
        for margin in MARGINS:
            recogniser = Recogniser(classifiers[classifier], Rules(crop_margin=margin, crops=MAX_FACES), detectors[detector])
            _print(f"{detector} {classifier}", str(margin), judge_photographs(recogniser, folder))
    for title, judged in (
        ("frames of the three people in the clip", judge_group),
        ("frames of each visitor in the clip", lambda one, place: judge_visitors(one, place, step)),
    ):
        print(title)
        _print("models", "looks", dict(zip(VERDICTS, VERDICTS, strict=True)))
        for classifier in CLASSIFIERS:
            recogniser = Recogniser(classifiers[classifier], Rules(), detectors[FACES[0]])
            for looks, verdicts in judged(recogniser, folder):
                _print(f"{FACES[0]} {classifier}", looks, verdicts)


def _print(name: str, what: str, verdicts: Mapping[str, object]) -> None:
    print_row(f"{name:<31}", what, *(verdicts.get(one, 0) for one in VERDICTS))


def _truth(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return document


def _frames(clip: Path) -> Iterator[tuple[int, Pixels]]:
    """Yields the numbered frames of a clip."""
    with open_video(clip.name, str(clip)) as video:
        for number, picture in enumerate(video.pictures()):
            yield number, picture.pixels()
