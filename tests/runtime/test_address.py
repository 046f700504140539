"""What is shown of addresses."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.address import public_address
from tests.support.secrets import MARK, addresses


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://camera.local:554", "rtsp://camera.local:554"),
        ("rtsp://me:secret@10.0.0.2/live?a=b", "rtsp://10.0.0.2"),
        ("http://cam:81/secret/live.jpg#secret", "http://cam:81"),
        ("https://[fe80::1]:8443/?sig=secret", "https://[fe80::1]:8443"),
        (" rtsp://me:secret@cam ", "rtsp://cam"),
        ("rtsp://me:se cret@cam/live", "rtsp://***"),
        ("rtsp://me:1/secret%40cam/", "rtsp://***"),
        ("rtsp://me:secret", "rtsp://***"),
        ('"rtsp://me:secret@cam/"', "***"),
        ("12:30/door.mp4", "12:30/door.mp4"),
        ("rtsp%3A%2F%2Fme%3Asecret%40cam", "***"),
        ("cam/live?user=me&pwd=secret", "***"),
        ("10.0.0.2:554/user=admin_password=secret_channel=1.sdp", "***"),
        ("clip@home.mp4", "clip@home.mp4"),
        ("/home/pi/clips", "/home/pi/clips"),
        ("0", "0"),
    ],
)
def test_what_is_shown(address: str, shown: str) -> None:
    """Scheme, host and port; where these are not certain the scheme alone; paths as they are."""
    assert public_address(address) == shown


@given(addresses())
@example(("rtsp://cam/" + quote("Sekret@9", safe=""), "Sekret@9"))
def test_no_secret_is_shown(given: tuple[str, str]) -> None:
    """Wherever the secret is in the address, and whatever it is made of, nothing of it is shown."""
    assert MARK not in public_address(given[0])


@given(st.text(max_size=60), st.sampled_from(["", "rtsp://", "http://a:", "http://a@", "https://[", "//", ":"]))
def test_what_is_shown_is_shown_again(text: str, before: str) -> None:
    """Any text has a public form, which is its own."""
    shown = public_address(before + text)
    assert public_address(shown) == shown
