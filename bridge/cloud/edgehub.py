"""IoT Edge's edgeHub, by azure-iot-device, whose calls may hang for ever and whose errors may last as long as its client.

So every call has a time-out, and whatever goes wrong ends in the same: the client is thrown away and a new one made. What was
being sent is sent again then, under the same id.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bridge.cloud.call import Call, in_time, stuck
from bridge.cloud.control import Control
from bridge.cloud.methods import Answer
from bridge.cloud.twin import Taken, version_of
from bridge.outgoing import Outgoing
from bridge.upstream import NotSent
from bus import InvalidSetting
from runtime.backoff import Backoff
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

TIMEOUT = 75.0
"""Seconds for a call: longer than the library itself takes to notice a frozen edgeHub."""
KEEP_ALIVE = 30
"""Seconds; the library notices a frozen edgeHub after twice as long."""
TWIN_PATIENCE = 30.0, 3600.0
"""Seconds for the twin to be told, doubled with each client that it was not told to: the thread that asked is stuck for good, and
with its client costs 0.13 MB."""
REFRESH_EVERY = 300.0
"""Seconds after which the twin is asked for again: an edgeHub that has lost its session answers no more, which shows only so."""
UNCONNECTED = 120.0
"""Seconds without a connection after which the library is not trusted to come back."""
METHOD_TIMEOUT = 4.0
"""Seconds; the answer of a method is to be there within 5."""
TOKEN_LIFE = 3600
"""Seconds; renewed two minutes before."""
_EDGE = (
    "IOTEDGE_IOTHUBHOSTNAME",
    "IOTEDGE_DEVICEID",
    "IOTEDGE_MODULEID",
    "IOTEDGE_GATEWAYHOSTNAME",
    "IOTEDGE_MODULEGENERATIONID",
    "IOTEDGE_WORKLOADURI",
    "IOTEDGE_APIVERSION",
)
_DEBUG = ("EdgeHubConnectionString", "EdgeModuleCACertificateFile")
_CONNECTION = ("HostName", "GatewayHostName", "DeviceId", "ModuleId", "SharedAccessKey")


def _check(connection: str) -> None:
    """Raises `InvalidSetting` for a connection string that no retry mends; its key is not told."""
    given = {part.partition("=")[0] for part in connection.split(";") if part.partition("=")[2]}
    if missing := [name for name in _CONNECTION if name not in given]:
        raise InvalidSetting(f"EdgeHubConnectionString: {', '.join(missing)} missing; {'=...;'.join(_CONNECTION)}=... is needed")


class EdgeHubUpstream:
    """Sends messages through one client after the other; used by one thread, as `bridge.upstream.Upstream` says."""

    def __init__(self, control: Control, metrics: Metrics) -> None:
        """Raises `InvalidSetting` when the environment names no edgeHub."""
        if all(os.environ.get(name) for name in _DEBUG):
            _check(os.environ[_DEBUG[0]])
        elif not all(os.environ.get(name) for name in _EDGE):
            needed = f"what IoT Edge sets ({', '.join(_EDGE)}) or else {' and '.join(_DEBUG)}"
            raise InvalidSetting(f"UPSTREAM='edgehub': the environment must have {needed}")
        self._control = control
        self._metrics = metrics
        self._patience = Backoff(*TWIN_PATIENCE)
        self._session: _Session | None = None
        self._making: Call[Any] | None = None

    def tend(self) -> None:
        """Makes a client where there is none, and has it do what is due. Raises `NotSent`, with the client thrown away."""
        with self._thrown_away_on_failure():
            if self._session is None:
                self._session = _Session(self._control, self._made(), self._patience)
                self._session.open()
                self._metrics.add("upstream_clients")
            self._session.tend()
            self._metrics.put("upstream_stuck", stuck())

    def _made(self) -> Any:
        """A new client. The library asks the workload API without a time-out: a question that hangs is not asked again."""
        making = self._making = self._making or Call(_new_client)
        if not making.is_over_in(TIMEOUT):
            raise TimeoutError(f"the workload API has not answered within {making.age:.0f} s")
        self._making = None
        return making.result(0)

    def send(self, message: Outgoing) -> None:
        """Returns when edgeHub has acknowledged the message. Raises `NotSent`, with the client thrown away."""
        if self._session is None:
            raise NotSent("edgeHub: not connected")
        with self._thrown_away_on_failure():
            self._session.send(message)

    @contextmanager
    def _thrown_away_on_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # the library's errors have no common root
            self.close()
            raise NotSent(f"edgeHub: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Lets the client go."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


class _Session:
    """The life of one client. Its methods raise whatever the library does."""

    def __init__(self, control: Control, client: Any, patience: Backoff) -> None:
        self._control = control
        self._client = client
        self._patience = patience
        self._twin_in = 0.0
        self._twin: Call[Any] | None = None
        self._has_handlers = False
        self._is_stale = threading.Event()
        self._patches: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._failed: queue.SimpleQueue[Exception] = queue.SimpleQueue()
        self._refreshed_at = self._connected_at = time.monotonic()

    def open(self) -> None:
        """Connects, and asks for the twin."""
        self._client.on_background_exception = self._on_background_exception
        in_time(self._client.connect, TIMEOUT)
        self._client.on_connection_state_change = self._is_stale.set
        self._twin_in = self._patience.next()
        self._ask()

    def close(self) -> None:
        """Lets the client go, without waiting: that may take a while, or for ever."""
        if self._twin is not None and not self._twin.is_over:
            self._twin.give_up()
        Call(self._client.shutdown)

    def send(self, message: Outgoing) -> None:
        """Returns when the message is acknowledged."""
        client, made = self._client, _message(message)
        in_time(lambda: client.send_message_to_output(made, message.kind.output), TIMEOUT)

    def tend(self) -> None:
        """Looks after twin, patches and reports."""
        if not self._failed.empty():
            raise self._failed.get()
        now = time.monotonic()
        if self._client.connected:
            self._connected_at = now
        elif now - self._connected_at > UNCONNECTED:
            raise TimeoutError(f"not connected for {UNCONNECTED:g} s")
        self._hear_twin()
        if not self._has_handlers:
            return
        self._hear_patches()
        if self._twin is None and self._client.connected:
            if self._is_stale.is_set() or now - self._refreshed_at > REFRESH_EVERY:
                self._ask()
            elif (patch := self._control.due()) is not None:
                self._report(patch)

    def _report(self, patch: dict[str, Any]) -> None:
        """One that the hub refuses holds nothing else up."""
        try:
            in_time(lambda: self._client.patch_twin_reported_properties(patch), TIMEOUT)
        except TimeoutError:
            raise
        except Exception as error:
            log.warning("edgeHub takes no report: %s: %s", type(error).__name__, error)
            self._control.refused()
        else:
            self._control.reported(patch)

    def _ask(self) -> None:
        self._is_stale.clear()
        self._refreshed_at = time.monotonic()
        self._twin = Call(self._client.get_twin)

    def _hear_twin(self) -> None:
        """Regards the twin if it has come. Only after the first may handlers be set, or the library never hears of any."""
        if self._twin is None:
            return
        if not self._twin.is_over:
            if self._is_stale.is_set() and self._client.connected:
                raise ConnectionError("the connection was lost before the twin was told")
            if self._twin.age > self._twin_in:
                raise TimeoutError(f"the twin was not told within {self._twin_in:g} s")
            return
        twin, self._twin = self._twin.result(0), None
        self._patience.reset()
        if self._has_handlers:
            self._control.refreshed(twin)
            return
        self._control.connected(twin)
        in_time(self._set_handlers, TIMEOUT)
        self._has_handlers = True

    def _set_handlers(self) -> None:
        self._client.on_twin_desired_properties_patch_received = self._patches.put
        self._client.on_method_request_received = self._on_method

    def _hear_patches(self) -> None:
        """In the order of their versions, which is not that in which the library's threads bring them."""
        patches = []
        while not self._patches.empty():
            patches.append(self._patches.get())
        for patch in sorted(patches, key=version_of):
            if self._control.patched(patch) is Taken.GAP:
                self._is_stale.set()

    def _on_background_exception(self, error: Exception) -> None:
        """A token that could not be renewed is never tried again; all else the library mends itself or has told its caller."""
        if "SasToken" in f"{type(error).__name__} {type(error.__cause__).__name__}":
            self._failed.put(error)
        log.warning("edgeHub: %s: %s", type(error).__name__, error)

    def _on_method(self, request: Any) -> None:
        from azure.iot.device import MethodResponse  # noqa: PLC0415

        try:
            answer = in_time(lambda: self._control.methods.answer(request.name, request.payload), METHOD_TIMEOUT)
        except TimeoutError:
            answer = Answer(504, {"error": f"it takes longer than {METHOD_TIMEOUT:g} s"})
        except Exception as error:
            log.exception("the method %s failed", request.name)
            answer = Answer(500, {"error": f"{type(error).__name__}: {error}"[:500]})
        response = MethodResponse.create_from_method_request(request, answer.status, answer.body)
        in_time(lambda: self._client.send_method_response(response), TIMEOUT)


def _new_client() -> Any:
    from azure.iot.device import IoTHubModuleClient  # noqa: PLC0415  # a large import, for those who use it

    return IoTHubModuleClient.create_from_edge_environment(keep_alive=KEEP_ALIVE, sastoken_ttl=TOKEN_LIFE)


def _message(message: Outgoing) -> Any:
    """The library's message: UTF-8 JSON, said to be that, or IoT Hub could not route on what is in it."""
    from azure.iot.device import Message  # noqa: PLC0415

    made: Any = Message(message.body.encode(), message.id, "utf-8", "application/json")  # type: ignore[no-untyped-call]
    made.custom_properties = dict(message.properties)
    return made
