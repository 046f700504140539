"""Measures a group in a new process, with the code of any checkout."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.bars.bar import Group, Inputs

TIMEOUT = 300.0
"""Seconds of one group."""


def measure(group: Group, folder: Path, inputs: Inputs) -> dict[str, float]:
    """Returns the figures of a group with the code of a folder; none if it failed. Standard error then says why."""
    command = [sys.executable, "-m", "benchmarks.bars.child", group.name, *map(str, inputs)]
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        print(f"{group.name}: no figures within {TIMEOUT:g} s", file=sys.stderr)
        return {}
    if run.returncode:
        print(f"{group.name}: exit code {run.returncode}\n{run.stderr[-3000:]}", file=sys.stderr)
        return {}
    return {str(key): float(value) for key, value in json.loads(run.stdout.splitlines()[-1]).items()}
