"""The README says what the code does."""

import re
from pathlib import Path

import pytest

from bridge.settings import Settings as Bridge
from bus.settings import BusSettings, LabelSettings
from capture.settings import Settings as Capture
from classifier.description import Description, read_description
from classifier.settings import Settings as Classifier
from counter.settings import Settings as Counter
from dashboard.settings import Settings as Dashboard
from display.settings import Settings as Display
from runtime.settings import variables_of
from tests.support.broker import ROOT

DEMO = (ROOT / "demo" / "README.md").read_text()
README = (ROOT / "README.md").read_text()
GROUPS: list[tuple[str, type[BusSettings], type[BusSettings] | None]] = [
    ("all", BusSettings, None),
    ("counter, dashboard, display", LabelSettings, BusSettings),
    ("capture", Capture, BusSettings),
    ("classifier", Classifier, BusSettings),
    ("counter", Counter, LabelSettings),
    ("bridge", Bridge, BusSettings),
    ("dashboard", Dashboard, LabelSettings),
    ("display", Display, LabelSettings),
]


def settings_table() -> str:
    """The table of settings, from their declarations."""
    lines = ["| of | variable | default | meaning |", "|---|---|---|---|"]
    for group, kind, base in GROUPS:
        inherited = base.model_fields if base else {}
        lines += [
            f"| {group} | {' or '.join(f'`{name}`' for name in variable.names)} | {variable.default} | {variable.meaning} |"
            for field, variable in variables_of(kind).items()
            if field not in inherited
        ]
    return "\n".join(lines)


def test_the_settings_are_those_of_the_code() -> None:
    """Every variable with its default and meaning stands in the README, and no other."""
    told = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", README, re.DOTALL)
    assert told
    assert told[1] == settings_table()


@pytest.mark.parametrize("toml", re.findall(r"```toml\n(.*?)```", README, re.DOTALL))
def test_its_descriptions_are_taken(toml: str) -> None:
    """Every footfall.toml that it shows can be given."""
    assert read_description(toml.encode(), None, ROOT) != Description()


def headings(path: Path) -> set[str]:
    """The anchors of a Markdown file's headings."""
    told = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in told}


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "demo" / "README.md"], ids=["main", "demo"])
def test_what_it_links_to_is_there(path: Path) -> None:
    """No picture, file or heading that it points to is missing."""
    links = re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", path.read_text())
    assert len(links) >= 3
    for target, anchor in links:
        file = path.parent / target if target else path
        assert file.exists(), target
        assert not anchor or anchor in headings(file), anchor


@pytest.mark.parametrize("text", [README, DEMO], ids=["main", "demo"])
def test_its_make_targets_exist(text: str) -> None:
    """Every `make` command that it names can be given."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake (\w+)(?=[ `\n])(?!=)", text))
    assert "run" in named
    assert named <= targets
