"""What the cameras of the soak show: pictures of the demo's one-visitor scenes, cut into visits that are known."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from capture.pictures.prepare import encode_jpeg
from capture.settings import Settings as CaptureSettings
from classifier.export import read_export
from classifier.model import Model
from classifier.preprocess import decode
from classifier.recogniser import Recogniser
from classifier.settings import Settings as ClassifierSettings
from demo.about import MODEL
from demo.pipeline import NOBODY, true_label
from demo.scenes import Scene
from demo.shop import HEIGHT, WIDTH
from demo.visitors import FRAME_RATE

SIZE = WIDTH, HEIGHT
RATE = 2
"""Frames a second of a camera's own time."""
VISIT = 10, 20
"""Shortest and longest time in view, in seconds. A killed classifier or broker costs a few seconds of a visit, but not all."""
PAUSE = 8, 16
"""Shortest and longest time between two visitors, in seconds."""
MIN_PROBABILITY = 0.6
"""The probability at which a picture is used: the soak tests the programs, not the demo's model."""


class Span(NamedTuple):
    """A visitor who is in view from one frame to another, counted from 0."""

    label: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Footage:
    """Pictures as JPEG, which the model recognises: of each visitor, with a label, and of the empty shop."""

    visitors: Sequence[tuple[str, Sequence[bytes]]]
    empty: Sequence[bytes]


def shoot(seed: int, visitors: int = 24) -> Footage:
    """Draws a scene until it has had so many visitors. Pictures on which somebody is partly in view are left out."""
    recogniser = Recogniser(Model(read_export(MODEL)), ClassifierSettings.model_construct().rules)
    quality, scene = CaptureSettings.model_construct().jpeg_quality, Scene(seed)
    taken: dict[int, tuple[str, list[bytes]]] = {}
    empty: list[bytes] = []
    for moment in scene.moments(FRAME_RATE // RATE):
        if (truth := true_label(moment)) is None:
            continue
        jpeg = encode_jpeg(scene.frame(moment), quality)
        best = recogniser.recognise(recogniser.prepare(decode(jpeg))).labels[0]
        if (best.name, best.probability >= MIN_PROBABILITY) != (truth, True):
            continue
        if moment.visitor is None:
            empty.append(jpeg)
        else:
            taken.setdefault(moment.visitor.first, (truth, []))[1].append(jpeg)
        if len(taken) > visitors:  # the last one has only begun
            break
    found = list(taken.values())[:visitors]
    if len({label for label, _ in found}) < 2 or not empty:
        raise ValueError(f"seed {seed}: too few pictures are recognised; try another seed")
    return Footage(found, empty)


@dataclass(frozen=True, slots=True)
class Film:
    """The pictures of one camera, and who is on them: true by construction."""

    footage: Footage
    seed: str
    frames: int

    def spans(self) -> Iterator[Span]:
        """Yields the visits, in order. The last of them is followed by a pause."""
        for label, first, last, _ in self._takes():
            if label != NOBODY:
                yield Span(label, first, last)

    def pictures(self) -> Iterator[bytes]:
        """Yields the picture of each frame. One visitor's pictures are shown forwards and backwards until they leave."""
        for _, first, last, pictures in self._takes():
            there_and_back = [*pictures, *pictures[-2:0:-1]]
            for number in range(last - first + 1):
                yield there_and_back[number % len(there_and_back)]

    def _takes(self) -> Iterator[tuple[str, int, int, Sequence[bytes]]]:
        """Yields label, first and last frame, and pictures, of visits and pauses in turn."""
        chance, at = random.Random(self.seed), 0
        while True:
            length = _length(chance, PAUSE)
            visit, pause = _length(chance, VISIT), _length(chance, PAUSE)
            if at + length + visit + pause >= self.frames:
                yield NOBODY, at, self.frames - 1, self.footage.empty
                return
            yield NOBODY, at, at + length - 1, self.footage.empty
            at += length
            label, pictures = chance.choice(self.footage.visitors)
            yield label, at, at + visit - 1, pictures
            at += visit


def _length(chance: random.Random, seconds: tuple[int, int]) -> int:
    """Returns a random number of frames that take between two numbers of seconds."""
    return chance.randint(*(one * RATE for one in seconds))
