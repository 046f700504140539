"""Work on all cores."""

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def on_all_cores(call: Callable[[Item], Result], items: Iterable[Item], chunksize: int = 1) -> list[Result]:
    """Returns the results of a call for each item, in the order of the items. A process takes `chunksize` items at once."""
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(call, items, chunksize=chunksize))
