"""Independent random generators, each determined by a seed, a purpose and a number."""

import zlib

import numpy as np


def create_rng(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """Returns the random generator for one purpose; `seed` and `number` are 0 or above."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), number])
