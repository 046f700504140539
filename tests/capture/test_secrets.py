"""Nothing of a source's address but scheme, host and port comes out of capture."""

import json
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import InvalidSetting
from bus.states import CAMERA_LOST
from capture.settings import Settings
from capture.source import SourceLost, SourceOptions
from capture.sources import create_source
from runtime.settings import load
from tests.support.broker import Broker
from tests.support.cameras import snapshot_camera
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.secrets import MARK, addresses
from tests.support.wait import until

pytestmark = pytest.mark.system


@settings(max_examples=150)
@given(addresses(), st.sampled_from([{}, {"frame_rate": "fast"}, {"camera": "A"}]))
def test_settings_show_no_secret(given: tuple[str, str], others: dict[str, str]) -> None:
    """Of a refused address, or with another refused setting beside it."""
    address, _ = given
    for values in ({"video_path": address}, {"video_path": "0", "mqtt_host": address}, {"mqtt_ca_file": address}):
        try:
            load(Settings, **values, **others)
        except InvalidSetting as error:
            assert MARK not in str(error)
        else:
            assert not others


@settings(max_examples=150)
@given(addresses(schemes=("rtsp", "RTSP", "http", "https")))
def test_a_lost_source_shows_no_secret(given: tuple[str, str]) -> None:
    address, _ = given
    with (
        pytest.raises((SourceLost, ValueError)) as caught,
        closing(create_source(address, SourceOptions()).pictures()) as pictures,
    ):
        next(pictures)
    assert MARK not in str(caught.value)
    assert MARK not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    "video_path",
    [
        "http://me:{secret}@{host}/401",
        "http://me:{secret}@{host}/truncated/{secret} with spaces?token={secret}",
        "http://me:{secret}/x@{host}/snapshot.jpg",
        "rtsp://me:{secret}@{host}/{secret}",
        "ftp://me:{secret}@{host}/",
    ],
)
def test_a_process_shows_no_secret(broker: Broker, video_path: str) -> None:
    """Neither in its log in detail, with the lines of OpenCV and FFmpeg, nor in anything that it publishes."""
    with snapshot_camera() as camera, Listener(broker.port, "#") as listener:
        source = video_path.format(secret=f"{MARK}%40{MARK}", host=camera.host)
        settings = {"VIDEO_PATH": source, "VERBOSE": "true", "OPENCV_LOG_LEVEL": "INFO"}

        def is_lost() -> bool:
            return any(json.loads(one)["state"] == CAMERA_LOST for one in listener.payloads("status/capture"))

        with Module("capture", broker.port, **settings) as module:
            assert module.process
            until(lambda: is_lost() or not module.running, what="a lost camera or a refused setting")
            assert module.running or module.process.returncode == 2
            assert MARK not in module.log
            assert CAMERA_LOST in module.log or "VIDEO_PATH=" in module.log
            assert all(MARK.encode() not in one.payload for one in listener.messages())
