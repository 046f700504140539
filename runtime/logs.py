"""Log lines in the format that IoT Edge's `edgeAgent` parses, and a throttle for repeated lines."""

import logging
import os
import sys
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

# Syslog severity and short name, as IoT Edge parses them.
_LEVELS = {
    logging.DEBUG: (7, "DBG"),
    logging.INFO: (6, "INF"),
    logging.WARNING: (4, "WRN"),
    logging.ERROR: (3, "ERR"),
    logging.CRITICAL: (2, "CRT"),
}


class EdgeFormatter(logging.Formatter):
    """A formatter for lines like ``<6> 2026-01-01 00:00:00.000 +00:00 [INF] - text``, or ``[INF] text`` if `plain`."""

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
    """Configures logging to standard error; standard output is for results."""
    handler = logging.StreamHandler(_standard_error())
    handler.setFormatter(EdgeFormatter(plain))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for chatty in ("azure", "paho"):
        logging.getLogger(chatty).setLevel(logging.INFO if verbose else logging.WARNING)
    silence_http_clients()


def _standard_error() -> TextIO:
    """Returns standard error with a descriptor of its own, which stays when C libraries are silenced."""
    try:
        if sys.stderr.fileno() == 2:
            return os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)
    except OSError:  # tests replace it by an object without a descriptor
        pass
    return sys.stderr


def silence_http_clients() -> None:
    """Suppresses the log lines of HTTP libraries, which contain addresses with passwords and tokens.

    For some invalid cookies, Python's library would write a traceback. They are ignored.
    """
    for name in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "http.cookiejar bug!")


def one_line(text: str) -> str:
    """Returns the text with line breaks and other control characters escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


class LogThrottle:
    """A limit of one log line per key in `seconds`, with a count of suppressed lines; it remembers at most `max_keys` keys."""

    def __init__(self, seconds: float = 60.0, max_keys: int = 256, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._max_keys = max_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """By key: the time of the last line, and the number of lines suppressed since."""

    def __call__(self, key: str) -> str | None:
        """Returns None if the line must be suppressed, otherwise a suffix for the line with the number of suppressed ones."""
        now = self._clock()
        with self._lock:
            logged_at, suppressed = self._logged.get(key, (None, 0))
            if logged_at is not None and now - logged_at < self._seconds:
                self._logged[key] = (logged_at, suppressed + 1)
                return None
            if logged_at is None and len(self._logged) >= self._max_keys and not self._drop_oldest(now):
                return None
            self._logged[key] = (now, 0)
            self._logged.move_to_end(key)
        return f" ({suppressed} similar lines suppressed)" if suppressed else ""

    def _drop_oldest(self, now: float) -> bool:
        """Forgets the oldest key. Returns False if even that is recent, so that a flood of keys is throttled as a whole."""
        oldest = next(iter(self._logged))
        if now - self._logged[oldest][0] < self._seconds:
            return False
        del self._logged[oldest]
        return True
