"""The demo's report: counted visits compared with true ones, as tables and pictures."""

from pathlib import Path
from types import ModuleType

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import clip, evaluate, evaluate_detector
from demo.evaluate import tables, write_report
from demo.pictures import draw_report, draw_scenes
from demo.pipeline import FrameVerdict, SceneResult, VisitorTruth
from demo.score import Span, score

TRUTH = [Span("woman", 1, 5), Span("man", 8, 12)]


@pytest.mark.parametrize(
    ("counted", "verdicts", "split", "invented"),
    [
        ([Span("woman", 1.2, 4.9), Span("man", 8.1, 12)], ("found", "found"), 0, 0),
        ([Span("man", 1, 5), Span("man", 8, 12)], ("wrong label", "found"), 0, 0),
        ([Span("man", 8, 12)], ("missed", "found"), 0, 0),
        ([], ("missed", "missed"), 0, 0),
        ([Span("woman", 1, 12)], ("missed", "wrong label"), 0, 0),
        ([Span("woman", 1, 2), Span("woman", 3, 5), Span("man", 8, 12)], ("found", "found"), 1, 0),
        ([Span("man", 1, 1.5), Span("woman", 2, 5), Span("man", 8, 12)], ("found", "found"), 1, 0),
        ([Span("woman", 1, 5), Span("cat", 6, 7), Span("man", 8, 12)], ("found", "found"), 0, 1),
    ],
)
def test_verdicts(counted: list[Span], verdicts: tuple[str, ...], split: int, invented: int) -> None:
    """Visits are found, mislabelled, missed, merged, split or invented."""
    result = score(TRUTH, counted)
    assert (result.verdicts, sum(result.split), len(result.invented)) == (verdicts, split, invented)


spans = st.lists(
    st.builds(lambda label, at, long: Span(label, at, at + long), st.sampled_from("mw"), st.floats(0, 90), st.floats(0, 9))
)


@given(spans, spans)
def test_every_visit_is_judged_once(truth: list[Span], counted: list[Span]) -> None:
    """Each true visit has a verdict; no more are found than counted; a counted visit without overlap is invented."""
    result = score(truth, counted)
    assert len(result.verdicts) == len(result.split) == len(truth)
    assert sum(verdict != "missed" for verdict in result.verdicts) + sum(result.split) + len(result.invented) <= len(counted)
    for one in counted:
        assert (one in result.invented) == all(span.overlap(one) <= 0 for span in truth)


RESULT = SceneResult(
    5,
    600.0,
    [FrameVerdict("man", "day", "man", ("man, coat", "man, bald"))] * 97
    + [FrameVerdict("man", "night", "woman", ("man, coat",))] * 3
    + [FrameVerdict("nobody", "dawn", "nobody")] * 50,
    [
        VisitorTruth(Span("man", 1, 5), "day"),
        VisitorTruth(Span("woman", 9, 14), "night"),
        VisitorTruth(Span("woman", 20, 24), "night"),
    ],
    [Span("man", 1, 5), Span("man", 9, 14), Span("woman", 20, 21), Span("woman", 22.5, 24), Span("man", 30, 31)],
    [Span("man", 1, 5), Span("man", 9, 14), Span("woman", 20, 24)],
    0.25,
)
ROWS = """
| man, in full view | 194 | 6 | 0 | 97.0 % |
| nobody | 0 | 0 | 100 | 100.0 % |
| somebody in full view |  | 100.0 % |  | 0.0 % | 97.0 % |
| man, coat | 200 | 97.0 % |
| man, bald | 194 | 100.0 % |
| day | 2 | 2 | 0 | 0 | 0 |  |
| night | 4 | 2 | 2 | 0 | 2 |  |
| all | 6 | 4 | 2 | 0 | 2 | 2 |
| all, with the motion gate, which holds 25 % of the frames back | 6 | 4 | 2 | 0 | 0 | 0 |
| share | | 66.7 % | 33.3 % | 0.0 % | 33.3 % | 20.0 % |
"""


def test_the_tables_count() -> None:
    """The tables have frames by truth, label, light and trait, visits by light, and shares of all visits."""
    report = tables([RESULT, RESULT])
    assert report.startswith("20 minutes of scenes (seeds 5, 5)")
    rows = ROWS.strip().splitlines()
    assert [row for row in report.splitlines() if row in rows] == rows


def test_the_report_is_replaced(tmp_path: Path) -> None:
    """Repeated writes replace it; the rest of the file and other reports stay. A file without the marks, or with several, too."""
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- report -->\n<!-- /report -->\nafter\n")
    for _ in range(2):
        write_report(path, "new \\1\n\nlines")
    assert path.read_text() == "before\n<!-- report -->\nnew \\1\n\nlines\n<!-- /report -->\nafter\n"
    path.write_text("<!-- report -->\n<!-- /report -->\n<!-- people -->\n<!-- /people -->\n")
    write_report(path, "of people", "people")
    assert path.read_text() == "<!-- report -->\n<!-- /report -->\n<!-- people -->\nof people\n<!-- /people -->\n"
    for text in ("", "<!-- report -->\n", "<!-- report -->\n<!-- /report -->\n" * 2):
        path.write_text(text)
        with pytest.raises(ValueError, match="one is needed"):
            write_report(path, "new")
        assert path.read_text() == text


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    """Confusion matrix and timeline, also of a scene without visitors, and a sheet of scenes."""
    draw_report(tmp_path / "report.png", [RESULT, SceneResult(6, 60.0, [], [], [], [], 0.0)])
    draw_scenes(tmp_path / "scenes.png", [1], columns=2)
    for path in tmp_path.iterdir():
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.std() > 10


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (evaluate, "-1"),
        (evaluate, "--minutes nan"),
        (evaluate_detector, "-1"),
        (clip, "-1"),
        (clip, "1 0"),
        (clip, "1 1 x.unknown"),
    ],
)
def test_bad_arguments(program: ModuleType, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program ends with exit code 2, and leaves no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["program", *words.split()])
    with pytest.raises(SystemExit, match="2"):
        program.main()
    assert not list(tmp_path.iterdir())
