"""Log lines in the format that `edgeAgent` parses, and a limit on how often one is repeated."""

import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

# The syslog severity and the short name that IoT Edge's log pull parses.
_LEVELS = {
    logging.DEBUG: (7, "DBG"),
    logging.INFO: (6, "INF"),
    logging.WARNING: (4, "WRN"),
    logging.ERROR: (3, "ERR"),
    logging.CRITICAL: (2, "CRT"),
}


class EdgeFormatter(logging.Formatter):
    """``<6> 2026-01-01 00:00:00.000 +00:00 [INF] - text``; without the time and severity when `plain`."""

    def __init__(self, plain: bool = False) -> None:
        super().__init__()
        self._plain = plain

    def format(self, record: logging.LogRecord) -> str:
        severity, name = _LEVELS.get(record.levelno, (6, record.levelname[:3]))
        text = one_line(record.getMessage())
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        if self._plain:
            return f"[{name}] {text}"
        time_and_zone = datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds")
        return f"<{severity}> {time_and_zone[:23]} {time_and_zone[23:]} [{name}] - {text}"


def configure(verbose: bool, plain: bool = False) -> None:
    """Sends the process's log to standard error; standard output is for results."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EdgeFormatter(plain))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for chatty in ("azure", "paho"):
        logging.getLogger(chatty).setLevel(logging.INFO if verbose else logging.WARNING)
    silence_http_clients()


def silence_http_clients() -> None:
    """Drops the lines of HTTP libraries: they hold whole addresses, with passwords and tokens."""
    for name in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def one_line(text: str) -> str:
    """The text with line ends and other control characters escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


class LogThrottle:
    """Limits a log line to one in `seconds`, and counts those it held back; for at most `most` different keys."""

    def __init__(self, seconds: float = 60.0, most: int = 256, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """By key: when it was logged last, and how many were held back since."""

    def __call__(self, key: str) -> str | None:
        """None when it was logged lately, else what to append to the line: how many were held back, or nothing."""
        now = self._clock()
        with self._lock:
            logged_at, held_back = self._logged.get(key, (None, 0))
            if logged_at is not None and now - logged_at < self._seconds:
                self._logged[key] = (logged_at, held_back + 1)
                return None
            if logged_at is None and len(self._logged) >= self._most and not self._drop_oldest(now):
                return None
            self._logged[key] = (now, 0)
            self._logged.move_to_end(key)
        return f" ({held_back} more like it)" if held_back else ""

    def _drop_oldest(self, now: float) -> bool:
        """False when even the oldest key is recent: many senders at once are limited together."""
        oldest = next(iter(self._logged))
        if now - self._logged[oldest][0] < self._seconds:
            return False
        del self._logged[oldest]
        return True
