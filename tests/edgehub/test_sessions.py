"""Sessions: they outlive their server, but not a clean start."""

from pathlib import Path

from tests.edgehub.sessions import Sessions


def test_they_are_there_for_the_next_server(tmp_path: Path) -> None:
    """What a client subscribed to is known to whoever reads the file."""
    path = tmp_path / "sessions.json"
    first = Sessions(path)
    assert not first.begin("pi/bridge", is_clean=False)
    first.add("pi/bridge", ["a/#", "b"])
    first.add("pi/bridge", ["b", "c"])
    first.remove("pi/bridge", ["a/#", "unknown"])
    second = Sessions(path)
    assert second.begin("pi/bridge", is_clean=False)
    assert [second.has("pi/bridge", name) for name in ("a/#", "b", "c")] == [False, True, True]
    assert not second.has("pi/other", "b")


def test_a_clean_one_begins_without(tmp_path: Path) -> None:
    """A client that asks for a clean session has none afterwards either."""
    sessions = Sessions(tmp_path / "sessions.json")
    sessions.add("pi/bridge", ["a"])
    assert not sessions.begin("pi/bridge", is_clean=True)
    assert not Sessions(tmp_path / "sessions.json").has("pi/bridge", "a")
