"""Log lines as `edgeAgent` reads them, and a bound on how often one thing is said."""

import logging
import sys
import threading
import time
from collections import OrderedDict
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
    """Sends the process's log to standard error, which leaves standard output to results."""
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
    """The text with line ends and whatever else would steer a terminal escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


class LogThrottle:
    """Lets one thing be said at most once in `seconds`, and knows how often it was held back; remembers `most` things."""

    def __init__(self, seconds: float = 60.0, most: int = 256) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = threading.Lock()
        self._said: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __call__(self, thing: str) -> str | None:
        """None when it was said lately, else what to add to the line: how many like it went unsaid, or nothing."""
        now = time.monotonic()
        with self._lock:
            said_at, unsaid = self._said.get(thing, (None, 0))
            if said_at is not None and now - said_at < self._seconds:
                self._said[thing] = (said_at, unsaid + 1)
                return None
            if said_at is None and len(self._said) >= self._most and not self._forget(now):
                return None
            self._said[thing] = (now, 0)
            self._said.move_to_end(thing)
        return f" ({unsaid} more like it)" if unsaid else ""

    def _forget(self, now: float) -> bool:
        """Drops the thing said longest ago; False when even that is too fresh: many senders at once stay bounded too."""
        oldest = next(iter(self._said))
        if now - self._said[oldest][0] < self._seconds:
            return False
        del self._said[oldest]
        return True
