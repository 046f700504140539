"""Nothing of a source's address but scheme, host and port comes out of capture."""

import json
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import InvalidSetting
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

anything = settings(max_examples=150)


@anything
@given(addresses(), st.sampled_from([{}, {"frame_rate": "fast"}, {"camera": "A"}]))
def test_settings_show_no_secret(given: tuple[str, str], others: dict[str, str]) -> None:
    """Whatever is refused, the address or another setting beside it."""
    address, _ = given
    for values in ({"video_path": address}, {"video_path": "0", "mqtt_host": address}, {"mqtt_ca_file": address}):
        try:
            load(Settings, **values, **others)
        except InvalidSetting as error:
            assert MARK not in str(error)
        else:
            assert not others


@anything
@given(addresses(schemes=("rtsp", "RTSP", "http", "https")))
def test_a_lost_source_shows_no_secret(given: tuple[str, str]) -> None:
    """Where nobody answers, whether the address can be read or not."""
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
        "http://{host}/404/{secret}?user=me&password={secret}",
        "http://me:{secret}/x@{host}/snapshot.jpg",
        "http://me:{secret}@{host}/truncated?token={secret}",
        "http://{host}/404/{secret} with spaces?pwd={secret}",
        "rtsp://me:{secret}@{host}/{secret}",
        "rtsp://{secret}/x@{host}/",
        "me:{secret}@{host}/snapshot.jpg",
        "ftp://me:{secret}@{host}/",
    ],
)
def test_a_process_shows_no_secret(broker: Broker, video_path: str) -> None:
    """Neither its log in detail, with what OpenCV and FFmpeg write, nor anything that it publishes."""
    with snapshot_camera() as camera:
        source = video_path.format(secret=f"{MARK}%40{MARK}", host=camera.host)
        with (
            Listener(broker.port, "#") as listener,
            Module("capture", broker.port, VIDEO_PATH=source, VERBOSE="true", OPENCV_LOG_LEVEL="INFO") as module,
        ):
            assert module.process
            until(
                lambda: (
                    any(json.loads(one)["state"] == "camera-lost" for one in listener.payloads("status/capture"))
                    or not module.running
                ),
                what="a lost camera or a refused setting",
            )
            assert module.running or module.process.returncode == 2
            assert MARK not in module.log
            assert "camera-lost" in module.log or "VIDEO_PATH=" in module.log
            assert all(MARK.encode() not in one.payload for one in listener.messages())
