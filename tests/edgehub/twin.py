"""The cloud side of a module: its twin and its direct methods."""

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
    """The twin of a module, and calls of its methods.

    `desired` and `reported` have no `$version`; `reports` has each reported patch. While `is_silent` is set, requests for the
    twin are not answered; while `refuse_reports` is set, reports are answered with 413. Patches and calls have QoS 0, as with
    IoT Hub: a module that is not connected and subscribed never receives them.
    """

    def __init__(self, send: Callable[[str, bytes], bool]) -> None:
        """`send` publishes a payload to a topic. It returns False if the module is not connected."""
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
        """Merges changes into `desired` without publishing them. Returns the patch for `publish`, with the new `$version`."""
        with self._lock:
            self.version += 1
            self.desired = apply_patch(self.desired, changes)
            return {**changes, "$version": self.version}

    def patch(self, changes: dict[str, Any]) -> None:
        """Merges changes into `desired`, and publishes the patch to the module."""
        self.publish(self.merge(changes))

    def publish(self, patch: dict[str, Any]) -> None:
        """Publishes a patch that `merge` returned. A test can do so in any order, and repeatedly."""
        self._send(f"{DESIRED}?$version={patch['$version']}", json.dumps(patch).encode())

    def call(self, name: str, payload: Any, seconds: float = limit(10)) -> tuple[int, Any]:
        """Calls a direct method. Returns its status and decoded body. Raises `TimeoutError` when there is no answer."""
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
        """Returns the topic and payload that answer a message from the module; None if there is no answer."""
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
            self.reported = apply_patch(self.reported, self.reports[-1])
            return f"{RESULT}204/?$rid={request}&$version={len(self.reports) + 1}", b""
        if topic.startswith(ANSWERS) and (call := self._calls.get(request)):
            call.put((int(topic.removeprefix(ANSWERS).partition("/")[0]), payload))
        return None


def apply_patch(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Returns a document with a merge patch (RFC 7396) applied."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = apply_patch(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result
