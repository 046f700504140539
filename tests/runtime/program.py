"""Python code in a separate process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.broker import ROOT
from tests.support.wait import limit


@contextmanager
def python(code: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs the code with these settings, and kills the process on exit."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MQTT_")}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=kept | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=limit(30))
