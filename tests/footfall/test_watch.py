"""What ``footfall watch`` prints."""

import io
import time

import pytest
from paho.mqtt import client as mqtt

from bus import About, CurrentLabel, DayCounts, Message, Status, topics
from footfall.watch import Watch

SINCE = 1_700_000_000.0
CLOCK = time.strftime("%H:%M:%S", time.localtime(SINCE))


def received(message: Message) -> mqtt.MQTTMessage:
    """As the broker sends it."""
    return raw(message.topic, message.pack())


def raw(topic: str, payload: bytes) -> mqtt.MQTTMessage:
    """Any message."""
    found = mqtt.MQTTMessage(topic=topic.encode())
    found.payload = payload
    return found


NOBODY = received(CurrentLabel("door", None, None, None))
WOMAN = received(CurrentLabel("door", "Frau Müller", 0.987, SINCE))
DAY_BEFORE = received(DayCounts("door", "2026-01-30", {"man": 57}, {}))
FORGOTTEN = raw(topics.counts("door"), b"")
COUNTS = received(DayCounts("door", "2026-01-31", {"woman": 1, "man": 2}, {}))


@pytest.mark.parametrize(
    ("messages", "lines"),
    [
        ([NOBODY], ["door: nobody (today: no visits)"]),
        ([NOBODY, WOMAN], ["door: nobody (today: no visits)", f"door: Frau Müller since {CLOCK} (today: no visits)"]),
        ([NOBODY, COUNTS], ["door: nobody (today: no visits)", "door: nobody (today: man 2, woman 1)"]),
        # Another probability of the same visitor is no change.
        (
            [WOMAN, received(CurrentLabel("door", "Frau Müller", 0.5, SINCE))],
            [f"door: Frau Müller since {CLOCK} (today: no visits)"],
        ),
        # An earlier day's counts are published again when a visit over midnight ends.
        ([COUNTS, DAY_BEFORE], ["door: nobody (today: man 2, woman 1)"]),
        (
            [NOBODY, received(Status("capture", "camera-lost", about=About("door")))],
            ["door: nobody (today: no visits)", "door: camera-lost (today: no visits)"],
        ),
        # A camera that was forgotten, and is counted again.
        ([COUNTS, FORGOTTEN, NOBODY], ["door: nobody (today: man 2, woman 1)", "door: nobody (today: no visits)"]),
        # A state that says nothing about the camera; a module without one; what is no message.
        (
            [
                NOBODY,
                received(Status("capture", "running", about=About("door"))),
                received(Status("bridge", "offline")),
                raw(topics.status("x"), b"{"),
                raw(topics.label("door"), b"\xff"),
            ],
            ["door: nobody (today: no visits)"],
        ),
    ],
)
def test_a_line_for_each_change(messages: list[mqtt.MQTTMessage], lines: list[str]) -> None:
    """Label, since when by the clock, today's visits; no metrics for programs."""
    out = io.StringIO()
    watch = Watch(out)
    for message in messages:
        watch.process(message)
        watch.print_changes()
    assert out.getvalue().splitlines() == lines
