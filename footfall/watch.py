"""``footfall watch``: prints each camera's current label and today's visits, a line for each change."""

import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from paho.mqtt import client as mqtt

from bus import CurrentLabel, DayCounts, Occupancy, Status, topics
from bus.states import RUNNING, STARTING
from footfall.connection import Connection, check_running, guest_connection, parse

BATCH_TIME = 0.3
"""Seconds for which messages are collected before changes are printed: a visit's label and counts arrive together."""


@dataclass
class CameraState:
    """The state of one camera."""

    label: str | None = None
    since: float | None = None
    """Unix time."""
    problem: str = ""
    """The state of its capture module with the reason, if that sends no pictures."""
    day: str = ""
    totals: dict[str, int] = field(default_factory=dict)
    """The day's visits by label."""
    occupancy: Occupancy | None = None

    def line(self, camera: str) -> str:
        """Returns a line such as ``door: woman since 11:44:02 (today: man 7, woman 6; in 9, out 8, inside 1; till 1)``."""
        since = "" if self.since is None or self.problem else f" since {datetime.fromtimestamp(self.since):%H:%M:%S}"
        totals = ", ".join(f"{label} {number}" for label, number in sorted(self.totals.items())) or "no visits"
        return f"{camera}: {self.problem or self.label or 'nobody'}{since} (today: {totals}{self._places()})"

    def _places(self) -> str:
        """Returns how many went in and out and are inside, if there are lines, and how many are in each zone."""
        if (one := self.occupancy) is None:
            return ""
        lines = "" if one.inside is None else f"; in {one.entered}, out {one.left}, inside {one.inside}"
        lines += f" (drift {one.drift})" * bool(lines and one.drift)
        zones = ", ".join(f"{zone} {number}" for zone, number in sorted(one.zones.items()))
        return f"{lines}; {zones}" if zones else lines


def _problem(status: Status) -> str:
    """Returns the state and its reason, or "" if it is running, or starting without a reason to wait."""
    if status.state == RUNNING or (status.state == STARTING and not status.detail):
        return ""
    return f"{status.state}, {status.detail}" if status.detail else status.state


class Watch:
    """The state of all cameras, built from messages. Prints a line for each camera that has changed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._cameras: dict[str, CameraState] = {}
        self._printed: dict[str, str] = {}

    def process(self, message: mqtt.MQTTMessage) -> None:
        """Applies a label, a day's counts, an occupancy, or the status of a capture module. Ignores other messages."""
        topic, payload = message.topic, message.payload
        camera = topics.label.name_in(topic)
        if topic.startswith(topics.status("")):
            if (status := parse(Status, topic, payload)) and (name := status.about.camera):
                self._on_capture_status(name, _problem(status))
        elif topic == topics.occupancy(camera):
            self._on_occupancy(camera, parse(Occupancy, topic, payload))
        elif not payload:  # the camera was removed
            self._cameras.pop(camera, None)
            self._printed.pop(camera, None)
        elif topic == topics.label(camera):
            if label := parse(CurrentLabel, topic, payload):
                state = self._cameras.setdefault(camera, CameraState())
                state.label, state.since = label.label, label.since
        elif counts := parse(DayCounts, topic, payload):
            state = self._cameras.setdefault(camera, CameraState())
            if counts.day >= state.day:  # an earlier day is published again when a visit over midnight ends
                state.day, state.totals = counts.day, counts.totals

    def _on_capture_status(self, camera: str, problem: str) -> None:
        if problem:  # of a camera that never sent a picture, this is the only message
            self._cameras.setdefault(camera, CameraState()).problem = problem
        elif (state := self._cameras.get(camera)) is not None:
            state.problem = ""

    def _on_occupancy(self, camera: str, occupancy: Occupancy | None) -> None:
        if occupancy is not None:
            self._cameras.setdefault(camera, CameraState()).occupancy = occupancy
        elif (state := self._cameras.get(camera)) is not None:
            state.occupancy = None

    def print_changes(self) -> None:
        """Prints the cameras that have changed since they were last printed."""
        for camera, state in sorted(self._cameras.items()):
            line = state.line(camera)
            if self._printed.get(camera) != line:
                self._printed[camera] = line
                print(line, file=self._out, flush=True)


def watch(connection: Connection, out: TextIO) -> None:
    """Prints changes until interrupted. Raises `footfall.connection.NotRunning` if no suite runs."""
    check_running(connection)
    connection.follow(topics.label(), topics.counts())
    connection.follow(topics.status(), topics.occupancy())  # after the labels, which make the cameras known
    watching, was_connected = Watch(out), True
    while True:
        message, end = connection.take(BATCH_TIME), time.monotonic() + BATCH_TIME
        while message is not None:
            watching.process(message)
            message = connection.take(max(0.0, end - time.monotonic())) if time.monotonic() < end else None
        watching.print_changes()
        if connection.is_connected != was_connected:
            was_connected = not was_connected
            print("connected again" if was_connected else "lost the connection; waiting for the suite", file=out, flush=True)


def main() -> None:
    """Prints changes to standard output until interrupted."""
    with guest_connection() as connection:
        watch(connection, sys.stdout)
