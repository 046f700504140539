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


def decoded(stream: bytes) -> list[object]:
    """What is found in a stream."""
    with tempfile.TemporaryFile() as file:
        file.write(stream)
        file.seek(0)
        return list(documents(file))


def test_messages_without_anything_between() -> None:
    """Messages are told apart although nothing separates them, and a picture becomes its size."""
    found = decoded(samples.frame().pack() + samples.prediction().pack())
    assert [one["sequence"] for one in found if isinstance(one, dict)] == [0, 1000000]
    assert json.loads(line(msgpack.unpackb(samples.frame().pack())) or "")["jpeg"] == f"<{len(samples.jpeg())} bytes>"


@pytest.mark.parametrize(
    "garbage", [b"\xc1", b"\xc1" * 9, b"\xa3\xff\xff\xff", b"\x81\x90\x01", b"\xdf\xff\xff\xff\xff", b"\x91" * 2000]
)
def test_goes_on_after_garbage(garbage: bytes) -> None:
    """What is no msgpack is skipped, and told as None; later messages are found."""
    message = samples.prediction().pack()
    found = decoded(message + garbage + message + message)
    assert None in found
    assert found[-1] == msgpack.unpackb(message)


def test_a_length_that_never_comes_is_bounded() -> None:
    """A value that says it is 4 GiB long does not fill the memory, nor end the program."""
    assert None in decoded(b"\xc6\xff\xff\xff\xff" + bytes(5 << 20))


@given(st.binary(max_size=400))
def test_any_stream(stream: bytes) -> None:
    """Any bytes give maps or None, and each map makes a line, or none."""
    for document in decoded(stream):
        if isinstance(document, dict) and (text := line(document)) is not None:
            assert "\n" not in text


@pytest.mark.parametrize("stream", [b"\x81\xc4\x01a\x01", b"\x81\xa1a" + b"\x91" * 400 + b"\x01"], ids=["bytes as a key", "deep"])
def test_a_map_that_json_cannot_carry(stream: bytes) -> None:
    """It is passed over, as garbage is, and the next message is a line."""
    good = samples.prediction().pack()
    done = subprocess.run(
        [sys.executable, "-m", "bus"], cwd=ROOT, input=stream * 3 + good, capture_output=True, timeout=limit(30), check=True
    )
    assert json.loads(done.stdout.splitlines()[-1])["camera"] == "door"


def test_lines_come_as_the_messages_do(broker: Broker) -> None:
    """mosquitto_sub's output becomes JSON lines at once, not when a buffer is full."""
    assert shutil.which("mosquitto_sub"), "mosquitto-clients is not installed: make setup installs it"
    watched = subprocess.Popen(
        ["mosquitto_sub", "-p", str(broker.port), "-N", "-t", "footfall/+/prediction"], stdout=subprocess.PIPE
    )
    reader = subprocess.Popen([sys.executable, "-m", "bus"], cwd=ROOT, stdin=watched.stdout, stdout=subprocess.PIPE)
    try:
        assert reader.stdout
        assert watched.stdout
        watched.stdout.close()
        os.set_blocking(reader.stdout.fileno(), False)
        with Listener(broker.port, "$SYS/broker/subscriptions/count") as sender:
            until(lambda: b"2" in sender.payloads(), 30, "the subscription of mosquitto_sub")
            sender.publish("footfall/door/prediction", samples.prediction().pack())
        first = json.loads(until(reader.stdout.readline, what="a line for a single message"))
        assert first["labels"][0]["name"] == "woman"
    finally:
        watched.terminate()
        watched.wait(limit(10))
        assert reader.wait(limit(10)) == 0
        if reader.stdout:
            reader.stdout.close()


def test_a_reader_that_goes_is_no_error() -> None:
    """``| head -1`` ends it without a word."""
    stream = samples.prediction().pack() * 2000
    command = f"{shlex.quote(sys.executable)} -m bus | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, input=stream, capture_output=True, timeout=limit(30), check=True)
    assert done.stderr == b""
    assert json.loads(done.stdout)["camera"] == "door"
