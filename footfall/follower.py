"""The progress of a run: its first prediction, and the end of a recording. Connects to the broker as a guest.

It lives as long as the run. To save memory it parses JSON itself and does not import `bus`.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt import client as mqtt

from footfall.plan import Plan

REPORT_INTERVAL = 20.0
"""Seconds without a prediction after which the states of all modules are printed."""
POLL_INTERVAL = 0.2
"""Seconds between two checks of whether the run is being stopped."""
NOT_READY_STATES = ("starting", "offline")
RECORDING_ENDED = "ended"


class Follower:
    """The progress of a run; used as a context manager."""

    def __init__(self, plan: Plan, is_over: Callable[[], bool], report_interval: float = REPORT_INTERVAL) -> None:
        """`is_over` returns whether the run is being stopped."""
        self._report_interval = report_interval
        self._plan = plan
        self._is_over = is_over
        self._began_at = time.time()
        self._has_predictions = threading.Event()
        self._dashboard_is_ready = threading.Event()
        if not plan.dashboard:
            self._dashboard_is_ready.set()
        self._has_ended = False
        self._visits_are_counted = threading.Event()
        self._states: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._client = mqtt.Client()
        self._client.on_connect = lambda *_: self._client.subscribe([(one, 0) for one in plan.topics.values()])
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 5)
        self._client.connect_async("127.0.0.1", plan.port)

    def __enter__(self) -> "Follower":
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()

    def _on_message(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        topics = self._plan.topics
        if mqtt.topic_matches_sub(topics["prediction"], message.topic):
            self._has_predictions.set()
            client.unsubscribe(topics["prediction"])
            return
        try:
            document = json.loads(message.payload)
            if message.topic == topics["visit"]:
                self._on_visit(document)
            elif mqtt.topic_matches_sub(topics["status"], message.topic):
                self._on_status(document, message.retain)
        except (ValueError, TypeError, KeyError, AttributeError):  # not a message of a module
            return

    def _on_visit(self, visit: dict[str, Any]) -> None:
        if visit["started_at"] >= self._began_at:
            self._labels[visit["id"]] = visit["label"]

    def _on_status(self, status: dict[str, Any], is_retained: bool) -> None:
        module, state, detail = status["module"], status["state"], status.get("detail")
        self._states[module] = f"{module} is {state}{detail and f' ({detail})'}"
        if is_retained and (status.get("at") or 0.0) < self._began_at:  # from an earlier run
            return
        about = status.get("about") or {}
        if module == self._plan.dashboard and state not in NOT_READY_STATES:
            self._dashboard_is_ready.set()
        if state == RECORDING_ENDED and about.get("camera") == self._plan.camera:
            self._has_ended = True
        if self._has_ended and self._plan.camera in about.get("ended", ()):
            self._visits_are_counted.set()

    def wait_for_predictions(self) -> bool:
        """Waits for the first prediction and the dashboard, and prints what is missing. Returns False if the run is stopped."""
        reported_at = time.monotonic()
        while not (self._has_predictions.wait(POLL_INTERVAL) and self._dashboard_is_ready.wait(POLL_INTERVAL)):
            if self._is_over():
                return False
            if time.monotonic() - reported_at > self._report_interval:
                reported_at = time.monotonic()
                problem = "The dashboard is not ready" if self._has_predictions.is_set() else "No prediction yet"
                states = "; ".join(sorted(self._states.copy().values()))
                print(f"\n{problem}: {states or 'no module is running'}\n", flush=True)
        return not self._is_over()

    def wait_for_end(self) -> bool:
        """Waits until the recording has ended and is counted. Returns False if the run is stopped before."""
        while not self._visits_are_counted.wait(POLL_INTERVAL):
            if self._is_over():
                return False
        return True

    @property
    def counted_labels(self) -> list[str]:
        """The label of each visit since the run began."""
        return list(self._labels.copy().values())
