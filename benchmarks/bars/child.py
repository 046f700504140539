"""Measures one group, and prints its figures as JSON: python -m benchmarks.bars.child GROUP MODEL PICTURES"""

import json
import logging
import sys
from pathlib import Path

from benchmarks.bars.bar import Inputs
from benchmarks.bars.groups import GROUPS


def main(name: str, inputs: Inputs) -> None:
    """Prints one line."""
    [group] = [one for one in GROUPS if one.name == name]
    print(json.dumps({f"{name}.{key}": value for key, value in group.measure(inputs).items()}), flush=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main(sys.argv[1], Inputs(*map(Path, sys.argv[2:])))
