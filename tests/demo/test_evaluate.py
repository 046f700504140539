"""The report of the demo."""

from pathlib import Path
from types import ModuleType

import cv2
import pytest

from demo import clip, evaluate
from demo.chain import FrameVerdict, VisitorTruth, Watched
from demo.evaluate import tables, write_report
from demo.pictures import draw_report, draw_scenes
from demo.score import Span

WATCHED = Watched(
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
)


def cells(report: str, row: str) -> list[str]:
    """What stands in a row of the tables after its name."""
    line = next(line for line in report.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")[1:]]


def test_the_tables_count() -> None:
    """Frames by truth and verdict and by light; visits by light, and shares of all."""
    report = tables([WATCHED, WATCHED])
    assert report.startswith("20 minutes of scenes (seeds 5, 5)")
    assert cells(report, "man, in full view") == ["194", "6", "0", "97.0 %"]
    assert cells(report, "nobody") == ["0", "0", "100", "100.0 %"]
    assert cells(report, "somebody in full view") == ["", "100.0 %", "", "0.0 %", "97.0 %"]
    assert cells(report, "man, coat") == ["200", "97.0 %"]
    assert report.index("| man, coat |") < report.index("| man, bald |")
    assert cells(report, "day") == ["2", "2", "0", "0", "0", ""]
    assert cells(report, "night") == ["4", "2", "2", "0", "2", ""]
    assert cells(report, "all") == ["6", "4", "2", "0", "2", "2"]
    assert cells(report, "share") == ["", "66.7 %", "33.3 %", "0.0 %", "33.3 %", "20.0 %"]


def test_the_report_is_replaced(tmp_path: Path) -> None:
    """As often as it is written; the rest of the file stays. A file without the marks, or with two of each, is left as it is."""
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- report -->\n<!-- /report -->\nafter\n")
    for _ in range(2):
        write_report(path, "new \\1\n\nlines")
    assert path.read_text() == "before\n<!-- report -->\nnew \\1\n\nlines\n<!-- /report -->\nafter\n"
    for text in ("", "<!-- report -->\n", "<!-- report -->\n<!-- /report -->\n" * 2):
        path.write_text(text)
        with pytest.raises(ValueError, match="one is needed"):
            write_report(path, "new")
        assert path.read_text() == text


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    """Matrix and timeline, also of a scene without visitors; and a sheet of scenes."""
    draw_report(tmp_path / "report.png", [WATCHED, Watched(6, 60.0, [], [], [])])
    draw_scenes(tmp_path / "scenes.png", [1], columns=2)
    for name in ("report.png", "scenes.png"):
        picture = cv2.imread(str(tmp_path / name))
        assert picture is not None
        assert picture.std() > 10


@pytest.mark.parametrize(
    ("program", "words"), [(evaluate, "-1"), (evaluate, "--minutes nan"), (clip, "-1"), (clip, "1 0"), (clip, "1 1 x.unknown")]
)
def test_bad_arguments(
    program: ModuleType, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one reason; no file is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["program", *words.split()])
    with pytest.raises(SystemExit, match="2"):
        program.main()
    assert f"python -m {program.__name__}: error: " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
