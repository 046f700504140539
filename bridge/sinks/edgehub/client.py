"""The connection to edgeHub by azure-iot-device, whose calls may hang for ever and whose errors may last as long as its client.

So every call has a time-out, and after any failure the client is discarded and a new one created. What was being sent is sent
again then, under the same id.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bridge.results import Result
from bridge.sinks import NotSent, Sink
from bridge.sinks.edgehub.call import Call, call_with_timeout, count_pending
from bridge.sinks.edgehub.control import Control
from bridge.sinks.edgehub.methods import Answer
from bus import metric_names as names
from runtime.backoff import Backoff
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

KEEP_ALIVE = 30
"""Seconds; the library notices a frozen edgeHub after twice as long."""


@dataclass(slots=True)
class Timeouts:
    """Seconds."""

    call: float = 75.0
    """For a call: longer than the library itself takes to notice a frozen edgeHub."""
    twin: float = 30.0
    """For the first answer to a request for the twin; doubled, up to `twin_max`, with each client that got none: the thread that
    asked is stuck for good, and costs 0.13 MB with its client."""
    twin_max: float = 3600.0
    refresh: float = 300.0
    """Until the twin is requested again: only so is it noticed that edgeHub has lost its session."""
    unconnected: float = 120.0
    """Without a connection, after which the library is not trusted to reconnect."""
    method: float = 4.0
    """For the answer of a method; the caller waits five."""
    token_life: int = 3600
    """Of a token, which is renewed two minutes before."""


class EdgeHubSink(Sink):
    """Sends through one client after the other."""

    def __init__(self, control: Control, metrics: Metrics, timeouts: Timeouts | None = None) -> None:
        self._control = control
        self._metrics = metrics
        self._timeouts = timeouts or Timeouts()
        self._twin_backoff = Backoff(self._timeouts.twin, self._timeouts.twin_max)
        self._session: _Session | None = None
        self._creating: Call[Any] | None = None

    def begin(self) -> None:
        self._control.recall()

    def maintain(self) -> None:
        """Create a client if there is none, and handle twin, patches and reports."""
        with self._discarded_on_failure():
            if self._session is None:
                self._session = _Session(self._control, self._create_client(), self._twin_backoff, self._timeouts)
                self._session.open()
                self._metrics.add(names.EDGEHUB_CLIENTS)
            self._session.maintain()
            self._metrics.put(names.EDGEHUB_STUCK, count_pending())

    def _create_client(self) -> Any:
        """A new client. The library asks the workload API without a time-out: a request that hangs is not repeated."""
        creating = self._creating = self._creating or Call(lambda: _new_client(self._timeouts.token_life))
        if not creating.done_within(self._timeouts.call):
            raise TimeoutError(f"the workload API has not answered within {creating.age:.0f} s")
        self._creating = None
        return creating.result()

    def send(self, result: Result) -> None:
        """Return when edgeHub has acknowledged the result."""
        if self._session is None:
            raise NotSent("edgeHub: not connected")
        with self._discarded_on_failure():
            self._session.send(result)

    @contextmanager
    def _discarded_on_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # the library's errors have no common root
            self.close()
            raise NotSent(f"edgeHub: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


class _Session:
    """The life of one client. Its methods raise whatever the library does."""

    def __init__(self, control: Control, client: Any, twin_backoff: Backoff, timeouts: Timeouts) -> None:
        self._control = control
        self._client = client
        self._twin_backoff = twin_backoff
        self._timeouts = timeouts
        self._twin_timeout = 0.0
        self._twin: Call[Any] | None = None
        self._has_handlers = self._was_connected = False
        self._was_lost = threading.Event()
        """The connection, since the twin was requested."""
        self._is_outdated = threading.Event()
        self._failure: Exception | None = None
        self._refreshed_at = self._connected_at = time.monotonic()

    def open(self) -> None:
        """Connect, and request the twin."""
        self._client.on_background_exception = self._on_background_exception
        self._client.on_connection_state_change = self._on_connection_state_change
        call_with_timeout(self._client.connect, self._timeouts.call)
        self._twin_timeout = self._twin_backoff.next()
        self._request_twin()

    def close(self) -> None:
        """Shut the client down without waiting: that may take a while, or for ever."""
        Call(self._client.shutdown)

    def send(self, result: Result) -> None:
        """Return when the result is acknowledged."""
        client, message = self._client, _create_message(result)
        call_with_timeout(lambda: client.send_message_to_output(message, result.kind.output), self._timeouts.call)

    def maintain(self) -> None:
        """Handle twin, patches and reports."""
        if self._failure is not None:
            raise self._failure
        now = time.monotonic()
        if self._client.connected:
            self._connected_at = now
        elif now - self._connected_at > self._timeouts.unconnected:
            raise TimeoutError(f"not connected for {self._timeouts.unconnected:g} s")
        self._receive_twin()
        if not self._has_handlers:
            return
        if self._twin is None and self._client.connected:
            is_due = now - self._refreshed_at > self._timeouts.refresh
            if is_due or self._was_lost.is_set() or self._is_outdated.is_set():
                self._request_twin()
            elif (patch := self._control.due()) is not None:
                self._report(patch)

    def _report(self, patch: dict[str, Any]) -> None:
        """A report that the hub refuses does not hold up anything else."""
        try:
            call_with_timeout(lambda: self._client.patch_twin_reported_properties(patch), self._timeouts.call)
        except TimeoutError:
            raise
        except Exception as error:
            log.warning("edgeHub refuses the report: %s: %s", type(error).__name__, error)
            self._control.reported(is_accepted=False)
        else:
            self._control.reported(is_accepted=True)

    def _request_twin(self) -> None:
        self._was_lost.clear()
        self._is_outdated.clear()
        self._refreshed_at = time.monotonic()
        self._twin = Call(self._client.get_twin)

    def _receive_twin(self) -> None:
        """Apply the twin if it has come. Handlers may be set only after the first, or the library never calls them."""
        if self._twin is None:
            return
        if not self._twin.done():
            if self._was_lost.is_set() and self._client.connected:
                raise ConnectionError("the connection was lost before the twin came")
            if self._twin.age > self._twin_timeout:
                raise TimeoutError(f"the twin did not come within {self._twin_timeout:g} s")
            return
        twin, self._twin = self._twin.result(), None
        self._twin_backoff.reset()
        self._control.received(twin)
        if not self._has_handlers:
            call_with_timeout(self._set_handlers, self._timeouts.call)
            self._has_handlers = True

    def _set_handlers(self) -> None:
        self._client.on_twin_desired_properties_patch_received = self._on_patch
        self._client.on_method_request_received = self._on_method

    def _on_patch(self, _patch: Any) -> None:
        """Only says that the twin has changed: patches may be lost, and the library's threads deliver them in any order."""
        self._is_outdated.set()

    def _on_connection_state_change(self) -> None:
        """The library reports the first connection too, at times after `connect` has returned."""
        if self._was_connected:
            self._was_lost.set()
        self._was_connected = True

    def _on_background_exception(self, error: Exception) -> None:
        """A token renewal that failed is never repeated; the library handles all else, or raises it to its caller."""
        if "SasToken" in f"{type(error).__name__} {type(error.__cause__).__name__}":
            self._failure = error
        log.warning("edgeHub: %s: %s", type(error).__name__, error)

    def _on_method(self, request: Any) -> None:
        from azure.iot.device import MethodResponse  # noqa: PLC0415

        timeout = self._timeouts.method
        try:
            answer = call_with_timeout(lambda: self._control.methods.answer(request.name, request.payload), timeout)
        except TimeoutError:
            answer = Answer(504, {"error": f"it takes longer than {timeout:g} s"})
        except Exception as error:
            log.exception("the method %s failed", request.name)
            answer = Answer(500, {"error": f"{type(error).__name__}: {error}"[:500]})
        response = MethodResponse.create_from_method_request(request, answer.status, answer.body)
        call_with_timeout(lambda: self._client.send_method_response(response), self._timeouts.call)


def _new_client(token_life: int) -> Any:
    from azure.iot.device import IoTHubModuleClient  # noqa: PLC0415  # a large import, for those who use it

    return IoTHubModuleClient.create_from_edge_environment(keep_alive=KEEP_ALIVE, sastoken_ttl=token_life)


def _create_message(result: Result) -> Any:
    """The library's message: UTF-8 JSON, declared as such, or IoT Hub cannot route on the body."""
    from azure.iot.device import Message  # noqa: PLC0415

    message: Any = Message(result.body.encode(), result.id, "utf-8", "application/json")  # type: ignore[no-untyped-call]
    message.custom_properties = dict(result.properties)
    return message
