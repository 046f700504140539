"""Independent random generators: each depends only on its seed, purpose and number."""

import zlib

import numpy as np


def chance(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """Returns the random generator for one purpose; `seed` and `number` are 0 or above."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), number])
