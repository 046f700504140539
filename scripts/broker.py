"""Runs the broker of the laptop run so that it ends last: at SIGTERM the modules still have a moment to say their last words.

honcho signals all it has started at once, by process group; so Mosquitto gets a group of its own, and is ended from here.
"""

import signal
import subprocess
import sys
import time

LAST_WORDS = 1.5
"""Seconds."""


def main() -> int:
    """Runs the command given until it ends, or SIGTERM comes."""
    broker = subprocess.Popen(sys.argv[1:], start_new_session=True)

    def stop(*_: object) -> None:
        time.sleep(LAST_WORDS)
        broker.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return broker.wait()


if __name__ == "__main__":
    sys.exit(main())
