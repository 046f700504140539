"""The command line: which commands there are, and how they end."""

import re
from pathlib import Path

import pytest

from footfall.__main__ import COMMANDS
from tests.footfall.commands import call
from tests.support.broker import ROOT


def test_help_lists_the_commands_that_make_calls(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command is a target of the Makefile too."""
    with pytest.raises(SystemExit) as end:
        call("--help")
    shown = capsys.readouterr().out
    assert end.value.code == 0
    called = re.findall(r"^(\w+):.*\n\t@exec \S+ -m footfall (\w+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert dict(called) == {name: name for name in COMMANDS}
    assert all(re.search(rf"^ +{name} ", shown, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("words", [[], ["dance"], ["tell", "pause"], ["tell", "=pause"]])
def test_other_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """By argparse, with the usage."""
    with pytest.raises(SystemExit) as end:
        call(*words)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: footfall")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["tell", "DO=dance"], "tell: DO='dance': must be pause, resume or snapshot"),
        (["tell"], "tell: DO is not set: must be pause, resume or snapshot, as in: make tell DO=pause"),
        (["tell", "DO=pause", "CAMERA=No Where"], "tell: CAMERA='No Where': lower-case letters, digits, - and _ are allowed"),
        (["tell", "DO=pause", "MQTT_HOST=shop.local"], "tell: MQTT_HOST='shop.local': commands are given on the machine"),
        (["forget"], "forget: CAMERA is not set, as in: make forget CAMERA=back"),
        (["camera"], "camera: CAMERA is not set, as in: make camera CAMERA=back VIDEO_PATH=1"),
        (["camera", "CAMERA=back", "VIDEO_PATH=none.mp4"], "camera: VIDEO_PATH: none.mp4: No such file or directory"),
    ],
)
def test_a_bad_setting_is_one_line(words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what is allowed."""
    assert call(*words) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"footfall {reason}")


def test_a_misspelt_setting_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And changes nothing."""
    assert call("reset", f"STATE_DIR={tmp_path}", "CAMRA=back") == 0
    assert capsys.readouterr().err == "footfall reset: CAMRA is not a setting, so it changes nothing: is CAMERA meant?\n"
