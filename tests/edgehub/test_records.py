"""The file of records: whole lines, one for each event, whatever was in it."""

import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.edgehub.records import Records


@given(st.lists(st.tuples(st.text(max_size=10), st.binary(max_size=30)), max_size=5))
def test_any_event_is_one_record(events: list[tuple[str, bytes]]) -> None:
    """Topics and bodies of any kind come back, in order."""
    with tempfile.TemporaryDirectory() as folder:
        records = Records(Path(folder) / "records.jsonl")
        records.open()
        for topic, payload in events:
            records.append(topic, payload)
        records.close()
        assert [record["topic"] for record in records.read()] == [topic for topic, _ in events]


@pytest.mark.parametrize(
    ("payload", "body"), [(b'{"a": [1, null]}', {"a": [1, None]}), (b"no JSON", "no JSON"), (b"\xff", "\\xff")]
)
def test_the_body_is_decoded(tmp_path: Path, payload: bytes, body: object) -> None:
    """JSON is kept as what it says, anything else as text; each with its time."""
    records, begin = Records(tmp_path / "records.jsonl"), time.time()
    records.open()
    records.append("t", payload)
    records.close()
    (record,) = records.read()
    assert record["body"] == body
    assert begin <= record["at"] <= time.time()


def test_half_a_line_is_neither_read_nor_written_behind(tmp_path: Path) -> None:
    """What a killed writer left behind does not spoil what comes after it."""
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps({"topic": "a", "body": 1, "at": 0.0}) + '\n{"topic": "b"')
    records = Records(path)
    assert [record["topic"] for record in records.read()] == ["a"]
    records.open()
    records.append("c", b"3")
    records.close()
    assert [record["topic"] for record in records.read()] == ["a", "c"]


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    """Reading does not need a writer."""
    assert Records(tmp_path / "records.jsonl").read() == []


def test_a_record_that_does_not_fit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full must not look like a record."""
    records = Records(tmp_path / "records.jsonl")
    records.open()
    monkeypatch.setattr(os, "write", lambda descriptor, line: 3)
    with pytest.raises(OSError, match="3 of"):
        records.append("t", b"1")
    records.close()
