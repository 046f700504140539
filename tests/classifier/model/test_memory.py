"""What of the models outlives the process."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.model.memory import Held, Memory, Refusal, Trial, read_memory, write_memory
from classifier.model.store import ModelStore
from classifier.model.updates import ModelUpdates


@pytest.mark.parametrize(
    "memory",
    [
        Memory(),
        Memory(held=Held("a" * 64, "https://example.org/a.zip", "refused", "no", "people-1")),
        Memory(trial=Trial("people-1", "a" * 64, "https://example.org/a.zip", Refusal(None, "no"))),
    ],
)
def test_what_is_written_is_read(tmp_path: Path, memory: Memory) -> None:
    """By another process; where nothing has been written, nothing is remembered."""
    assert read_memory(tmp_path) == Memory()
    write_memory(tmp_path, memory)
    assert read_memory(tmp_path) == memory


def test_a_memory_that_cannot_be_kept_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And no error: what is done with the models does not wait for it."""
    write_memory(tmp_path / "none", Memory())
    assert "cannot be kept: [Errno 2]" in caplog.text


@settings(max_examples=60)
@given(
    content=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.text(max_size=5), lambda inner: st.dictionaries(st.sampled_from(["held", "trial", "sha256"]), inner)
    ).map(lambda value: json.dumps(value).encode())
)
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    """Whatever its file holds."""
    store = ModelStore(tmp_path / "models")
    (store.folder / ".footfall-updates.json").write_bytes(content)
    assert ModelUpdates(store).report["state"] == "none"
