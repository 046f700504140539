"""The end of a recording that is played once."""

from pathlib import Path

import pytest

from footfall.recording import summary, truth_beside


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"visitors": [{"label": "man"}, {"label": "man"}, {"label": "woman"}]}', {"man": 2, "woman": 1}),
        (
            '{"segments": [{"label": "Apple"}, {"label": "Apple"}, {"label": "nobody"}, {"label": "Apple"}, {"label": "Lemon"}]}',
            {"Apple": 2, "Lemon": 1},
        ),
        ('{"visitors": []}', {}),
        ('{"other": 7}', None),
        ('{"visitors": 7}', None),
        ('{"segments": [{"photo": "x"}]}', None),
        ("[]", None),
        ("{", None),
    ],
)
def test_the_truth_beside_a_recording(document: str, expected: dict[str, int] | None, tmp_path: Path) -> None:
    """Visitors, or segments of which equal ones in a row are one visitor; a file about something else is no truth."""
    (tmp_path / "door.json").write_text(document)
    assert truth_beside(str(tmp_path / "door.mp4"), lambda label: label == "nobody") == expected
    assert truth_beside(str(tmp_path / "other.mp4"), lambda label: False) is None


def test_the_summary() -> None:
    """Labels that the truth has and nobody counted stand in it too."""
    assert summary("x.mp4", ["man", "man"], {"woman": 1}).splitlines() == [
        "x.mp4 was played to its end.",
        "visitors  counted  truth",
        "man             2      0",
        "woman           0      1",
        "all             2      1",
    ]
    assert summary("x.mp4", ["man"], None).splitlines()[1:] == ["visitors  counted", "man             1", "all             1"]
