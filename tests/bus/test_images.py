"""Pictures are checked by their header: what would cost a decoder too much is refused, and what is accepted is cheap."""

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.images import MAX_PIXELS, UnusablePicture, checked
from bus.images.jpeg import MAX_SCANS
from tests.support import hostile
from tests.support.broker import ROOT
from tests.support.wait import limit

MEGABYTES = 110
"""Memory that a picture may take."""
SECONDS = 2.0
SMALL = {
    "jpeg": hostile.saved((40, 30), "jpeg"),
    "progressive": hostile.saved((40, 30), "jpeg", progressive=True),
    "scans": hostile.jpeg(40, 30, MAX_SCANS),
    "png": hostile.png(40, 30, *hostile.texts(1)),
    "bmp": hostile.bmp(40, -30),
    "bmp of OS/2": b"BM" + bytes(8) + b"\x1a\0\0\0\x0c\0\0\0" + bytes([40, 0, 30, 0, 1, 0, 24, 0]) + bytes(120 * 30),
    "webp": hostile.saved((40, 30), "webp"),
    "webp with a profile": hostile.saved((40, 30), "webp", icc_profile=b"x" * 9),
    "tiff": hostile.saved((40, 30), "tiff", compression="tiff_lzw"),
    "tiff of 1 bit": hostile.saved((40, 30), "tiff", "1"),
    "tiff of 16 bits": cv2.imencode(".tiff", np.zeros((30, 40, 3), np.uint16))[1].tobytes(),
}
DAMAGED = SMALL["jpeg"][:-2] + b"garbage\xff\xd9"
"""libjpeg decodes it, and complains."""


@pytest.mark.parametrize("name", hostile.REFUSED)
def test_what_is_refused(name: str) -> None:
    """The reason is one short line."""
    data, reason = hostile.REFUSED[name]
    with pytest.raises(UnusablePicture) as caught:
        checked(data)
    assert re.search(reason, str(caught.value))
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("name", SMALL)
def test_what_is_accepted(name: str) -> None:
    """The pixels are the same as without the check."""
    data = checked(SMALL[name])
    decoded, whole = (cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in (data, SMALL[name]))
    assert decoded.shape == (30, 40, 3)
    assert np.array_equal(decoded, whole)
    assert len(data) < 5000


@given(st.binary(max_size=200), st.sampled_from([*SMALL.values()]), st.randoms())
def test_any_bytes(data: bytes, picture: bytes, chance: Random) -> None:
    """Bytes, and pictures with damaged bytes, are refused, or decoded with no more pixels than are allowed."""
    damaged = bytearray(picture)
    for _ in range(chance.randrange(1, 9)):
        damaged[chance.randrange(min(200, len(damaged)))] = chance.choice(
            (0, 1, 8, 64, 0xC2, 0xD9, 0xDA, 0xFF, chance.randrange(256))
        )
    for one in (data, picture[:12] + data, bytes(damaged), bytes(damaged[: chance.randrange(len(damaged))])):
        try:
            accepted = checked(one)
            decoded = cv2.imdecode(np.frombuffer(accepted, np.uint8), cv2.IMREAD_COLOR)
        except (UnusablePicture, cv2.error):
            continue
        assert decoded is None or decoded.shape[0] * decoded.shape[1] <= MAX_PIXELS


DECODE_ALL = """
import re, sys, time
from pathlib import Path
from {module} import {function} as decode

def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

decode(Path(sys.argv[2]).read_bytes())
before = memory("VmRSS")
for path in sorted(Path(sys.argv[1]).iterdir()):
    data, decoded = path.read_bytes(), None
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    begin = time.process_time()
    try:
        decoded = decode(data)
    except Exception as error:
        assert type(error).__name__ in ("UnusablePicture", "InvalidMessage"), error
    seconds, megabytes = time.process_time() - begin, (memory("VmHWM") - before) / 1_000_000
    print(path.name, len(data), decoded is not None, round(seconds, 3), round(megabytes, 1), sep=" | ")
"""
"""A program that decodes the pictures of a folder. The memory includes what is kept of earlier ones."""


@pytest.mark.system
@pytest.mark.parametrize(
    ("module", "function"),
    [("capture.pictures.jpeg", "open_still"), ("classifier.preprocess", "decode_any")],
    ids=["capture", "classifier"],
)
def test_what_a_picture_costs(tmp_path: Path, module: str, function: str) -> None:
    """No picture takes more than 110 MB or 2 s. Decoders write no file, and nothing to standard error."""
    folder, temporary = tmp_path / "pictures", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    accepted = hostile.at_the_limits()
    pictures = {name: data for name, (data, _) in hostile.REFUSED.items()} | accepted | {"damaged JPEG": DAMAGED}
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    (tmp_path / "first").write_bytes(SMALL["jpeg"])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENCV")}
    environment["TMPDIR"] = str(temporary)
    command = [sys.executable, "-c", DECODE_ALL.format(module=module, function=function), str(folder), str(tmp_path / "first")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=limit(60), cwd=ROOT)
    costs = [line.split(" | ") for line in done.stdout.splitlines()]
    assert {name for name, _, is_decoded, *_ in costs if is_decoded == "True"} == {*accepted, "damaged JPEG"}
    assert [one for one in costs if float(one[3]) > limit(SECONDS) or float(one[4]) > MEGABYTES] == []
    assert len(costs) == len(pictures)
    assert done.stderr == ""
    assert not [*temporary.iterdir()]
