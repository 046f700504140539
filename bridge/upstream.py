"""Where selected results go, and how one is written down."""

import json
import logging
import sys
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, Protocol, TextIO

from typing_extensions import Self

from bus import Visit

log = logging.getLogger(__name__)


class Upstream(Protocol):
    """Takes results without waiting; entered for as long as it is to take them."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def send(self, visit: Visit) -> None:
        """Sends the visit, now or when it can."""
        ...


class LogUpstream:
    """Writes each result as a line of JSON."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is left to write."""

    def send(self, visit: Visit) -> None:
        """Writes the line at once; what cannot be written is told."""
        try:
            self._out.write(json.dumps(telemetry(visit), ensure_ascii=False) + "\n")
            self._out.flush()
        except OSError as error:
            log.error("visit %s could not be written: %s", visit.id, error)


def telemetry(visit: Visit) -> dict[str, Any]:
    """A visit as it leaves the site: Footfall's fields beside those of a Custom Vision answer, which cloud queries may know."""
    return {
        "id": visit.id,
        "camera": visit.camera,
        "label": visit.label,
        "started_at": visit.started_at,
        "ended_at": visit.ended_at,
        "peak": visit.peak,
        "frames": visit.frames,
        "created": datetime.fromtimestamp(visit.ended_at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "predictions": [{"tagName": visit.label, "probability": visit.peak}],
    }
