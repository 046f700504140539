"""Random numbers that only a seed, a purpose and a number decide: one thing's chance does not move another's."""

import zlib

import numpy as np


def chance(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """The generator for one thing; seed and number from 0."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), number])
