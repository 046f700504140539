"""A module twin as edgeHub keeps it: desired and reported properties, each with a version."""

import json
import threading
import time
from typing import Any

GET = "$iothub/twin/GET/"
REPORTED = "$iothub/twin/PATCH/properties/reported/"
RESULT = "$iothub/twin/res/"
DESIRED = "$iothub/twin/PATCH/properties/desired/"


class TwinDocument:
    """Answers requests for the twin, and keeps what a module reports.

    `desired` and `reported` are without their `$version`; `reports` holds each reported patch as `{"patch": ..., "at": ...}`
    with the time of its arrival in seconds (monotonic); `gets` counts the requests for the twin, which `is_silent` leaves
    unanswered.
    """

    def __init__(self) -> None:
        self.desired: dict[str, Any] = {}
        self.version = 1
        self.reported: dict[str, Any] = {}
        self.reported_version = 1
        self.reports: list[dict[str, Any]] = []
        self.gets = 0
        self.is_silent = False
        self._lock = threading.Lock()

    def merge(self, changes: dict[str, Any], version: int | None = None) -> dict[str, Any]:
        """Merges changes into `desired`, unknown to the module; the patch that would tell it, with the new `$version`."""
        with self._lock:
            self.version = self.version + 1 if version is None else version
            self.desired = merged(self.desired, changes)
            return {**changes, "$version": self.version}

    def answer(self, topic: str, payload: bytes) -> tuple[str, bytes] | None:
        """Topic and payload of the answer to a request on the topic; None for none."""
        request = request_id(topic)
        if topic.startswith(GET):
            return self._twin(request)
        if topic.startswith(REPORTED):
            return self._report(request, payload)
        return None

    def _twin(self, request: str) -> tuple[str, bytes] | None:
        with self._lock:
            self.gets += 1
            if self.is_silent:
                return None
            content = {
                "desired": {**self.desired, "$version": self.version},
                "reported": {**self.reported, "$version": self.reported_version},
            }
        return f"{RESULT}200/?$rid={request}", json.dumps(content).encode()

    def _report(self, request: str, payload: bytes) -> tuple[str, bytes]:
        try:
            patch = json.loads(payload)
        except (ValueError, RecursionError):
            patch = None
        if not isinstance(patch, dict):
            return f"{RESULT}400/?$rid={request}", b""
        with self._lock:
            self.reports.append({"patch": patch, "at": time.monotonic()})
            self.reported = merged(self.reported, patch)
            self.reported_version += 1
            return f"{RESULT}204/?$rid={request}&$version={self.reported_version}", b""


def merged(old: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The old properties with the changes: maps go into maps, null deletes."""
    result = dict(old)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = value
    return result


def request_id(topic: str) -> str:
    """The `$rid` of a topic; empty when it has none."""
    return topic.partition("$rid=")[2].partition("&")[0]
