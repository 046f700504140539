"""``python -m bus``: msgpack in, JSON lines out."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.__main__ import documents, line
from tests.support import samples
from tests.support.broker import ROOT, Broker
from tests.support.listener import Listener
from tests.support.wait import limit, until

PREDICTION = samples.prediction().pack()


def decoded(stream: bytes) -> list[object]:
    """What is found in a stream."""
    with tempfile.TemporaryFile() as file:
        file.write(stream)
        file.seek(0)
        return list(documents(file))


def test_messages_without_separators() -> None:
    """A picture becomes its size."""
    found = decoded(samples.frame().pack() + PREDICTION)
    assert [one["sequence"] for one in found if isinstance(one, dict)] == [0, 1000000]
    assert json.loads(line(msgpack.unpackb(samples.frame().pack())) or "")["jpeg"] == f"<{len(samples.jpeg())} bytes>"


@pytest.mark.parametrize("garbage", [b"\xc1" * 9, b"\xa3\xff\xff\xff", b"\x81\x90\x01", b"\xdf\xff\xff\xff\xff", b"\x91" * 2000])
def test_garbage_is_skipped(garbage: bytes) -> None:
    """It gives None, and later messages are found."""
    found = decoded(PREDICTION + garbage + PREDICTION * 2)
    assert None in found
    assert found[-1] == msgpack.unpackb(PREDICTION)


def test_what_has_no_line() -> None:
    """A value of 4 GiB, which neither fills the memory nor ends the program; maps with bytes as a key, or too deep, for JSON."""
    assert None in decoded(b"\xc6\xff\xff\xff\xff" + bytes(5 << 20))
    for stream in (b"\x81\xc4\x01a\x01", b"\x81\xa1a" + b"\x91" * 1000 + b"\x01"):
        (document,) = decoded(stream)
        assert isinstance(document, dict)
        assert line(document) is None


@given(st.binary(max_size=400))
def test_any_stream(stream: bytes) -> None:
    """Any bytes give maps or None, and each map makes one line, or none."""
    for document in decoded(stream):
        if isinstance(document, dict) and (text := line(document)) is not None:
            assert "\n" not in text


@pytest.mark.system
def test_lines_come_as_the_messages_do(broker: Broker) -> None:
    """Not when a buffer is full."""
    assert shutil.which("mosquitto_sub"), "mosquitto-clients is not installed: make setup installs it"
    command = ["mosquitto_sub", "-p", str(broker.port), "-N", "-t", "footfall/+/prediction"]
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
    for stream, after, problem in ((PREDICTION * 2000, " | head -1", b""), (b"\xc1" + PREDICTION, "", b"bus: skipped 1 ")):
        done = subprocess.run(
            command + after, shell=True, cwd=ROOT, input=stream, capture_output=True, timeout=limit(30), check=True
        )
        assert json.loads(done.stdout)["camera"] == "door"
        assert done.stderr.startswith(problem)
        assert bool(done.stderr) == bool(problem)
