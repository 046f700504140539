"""The look of a drawn visitor: body, clothes, hair and bag.

The figures follow a handful of clichés about outline, hair and clothes. The demo's model can learn nothing else, so it knows
nothing about people.
"""

import colorsys
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from demo.canvas import Colour, shaded

Label = Literal["man", "woman"]
LABELS: tuple[Label, Label] = ("man", "woman")

SKINS: tuple[Colour, ...] = ((190, 214, 245), (160, 190, 232), (125, 160, 214), (90, 125, 180), (60, 88, 140), (42, 62, 100))
HAIRS: tuple[Colour, ...] = (
    (24, 22, 26),
    (30, 42, 62),
    (38, 62, 100),
    (60, 110, 160),
    (110, 170, 215),
    (60, 70, 150),
    (170, 172, 176),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """The look of one visitor: lengths in metres, colours in BGR."""

    label: Label
    height: float
    shoulders: float
    waist: float
    hips: float
    skin: Colour
    hair: str
    hair_colour: Colour
    garment: str
    hem: float
    """Height above the ground of the lower edge of a skirt, dress, coat or shorts, as a share of the body's height."""
    flare: float
    """Width of a skirt, dress or coat at its hem, as a factor on the hips' width."""
    top: Colour
    bottom: Colour
    shoes: Colour
    bag: str
    bag_colour: Colour
    hat: str
    beard: bool


CHILD_SIZE = (0.6, 0.78)
"""Size of a child as a factor on an adult's."""


def random_child(rng: np.random.Generator, label: Label) -> Figure:
    """Returns a random child: a smaller figure with the clichés of this label, without a beard."""
    adult, size = random_figure(rng, label), rng.uniform(*CHILD_SIZE)
    lengths = {name: getattr(adult, name) * size for name in ("height", "shoulders", "waist", "hips")}
    return replace(adult, **lengths, beard=False)


def random_figure(rng: np.random.Generator, label: Label) -> Figure:
    """Returns a random figure with this label."""
    choose = _WeightedChoice(rng)
    skin = SKINS[rng.integers(len(SKINS))]
    if label == "woman":
        garment = choose({"dress": 0.25, "skirt": 0.3, "trousers": 0.33, "coat": 0.12})
        hair = choose({"long": 0.46, "bob": 0.2, "bun": 0.14, "tail": 0.16, "short": 0.04})
        hem = rng.uniform(0.1, 0.33) if garment in ("dress", "skirt") else rng.uniform(0.16, 0.32)
        flare = rng.uniform(1.02, 1.75) if garment in ("dress", "skirt") else rng.uniform(1.1, 1.45)
        height, shoulders = rng.normal(1.66, 0.06), rng.uniform(0.35, 0.4)
        waist, hips = rng.uniform(0.25, 0.31), rng.uniform(0.37, 0.44)
        bag = choose({"none": 0.35, "shoulder": 0.35, "shopping": 0.2, "backpack": 0.1})
    else:
        garment = choose({"trousers": 0.72, "shorts": 0.12, "coat": 0.16})
        hair = choose({"short": 0.8, "bald": 0.14, "bob": 0.03, "bun": 0.01, "long": 0.02})
        hem = rng.uniform(0.26, 0.33) if garment == "shorts" else rng.uniform(0.18, 0.36)
        flare = rng.uniform(0.95, 1.05)
        height, shoulders = rng.normal(1.79, 0.06), rng.uniform(0.48, 0.55)
        waist, hips = rng.uniform(0.36, 0.44), rng.uniform(0.34, 0.39)
        bag = choose({"none": 0.5, "shoulder": 0.12, "shopping": 0.18, "backpack": 0.2})
    top = _clothes_colour(rng)
    return Figure(
        label,
        float(np.clip(height, 1.5, 1.96)),
        shoulders,
        waist,
        hips,
        skin,
        hair,
        HAIRS[rng.integers(len(HAIRS))],
        garment,
        hem,
        flare,
        top,
        top if garment == "dress" else _clothes_colour(rng, dark=garment == "trousers"),
        shaded(_clothes_colour(rng), 0.5),
        bag,
        _clothes_colour(rng),
        choose({"none": 0.86, "cap": 0.07, "beanie": 0.07}),
        label == "man" and bool(rng.random() < 0.4),
    )


class _WeightedChoice:
    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def __call__(self, shares: dict[str, float]) -> str:
        weights = np.array(list(shares.values()))
        return str(self._rng.choice(list(shares), p=weights / weights.sum()))


def _clothes_colour(rng: np.random.Generator, dark: bool = False) -> Colour:
    """Returns a random colour for clothes, seldom a bright one."""
    value = rng.uniform(0.15, 0.55) if dark else rng.uniform(0.2, 0.95)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), rng.beta(1.4, 2.2), value)
    return round(blue * 255), round(green * 255), round(red * 255)
