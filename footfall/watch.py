"""``footfall watch``: who is there now at each camera of a running suite, and today's visits; a line for each change."""

import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from paho.mqtt import client as mqtt

from bus import CurrentLabel, DayCounts, Status, topics
from bus.states import RUNNING, STARTING
from footfall.connection import Connection, check_running, guest_connection, parse

BATCH_TIME = 0.3
"""Seconds for which messages are taken before what has changed is printed: the label and the counts of a visit come together."""
WORKING_STATES = (STARTING, RUNNING)
"""States of a capture module that say nothing about the camera."""


@dataclass
class CameraState:
    """What is known of one camera."""

    label: str | None = None
    since: float | None = None
    """Unix time."""
    state: str = ""
    """Of its capture module, where that gives no pictures."""
    day: str = ""
    totals: dict[str, int] = field(default_factory=dict)
    """Of that day."""

    def line(self, camera: str) -> str:
        """For people, as ``door: woman since 11:44:02 (today: man 7, woman 6)``."""
        since = "" if self.since is None else f" since {datetime.fromtimestamp(self.since):%H:%M:%S}"
        totals = ", ".join(f"{label} {number}" for label, number in sorted(self.totals.items())) or "no visits"
        return f"{camera}: {self.label or self.state or 'nobody'}{since} (today: {totals})"


class Watch:
    """Takes messages, and prints a line for each camera that has changed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._cameras: dict[str, CameraState] = {}
        self._printed: dict[str, str] = {}

    def process(self, message: mqtt.MQTTMessage) -> None:
        """A label, a day's counts, or a capture module's state; anything else is ignored."""
        topic, payload = message.topic, message.payload
        camera = topics.label.name_in(topic)
        if topic.startswith(topics.status("")):
            if (status := parse(Status, topic, payload)) and (state := self._cameras.get(status.about.camera or "")):
                state.state = "" if status.state in WORKING_STATES else status.state
        elif not payload:  # forgotten
            self._cameras.pop(camera, None)
            self._printed.pop(camera, None)
        elif topic == topics.label(camera):
            if label := parse(CurrentLabel, topic, payload):
                state = self._cameras.setdefault(camera, CameraState())
                state.label, state.since = label.label, label.since
        elif counts := parse(DayCounts, topic, payload):
            state = self._cameras.setdefault(camera, CameraState())
            if counts.day >= state.day:  # an earlier day's are published again when a visit over midnight ends
                state.day, state.totals = counts.day, counts.totals

    def print_changes(self) -> None:
        """Prints the cameras that are not as they were printed last."""
        for camera, state in sorted(self._cameras.items()):
            line = state.line(camera)
            if self._printed.get(camera) != line:
                self._printed[camera] = line
                print(line, file=self._out, flush=True)


def watch(connection: Connection, out: TextIO) -> None:
    """Follows labels and counts until it is interrupted. Raises `footfall.connection.NotRunning` when no suite runs."""
    check_running(connection)
    connection.follow(topics.label(), topics.counts())
    connection.follow(topics.status())  # after the cameras
    watching, was_connected = Watch(out), True
    while True:
        message, end = connection.take(BATCH_TIME), time.monotonic() + BATCH_TIME
        while message is not None:
            watching.process(message)
            message = connection.take(max(0.0, end - time.monotonic())) if time.monotonic() < end else None
        watching.print_changes()
        if connection.is_connected != was_connected:
            was_connected = not was_connected
            print("the suite is back" if was_connected else "the suite has stopped; waiting for it", file=out, flush=True)


def main() -> None:
    """On standard output."""
    with guest_connection() as connection:
        watch(connection, sys.stdout)
