"""``python -m bus``: msgpack in hexadecimal digits in, JSON lines out."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.__main__ import as_json
from tests.support import samples
from tests.support.broker import ROOT, Broker
from tests.support.listener import Listener
from tests.support.wait import limit, until

PREDICTION = samples.prediction().pack()


def test_a_message_is_a_line() -> None:
    """A picture becomes its size."""
    frame = json.loads(as_json(samples.frame().pack().hex() + "\n") or "")
    assert (frame["sequence"], frame["jpeg"]) == (0, f"<{len(samples.jpeg())} bytes>")


@pytest.mark.parametrize(
    "garbage", [b"", b"\xc1", b"\x81\x90\x01", b"\x91" * 2000, b"\x81\xc4\x01a\x01", b"\xc6\xff\xff\xff\xff"]
)
def test_garbage_is_no_line(garbage: bytes) -> None:
    """Nor is a map that JSON cannot express, or half a message."""
    assert as_json(garbage.hex()) is as_json(PREDICTION.hex()[:-2]) is as_json("no digits") is None


@given(st.dictionaries(st.text(), st.text() | st.binary()) | st.binary())
def test_any_message(content: object) -> None:
    """Each makes one line, or none."""
    packed = content if isinstance(content, bytes) else msgpack.packb(content)
    assert "\n" not in (as_json(packed.hex()) or "")


@pytest.mark.system
def test_lines_come_as_the_messages_do(broker: Broker) -> None:
    """Not when a buffer is full."""
    assert shutil.which("mosquitto_sub"), "mosquitto-clients is not installed: make setup installs it"
    command = ["mosquitto_sub", "-p", str(broker.port), "-F", "%x", "-t", "footfall/+/prediction"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as watched,
        subprocess.Popen([sys.executable, "-m", "bus"], cwd=ROOT, stdin=watched.stdout, stdout=subprocess.PIPE) as reader,
    ):
        try:
            assert reader.stdout
            os.set_blocking(reader.stdout.fileno(), False)
            with Listener(broker.port, "$SYS/broker/subscriptions/count") as sender:
                until(lambda: b"2" in sender.payloads(), 30, "the subscription of mosquitto_sub")
                sender.publish("footfall/door/prediction", PREDICTION)
            assert json.loads(until(reader.stdout.readline, what="a line"))["labels"][0]["name"] == "woman"
        finally:
            watched.terminate()
        assert reader.wait(limit(10)) == 0


@pytest.mark.system
def test_a_reader_that_goes_is_no_error() -> None:
    """``| head -1`` ends it silently; what was no message is reported at the end."""
    command = f"{shlex.quote(sys.executable)} -m bus"
    line = PREDICTION.hex().encode() + b"\n"
    for stream, after, problem in ((line * 2000, " | head -1", b""), (b"\xc1\n" + line, "", b"bus: skipped 1 ")):
        done = subprocess.run(
            command + after, shell=True, cwd=ROOT, input=stream, capture_output=True, timeout=limit(30), check=True
        )
        assert json.loads(done.stdout)["camera"] == "door"
        assert done.stderr.startswith(problem)
        assert bool(done.stderr) == bool(problem)
