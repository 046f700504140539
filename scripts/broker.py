"""Runs the broker of the laptop run so that it ends last: at SIGTERM the modules still have a moment to say their last words.

honcho signals all it has started at once, by process group; so Mosquitto gets a group of its own, and is ended from here, also
when the run is gone that it was started by.
"""

import os
import signal
import subprocess
import sys
import threading
import time

from bus.process import RUN_CHECK, RUN_VARIABLE, is_gone

LAST_WORDS = 1.5
"""Seconds."""


def main() -> int:
    """Runs the command given until it ends, SIGTERM comes, or the run is gone."""
    broker = subprocess.Popen(sys.argv[1:], start_new_session=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    run = os.environ.get(RUN_VARIABLE)
    while broker.poll() is None and not stop.wait(RUN_CHECK) and not is_gone(run):
        pass
    if broker.poll() is None:
        time.sleep(LAST_WORDS)
        broker.terminate()
    return broker.wait()


if __name__ == "__main__":
    sys.exit(main())
