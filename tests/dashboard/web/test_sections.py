"""What a page is told when something changes."""

import json

from dashboard.sections import Sections


def test_each_gets_what_is_new_to_them() -> None:
    """The first message has all; after that only the sections that changed since, with the time."""
    sections = Sections()
    sections.put({"a": {"n": 1}, "b": []})
    assert json.loads(sections.since(0, 5.0)) == {"now": 5.0, "a": {"n": 1}, "b": []}
    seen = sections.version
    sections.put({"a": {"n": 1}, "b": ["é"]})
    assert json.loads(sections.since(seen, 6.0)) == {"now": 6.0, "b": ["é"]}
    assert sections.version > seen
    assert json.loads(sections.since(sections.version, 7.0)) == {"now": 7.0}


def test_the_same_again_is_no_change() -> None:
    """What is put again as it was raises no version."""
    sections = Sections()
    sections.put({"a": 1})
    before = sections.version
    sections.put({"a": 1})
    assert sections.version == before
