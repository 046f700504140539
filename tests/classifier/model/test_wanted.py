"""What the cloud wants, and what is wrong with it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.model.wanted import Wanted, refusals, tidy
from tests.classifier.model.device import FIRST, Device
from tests.classifier.model.server import SECRET
from tests.classifier.model.zips import names


@pytest.mark.parametrize(
    ("url", "digits", "wrong"),
    [
        ("http://example.org/a.zip", "a" * 64, {"modelUrl": "https is needed"}),
        ("https://example.org/a.zip", "a" * 63, {"modelSha256": "64 hex digits are needed, the SHA-256 of the zip"}),
        ("https://example.org/a.zip", "g" * 64, {"modelSha256": "64 hex digits are needed, the SHA-256 of the zip"}),
        ("https://example.org/a.zip", None, {"modelSha256": "64 hex digits are needed, the SHA-256 of the zip"}),
        (None, "a" * 64, {"modelUrl": "a text is needed, as modelSha256 has no meaning without it"}),
    ],
)
def test_values_that_are_refused(device: Device, url: object, digits: object, wrong: dict[str, str]) -> None:
    """By their names in the twin; what was wanted before stays so."""
    device.install(FIRST)
    assert device.updates.want(url, digits) == wrong
    assert device.report["state"] == "serving"


@given(
    url=st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just(f"http://example.org/?sig={SECRET}"),
    digits=st.none() | st.floats() | st.text() | st.dictionaries(st.text(), st.text()) | st.just("A" * 64),
)
def test_values_of_any_kind(url: object, digits: object) -> None:
    """Whatever JSON a twin holds is refused by name, and without telling it."""
    wrong = refusals(url, digits)
    assert set(wrong) <= {"modelUrl", "modelSha256"}
    assert wrong
    assert SECRET not in repr(wrong)


def test_what_is_kept_of_downloads(tmp_path: Path) -> None:
    """What has come of the file that is wanted; nothing of others, and nothing that is no download."""
    wanted = Wanted("https://example.org/a.zip", "a" * 64)
    kept = {wanted.archive, f"{wanted.archive}.part", "notes.txt", ".footfall.json"}
    for name in (*kept, Wanted(wanted.url, "b" * 64).archive):
        (tmp_path / name).touch()
    tidy(tmp_path, wanted)
    assert names(tmp_path) == kept
    tidy(tmp_path, None)
    assert names(tmp_path) == {"notes.txt", ".footfall.json"}


def test_secrets_are_not_in_a_repr() -> None:
    """As of what is wanted, which may come to stand in a traceback."""
    assert SECRET not in repr(Wanted(f"https://example.org/?sig={SECRET}", "a" * 64))
