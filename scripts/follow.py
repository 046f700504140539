"""Follows a run as a guest of its broker: when predictions flow, what is missing until then, and when a recording is counted."""

import threading
import time
from collections.abc import Callable

from paho.mqtt import client as mqtt

from bus import InvalidMessage, Prediction, Status, Visit, topics
from bus.states import ENDED

PATIENCE = 20.0
"""Seconds without a prediction after which the modules' states are printed."""
TICK = 0.2
"""Seconds between two looks at whether the run is being stopped."""


class Follower:
    """What is known of a run; used as a context manager."""

    def __init__(self, port: int, camera: str, display: str, is_over: Callable[[], bool]) -> None:
        """`display` is that module's name; `is_over` says whether the run is being stopped."""
        self._camera = camera
        self._display = display
        self._is_over = is_over
        self._began_at = time.time()
        self._flows = threading.Event()
        self._states: dict[str, Status] = {}
        self._is_shown = threading.Event()
        self._has_ended = False
        self._is_counted = threading.Event()
        self._visits: dict[str, Visit] = {}
        self._client = mqtt.Client()
        self._client.on_connect = lambda *_: self._client.subscribe(
            [(topics.prediction(), 0), (topics.status(), 0), (topics.visit(camera), 0)]
        )
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 5)
        self._client.connect_async("127.0.0.1", port)

    def __enter__(self) -> "Follower":
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()

    def _on_message(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            match message.topic.rpartition("/")[2]:
                case "prediction":
                    Prediction.unpack(message.payload)
                    self._flows.set()
                    client.unsubscribe(topics.prediction())
                case "visit":
                    visit = Visit.unpack(message.payload)
                    self._visits[visit.id] = visit
                case _:
                    self._on_status(Status.unpack(message.payload), message.retain)
        except InvalidMessage:
            return

    def _on_status(self, status: Status, is_retained: bool) -> None:
        self._states[status.module] = status
        if is_retained and (status.at or 0.0) < self._began_at:  # of the run before
            return
        if status.module == self._display and status.state not in ("starting", "offline"):
            self._is_shown.set()
        if status.state == ENDED and status.metrics.get("camera") == self._camera:
            self._has_ended = True
        ended = status.metrics.get("ended")
        if self._has_ended and isinstance(ended, list) and self._camera in ended:
            self._is_counted.set()

    def wait_for_predictions(self) -> bool:
        """Waits for the first prediction and the display, and says meanwhile what is missing; False when the run is stopped."""
        said_at = time.monotonic()
        while not (self._flows.wait(TICK) and self._is_shown.wait(TICK)):
            if self._is_over():
                return False
            if time.monotonic() - said_at > PATIENCE:
                said_at = time.monotonic()
                what = "The dashboard is not ready" if self._flows.is_set() else "No prediction yet"
                print(f"\n{what}: {self._missing or 'no module has reported'}\n", flush=True)
        return not self._is_over()

    @property
    def _missing(self) -> str:
        states = list(self._states.values())
        return "; ".join(sorted(f"{one.module} is {one.state}{one.detail and f' ({one.detail})'}" for one in states))

    def wait_for_the_end(self) -> bool:
        """Waits until the recording has ended and its visits are counted; False when the run is stopped before."""
        while not self._is_counted.wait(TICK):
            if self._is_over():
                return False
        return True

    @property
    def counted(self) -> list[str]:
        """The labels of the visits since the run began, once each."""
        return [visit.label for visit in list(self._visits.values()) if visit.started_at >= self._began_at]
