"""The log lines of HTTP servers, at a limited rate: what clients send, or a lack of file descriptors, must not fill a disk."""

import logging

from runtime.listener import EXHAUSTED
from runtime.logs import LogThrottle

LOGGERS = ("uvicorn.error", "asyncio")


class HttpLogFilter(logging.Filter):
    """Passes one line a minute of each kind.

    A lack of resources has no traceback, which would not help. Nor has text of a client that is not UTF-8, which is a warning.
    """

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle()

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the record is logged."""
        error = record.exc_info[1] if record.exc_info else None
        first = record.getMessage().strip().partition("\n")[0]
        is_exhausted = isinstance(error, OSError) and error.errno in EXHAUSTED
        if is_exhausted:
            first = f"{error.strerror}; clients are refused or wait until this has passed"  # type: ignore[union-attr]
            record.exc_info = record.exc_text = None
        elif isinstance(error, UnicodeDecodeError) or (error and isinstance(error.__context__, UnicodeDecodeError)):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        more = self._throttle(f"{first[:200]} {type(error).__name__}")
        record.msg, record.args = f"HTTP: {first}{more}", ()
        return more is not None


def limit_lines() -> None:
    """Limits the lines of uvicorn and asyncio. Further calls change nothing."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, HttpLogFilter) for one in logger.filters):
            logger.addFilter(HttpLogFilter())
