"""Downloads that are cut off, and what they go on from."""

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.model import DownloadFailed
from classifier.model.download import fetch
from tests.classifier.model.loading import cut_short, load
from tests.classifier.model.server import CONTENT, SHA256, Handler, Server, cut, silent, without_ranges
from tests.classifier.model.zips import names


@pytest.mark.parametrize("end", [1, 1000, len(CONTENT) // 2, len(CONTENT) - 1])
def test_a_download_goes_on_where_it_was_cut(server: Server, tmp_path: Path, end: int) -> None:
    """What has come is kept, and only the rest is asked for."""
    server.answers.append(cut(end))
    with pytest.raises(DownloadFailed):
        load(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:end]
    assert not (tmp_path / "a.zip").exists()
    load(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert (server.requests[1]["Range"], server.requests[1]["If-Range"]) == (f"bytes={end}-", '"one"')
    assert names(tmp_path) == {"a.zip"}


@pytest.mark.parametrize("tag", ["", 'W/"weak"', '"two"tags"', "bare"])
def test_without_a_strong_etag_it_begins_anew(server: Server, tmp_path: Path, tag: str) -> None:
    """Whether the bytes would be of the same file could not be told."""
    server.tag = tag
    cut_short(server, tmp_path / "a.zip")
    load(server, tmp_path / "a.zip")
    assert "Range" not in server.requests[1]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_server_without_ranges_is_read_anew(server: Server, tmp_path: Path) -> None:
    """It answers 200 to a request for a part."""
    cut_short(server, tmp_path / "a.zip")
    server.answers.append(without_ranges)
    load(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_another_file_is_read_anew(server: Server, tmp_path: Path) -> None:
    """Its ETag differs; nothing of the earlier one stays."""
    cut_short(server, tmp_path / "a.zip")
    server.content, server.tag = CONTENT[::-1], '"two"'
    load(server, tmp_path / "a.zip", hashlib.sha256(CONTENT[::-1]).hexdigest())
    assert (tmp_path / "a.zip").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 5000-307199/307200", "ETag": '"two"'},
        {"Content-Range": "bytes 4999-307199/307200", "ETag": '"one"'},
        {"Content-Range": "bytes -/307200", "ETag": '"one"'},
        {"Content-Range": f"bytes {'9' * 5000}-/*", "ETag": '"one"'},
        {"ETag": '"one"'},
    ],
)
def test_a_part_that_does_not_go_with_the_rest_is_not_added(server: Server, tmp_path: Path, headers: dict[str, str]) -> None:
    """A 206 of another file, from another place or from nowhere: it is not read, and the file is anew."""

    def unfit(handler: Handler) -> None:
        handler.head(206, Content_Length=1000, **headers)
        silent(handler)

    cut_short(server, tmp_path / "a.zip")
    server.answers.append(unfit)
    load(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert "Range" not in server.requests[2]


def test_a_range_that_cannot_be_had_is_read_anew(server: Server, tmp_path: Path) -> None:
    """416, as of a file that has become shorter."""
    cut_short(server, tmp_path / "a.zip")
    server.content = CONTENT[:3000]
    load(server, tmp_path / "a.zip", hashlib.sha256(CONTENT[:3000]).hexdigest())
    assert (tmp_path / "a.zip").read_bytes() == CONTENT[:3000]


def test_a_damaged_beginning_is_read_anew(server: Server, tmp_path: Path) -> None:
    """A checksum that is wrong may be so for what was there before."""
    cut_short(server, tmp_path / "a.zip")
    (tmp_path / "a.zip.part").write_bytes(bytes(5000))
    load(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert len(server.requests) == 3


@settings(max_examples=40)
@given(left=st.binary(max_size=40) | st.just(CONTENT[:9]), tag=st.binary(max_size=20) | st.sampled_from([b'"one"', b'"two"']))
def test_whatever_is_left_the_file_arrives(server: Server, tmp_path: Path, left: bytes, tag: bytes) -> None:
    """A part and an ETag of any bytes, as after a crash, end in the same file."""
    (tmp_path / "a.zip").unlink(missing_ok=True)
    (tmp_path / "a.zip.part").write_bytes(left)
    (tmp_path / "a.zip.part.etag").write_bytes(tag)
    load(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert names(tmp_path) == {"a.zip"}


def test_a_whole_part_needs_no_server(tmp_path: Path) -> None:
    """A process that was killed before it could rename it is made good."""
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    fetch("https://127.0.0.1:1/", SHA256, tmp_path / "a.zip", threading.Event())
    assert names(tmp_path) == {"a.zip"}
