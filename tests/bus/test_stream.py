"""``python -m bus``: converts hex-encoded msgpack to JSON lines."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from subprocess import PIPE, Popen

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bus.__main__ import to_json
from tests.support import samples
from tests.support.broker import ROOT, Broker
from tests.support.listener import Listener
from tests.support.wait import limit, until

PREDICTION = samples.prediction().pack()
GARBAGE = [b"", b"\xc1", b"\x81\x90\x01", b"\x91" * 2000, b"\x81\xc4\x01a\x01", b"\xc6\xff\xff\xff\xff", PREDICTION[:-1]]


@given(st.dictionaries(st.text(), st.text() | st.binary()) | st.binary())
@example({"jpeg": b"four", "text": "a\nb"})
def test_a_message_is_a_line(content: object) -> None:
    """Binary values become their size. Invalid or truncated messages give no line, nor do maps that JSON cannot represent."""
    line = to_json((content if isinstance(content, bytes) else msgpack.packb(content)).hex() + "\n")
    assert "\n" not in (line or "")
    if isinstance(content, dict):
        shown = {key: f"<{len(one)} bytes>" if isinstance(one, bytes) else one for key, one in content.items()}
        assert json.loads(line or "") == shown
    assert not any(to_json(garbage) for garbage in ("not hex", *(one.hex() for one in GARBAGE)))


@pytest.mark.system
def test_each_line_appears_immediately(broker: Broker) -> None:
    """Output is not buffered. The number of invalid lines is reported at the end."""
    assert shutil.which("mosquitto_sub"), "mosquitto-clients is not installed: make setup installs it"
    command = ["mosquitto_sub", "-p", str(broker.port), "-F", "%x", "-t", "footfall/+/prediction"]
    converter = [sys.executable, "-m", "bus"]
    with (
        Popen(command, stdout=PIPE) as watched,
        Popen(converter, cwd=ROOT, stdin=watched.stdout, stdout=PIPE, stderr=PIPE) as reader,
    ):
        try:
            assert reader.stdout
            os.set_blocking(reader.stdout.fileno(), False)
            with Listener(broker.port, "$SYS/broker/subscriptions/count") as sender:
                until(lambda: b"2" in sender.payloads(), 30, "the subscription of mosquitto_sub")
                for payload in (b"garbage", PREDICTION):
                    sender.publish("footfall/door/prediction", payload)
            assert json.loads(until(reader.stdout.readline, what="a line"))["labels"][0]["name"] == "woman"
        finally:
            watched.terminate()
        assert reader.communicate(timeout=limit(10))[1] == b"bus: invalid lines skipped: 1\n"
        assert reader.returncode == 0


@pytest.mark.system
def test_a_closed_pipe_is_not_an_error() -> None:
    """``| head -1`` ends the program silently."""
    command = f"{shlex.quote(sys.executable)} -m bus | head -1"
    lines = f"{PREDICTION.hex()}\n".encode() * 2000
    done = subprocess.run(command, shell=True, cwd=ROOT, input=lines, capture_output=True, timeout=limit(30), check=True)
    assert (json.loads(done.stdout)["camera"], done.stderr) == ("door", b"")
