"""The connection to edgeHub by azure-iot-device.

The library's calls can hang for ever, and a client may not recover from an error. So every call has a timeout, and a client is
replaced after any failure. The result that was being sent is then sent again with the same id.
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
from bridge.sinks.edgehub.methods import Response
from bus import metric_names as names
from runtime.backoff import Backoff
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

KEEP_ALIVE = 30
"""Seconds between two pings. The library notices a frozen edgeHub after twice this time."""


@dataclass(slots=True)
class Timeouts:
    """The timeouts and intervals of the sink, in seconds."""

    call: float = 75.0
    """Timeout of a call into the library. It is longer than the library takes to notice a frozen edgeHub."""
    twin: float = 30.0
    """Timeout of the twin; doubles up to `twin_max` with each client that gets no twin, because it leaks a thread and 0.13 MB."""
    twin_max: float = 3600.0
    refresh: float = 300.0
    """Interval between two requests for the twin. Only a request shows that edgeHub has lost the session."""
    reconnect: float = 120.0
    """Timeout for the library to reconnect."""
    method: float = 4.0
    """Timeout of a direct method; the cloud waits five seconds."""
    token_lifetime: int = 3600
    """Lifetime of a token. The library renews it two minutes before it expires."""


class EdgeHubSink(Sink):
    """A sink that replaces its client after each failure."""

    max_pause = 2.0  # edgeHub runs on the same device

    def __init__(self, control: Control, metrics: Metrics, timeouts: Timeouts | None = None) -> None:
        self._control = control
        self._metrics = metrics
        self._timeouts = timeouts or Timeouts()
        self._twin_backoff = Backoff(self._timeouts.twin, self._timeouts.twin_max)
        self._session: _Session | None = None
        self._creation: Call[Any] | None = None

    def start(self) -> None:
        self._control.restore()

    def maintain(self) -> None:
        """Creates a client if there is none, and processes the twin and reports. Setups that wait do not need edgeHub."""
        self._control.maintain()
        with self._closing_on_failure():
            if self._session is None:
                self._session = _Session(self._control, self._create_client(), self._twin_backoff, self._timeouts)
                self._session.open()
                self._metrics.add(names.EDGEHUB_CLIENTS)
            self._session.maintain()
            self._metrics.put(names.EDGEHUB_STUCK, count_pending())

    def _create_client(self) -> Any:
        """Creates a client, or waits for an earlier attempt that hangs: the library calls the workload API without a timeout."""
        creation = self._creation = self._creation or Call(lambda: _new_client(self._timeouts.token_lifetime))
        if not creation.done_within(self._timeouts.call):
            raise TimeoutError(f"no answer from the workload API within {creation.age:.0f} s")
        self._creation = None
        return creation.result()

    def send(self, result: Result) -> None:
        """Sends a result, and returns when edgeHub has acknowledged it."""
        if self._session is None:
            raise NotSent("edgeHub: not connected")
        with self._closing_on_failure():
            self._session.send(result)

    @contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # the library's errors have no common base class
            self.close()
            raise NotSent(f"edgeHub: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


class _Session:
    """The lifetime of one client. All methods raise the library's errors."""

    def __init__(self, control: Control, client: Any, twin_backoff: Backoff, timeouts: Timeouts) -> None:
        self._control = control
        self._client = client
        self._twin_backoff = twin_backoff
        self._timeouts = timeouts
        self._twin_timeout = 0.0
        self._twin: Call[Any] | None = None
        self._has_handlers = self._was_connected = False
        self._connection_lost = threading.Event()
        """Set when the connection was lost after the last request for the twin."""
        self._twin_outdated = threading.Event()
        self._failure: Exception | None = None
        self._refreshed_at = self._connected_at = time.monotonic()

    def open(self) -> None:
        """Connects, and requests the twin."""
        self._client.on_background_exception = self._on_background_exception
        self._client.on_connection_state_change = self._on_connection_state_change
        call_with_timeout(self._client.connect, self._timeouts.call)
        self._twin_timeout = self._twin_backoff.next()
        self._request_twin()

    def close(self) -> None:
        """Shuts the client down in the background, because that can hang."""
        Call(self._client.shutdown)

    def send(self, result: Result) -> None:
        """Sends a result, and returns when edgeHub has acknowledged it."""
        client, message = self._client, _create_message(result)
        call_with_timeout(lambda: client.send_message_to_output(message, result.kind.output), self._timeouts.call)

    def maintain(self) -> None:
        """Processes the twin, requests it again when necessary, and sends reports."""
        if self._failure is not None:
            raise self._failure
        now = time.monotonic()
        if self._client.connected:
            self._connected_at = now
        elif now - self._connected_at > self._timeouts.reconnect:
            raise TimeoutError(f"no connection for {self._timeouts.reconnect:g} s")
        self._receive_twin()
        if not self._has_handlers:
            return
        if self._twin is None and self._client.connected:
            is_due = now - self._refreshed_at > self._timeouts.refresh
            if is_due or self._connection_lost.is_set() or self._twin_outdated.is_set():
                self._request_twin()
            elif (patch := self._control.due_report()) is not None:
                self._report(patch)

    def _report(self, patch: dict[str, Any]) -> None:
        """Sends reported properties. A report that the hub refuses is logged and does not end the session."""
        try:
            call_with_timeout(lambda: self._client.patch_twin_reported_properties(patch), self._timeouts.call)
        except TimeoutError:
            raise
        except Exception as error:
            log.warning("edgeHub refused the reported properties; they are sent again later: %s: %s", type(error).__name__, error)
            self._control.on_report_answered(is_accepted=False)
        else:
            self._control.on_report_answered(is_accepted=True)

    def _request_twin(self) -> None:
        self._connection_lost.clear()
        self._twin_outdated.clear()
        self._refreshed_at = time.monotonic()
        self._twin = Call(self._client.get_twin)

    def _receive_twin(self) -> None:
        """Applies the twin if it has arrived. Sets the handlers only after the first: set earlier, they are never called."""
        if self._twin is None:
            return
        if not self._twin.done():
            if self._connection_lost.is_set() and self._client.connected:
                raise ConnectionError("the connection was lost before the twin arrived")
            if self._twin.age > self._twin_timeout:
                raise TimeoutError(f"the twin did not arrive within {self._twin_timeout:g} s")
            return
        twin, self._twin = self._twin.result(), None
        self._twin_backoff.reset()
        self._control.on_twin(twin)
        if not self._has_handlers:
            call_with_timeout(self._set_handlers, self._timeouts.call)
            self._has_handlers = True

    def _set_handlers(self) -> None:
        self._client.on_twin_desired_properties_patch_received = self._on_patch
        self._client.on_method_request_received = self._on_method

    def _on_patch(self, _patch: Any) -> None:
        """Marks the twin as outdated. Patches themselves are not applied: they can be lost, or arrive in any order."""
        self._twin_outdated.set()

    def _on_connection_state_change(self) -> None:
        """Records a lost connection. The library also reports the first one, sometimes after `connect` has returned."""
        if self._was_connected:
            self._connection_lost.set()
        self._was_connected = True

    def _on_background_exception(self, error: Exception) -> None:
        """Ends the session if a token renewal failed, because the library never repeats it. It handles or raises other errors."""
        if "SasToken" in f"{type(error).__name__} {type(error.__cause__).__name__}":
            self._failure = error
        log.warning("edgeHub: background error: %s: %s", type(error).__name__, error)

    def _on_method(self, request: Any) -> None:
        from azure.iot.device import MethodResponse  # noqa: PLC0415

        timeout = self._timeouts.method
        try:
            response = call_with_timeout(lambda: self._control.methods.execute(request.name, request.payload), timeout)
        except TimeoutError:
            response = Response(504, {"error": f"the method takes longer than {timeout:g} s"})
        except Exception as error:
            log.exception("direct method %s failed", request.name)
            response = Response(500, {"error": f"{type(error).__name__}: {error}"[:500]})
        message = MethodResponse.create_from_method_request(request, response.status, response.body)
        call_with_timeout(lambda: self._client.send_method_response(message), self._timeouts.call)


def _new_client(token_lifetime: int) -> Any:
    from azure.iot.device import IoTHubModuleClient  # noqa: PLC0415  # a large import that only this sink needs

    return IoTHubModuleClient.create_from_edge_environment(keep_alive=KEEP_ALIVE, sastoken_ttl=token_lifetime)


def _create_message(result: Result) -> Any:
    """Returns the library's message. IoT Hub can route by the body only if it is declared as UTF-8 JSON."""
    from azure.iot.device import Message  # noqa: PLC0415

    message: Any = Message(result.body.encode(), result.id, "utf-8", "application/json")  # type: ignore[no-untyped-call]
    message.custom_properties = dict(result.properties)
    return message
