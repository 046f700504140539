"""Sends results to IoT Edge's edgeHub, with azure-iot-device."""

import json
import logging
import os
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from typing_extensions import Self

from bridge.upstream import telemetry
from bus import InvalidSetting, Visit
from bus.backoff import Backoff
from bus.figures import Figures

log = logging.getLogger(__name__)

OUTPUT = "visits"
MOST_WAITING = 10_000
"""Visits kept for an edgeHub that is away; of more, the oldest are dropped and counted."""
TIMEOUT = 90.0
"""Seconds for a call into the library: longer than it takes to notice a frozen edgeHub."""
GRACE = 3.0
"""Seconds at the end for what is still to be sent."""
KEEP_ALIVE = 30
"""Seconds; the library notices a frozen edgeHub after twice as long."""
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


class EdgeHubUpstream:
    """Keeps visits in a queue and sends them from a thread of its own, one after the other, each until edgeHub has it.

    The message id is the visit's, so that one that was sent twice can be told. The queue is in memory: it does not outlive the
    process.
    """

    def __init__(self, figures: Figures) -> None:
        """Raises `InvalidSetting` when the environment names no edgeHub."""
        if not all(name in os.environ for name in _EDGE) and not all(name in os.environ for name in _DEBUG):
            needed = f"what IoT Edge sets ({', '.join(_EDGE)}) or else {' and '.join(_DEBUG)}"
            raise InvalidSetting(f"UPSTREAM='edgehub': the environment must have {needed}")
        self._figures = figures
        self._waiting: queue.Queue[Visit] = queue.Queue(MOST_WAITING)
        self._backoff = Backoff()
        self._client: Any = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgehub", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(GRACE)  # a call into the library may hang for ever; the thread is left behind then
        if not self._waiting.empty():
            log.error("%d visits were not sent upstream", self._waiting.qsize())

    def send(self, visit: Visit) -> None:
        """Queues the visit."""
        while True:
            try:
                self._waiting.put_nowait(visit)
            except queue.Full:
                self._drop_oldest()
            else:
                return

    def _drop_oldest(self) -> None:
        try:
            self._waiting.get_nowait()
        except queue.Empty:
            return
        self._figures.add("dropped_upstream")

    def _run(self) -> None:
        while not (self._stop.is_set() and self._waiting.empty()):
            try:
                visit = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            while not self._sent(visit):
                if self._stop.wait(self._backoff.next()):
                    log.error("visit %s was not sent upstream", visit.id)
                    return
        self._close()

    def _sent(self, visit: Visit) -> bool:
        """Whether edgeHub has acknowledged the visit; when not, the client is thrown away, as some of its failures last."""
        try:
            if self._client is None:
                self._client = _in_time(_new_client)
                _in_time(self._client.connect)
            client, outgoing = self._client, message(visit)
            _in_time(lambda: client.send_message_to_output(outgoing, OUTPUT))
        except Exception as error:  # the library's errors have no common root
            log.warning("edgeHub: %s: %s; trying again", type(error).__name__, error)
            self._figures.add("upstream_failed")
            self._close()
            return False
        self._figures.add("upstream_sent")
        self._backoff.reset()
        return True

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            _in_time(client.shutdown)
        except Exception as error:
            log.debug("edgeHub: %s", error)


def message(visit: Visit) -> Any:
    """The library's message for a visit: UTF-8 JSON, said to be that, or IoT Hub could not route on what is in it."""
    from azure.iot.device import Message  # noqa: PLC0415

    made: Any = Message(json.dumps(telemetry(visit), ensure_ascii=False).encode(), visit.id, "utf-8", "application/json")  # type: ignore[no-untyped-call]
    made.custom_properties = {"camera": visit.camera, "label": visit.label, "probability": f"{visit.peak:.4f}"}
    return made


def _new_client() -> Any:
    from azure.iot.device import IoTHubModuleClient  # noqa: PLC0415  # a large import, for those who use it

    return IoTHubModuleClient.create_from_edge_environment(keep_alive=KEEP_ALIVE)


def _in_time(call: Callable[[], Any]) -> Any:
    """What a call into the library returns, some of which never do; raises what it raises, or `TimeoutError`."""
    returned: list[Any] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(call())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="edgehub-call", daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {TIMEOUT:g} s")
    if raised:
        raise raised[0]
    return returned[0]
