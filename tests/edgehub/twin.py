"""The cloud's side of a module: its twin as edgeHub keeps it, and its direct methods."""

import itertools
import json
import queue
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.support.wait import limit

GET = "$iothub/twin/GET/"
REPORTED = "$iothub/twin/PATCH/properties/reported/"
RESULT = "$iothub/twin/res/"
DESIRED = "$iothub/twin/PATCH/properties/desired/"
METHODS = "$iothub/methods/POST/"
ANSWERS = "$iothub/methods/res/"


class Twin:
    """Answers requests for the twin, patches it, and calls methods.

    `desired` and `reported` are without their `$version`; `reports` holds each reported patch. `is_silent` leaves requests for
    the twin unanswered; `refuse_reports` answers reports with 413. Patches and calls go out with QoS 0: a module that is not
    connected and subscribed never gets them, as with IoT Hub.
    """

    def __init__(self, send: Callable[[str, bytes], bool]) -> None:
        """`send` (topic, payload) is False when the module is not connected."""
        self.desired: dict[str, Any] = {}
        self.version = 1
        self.reported: dict[str, Any] = {}
        self.reports: list[dict[str, Any]] = []
        self.refused = 0
        self.is_silent = self.refuse_reports = False
        self._send = send
        self._lock = threading.Lock()
        self._requests = itertools.count(1)
        self._calls: dict[str, queue.Queue[tuple[int, bytes]]] = {}

    def merge(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Merge changes into `desired` without telling the module; the patch that would, with the new `$version`."""
        with self._lock:
            self.version += 1
            self.desired = merged(self.desired, changes)
            return {**changes, "$version": self.version}

    def patch(self, changes: dict[str, Any]) -> None:
        """Merge changes into `desired` and publish the patch to the module."""
        self.publish(self.merge(changes))

    def publish(self, patch: dict[str, Any]) -> None:
        """Publish a patch that `merge` returned; in any order, and repeatedly."""
        self._send(f"{DESIRED}?$version={patch['$version']}", json.dumps(patch).encode())

    def call(self, name: str, payload: Any, seconds: float = limit(10)) -> tuple[int, Any]:
        """Status and decoded answer of a direct method; `TimeoutError` when none comes."""
        request = str(next(self._requests))
        answer = self._calls[request] = queue.Queue()
        try:
            if not self._send(f"{METHODS}{quote(name, safe='')}/?$rid={request}", json.dumps(payload).encode()):
                raise ConnectionError("the module is not connected")
            status, body = answer.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"method {name!r}: no answer within {seconds:g} s") from None
        finally:
            del self._calls[request]
        return status, json.loads(body) if body else None

    def answer(self, topic: str, payload: bytes) -> tuple[str, bytes] | None:
        """Topic and payload of the answer to what the module published; None for none."""
        request = topic.partition("$rid=")[2].partition("&")[0]
        if topic.startswith(GET) and not self.is_silent:
            with self._lock:
                desired = {**self.desired, "$version": self.version}
            reported = {**self.reported, "$version": len(self.reports) + 1}
            return f"{RESULT}200/?$rid={request}", json.dumps({"desired": desired, "reported": reported}).encode()
        if topic.startswith(REPORTED):
            if self.refuse_reports:
                self.refused += 1
                return f"{RESULT}413/?$rid={request}", b""
            self.reports.append(json.loads(payload))
            self.reported = merged(self.reported, self.reports[-1])
            return f"{RESULT}204/?$rid={request}&$version={len(self.reports) + 1}", b""
        if topic.startswith(ANSWERS) and (call := self._calls.get(request)):
            call.put((int(topic.removeprefix(ANSWERS).partition("/")[0]), payload))
        return None


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
