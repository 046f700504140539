"""Runs the broker of the laptop run so that it ends last: at SIGTERM the modules still have a moment to say their last words.

honcho signals all it has started at once, by process group; so Mosquitto gets a group of its own, and is ended from here, also
when the run is gone that it was started by.
"""

import signal
import subprocess
import sys
import time

from runtime.process import RUN_CHECK, stop_on_signals

LAST_WORDS = 1.5
"""Seconds."""


def main() -> int:
    """Runs the command given until it ends, SIGTERM comes, or the run is gone."""
    broker = subprocess.Popen(sys.argv[1:], start_new_session=True)
    stop = stop_on_signals(signal.SIGHUP)
    while broker.poll() is None and not stop.wait(RUN_CHECK):
        pass
    if broker.poll() is None:
        time.sleep(LAST_WORDS)
        broker.terminate()
    return broker.wait()


if __name__ == "__main__":
    sys.exit(main())
