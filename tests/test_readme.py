"""The README says what the code does."""

import re

import pytest

from bridge.settings import Settings as Bridge
from bus.settings import BusSettings, LabelSettings, variables_of
from capture.settings import Settings as Capture
from classifier.settings import Settings as Classifier
from display.settings import Settings as Display
from tests.support.broker import ROOT

README = (ROOT / "README.md").read_text()
GROUPS: list[tuple[str, type[BusSettings], type[BusSettings] | None]] = [
    ("all", BusSettings, None),
    ("display, bridge", LabelSettings, BusSettings),
    ("capture", Capture, BusSettings),
    ("classifier", Classifier, BusSettings),
    ("display", Display, LabelSettings),
    ("bridge", Bridge, LabelSettings),
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


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_what_it_links_to_is_there(path: str) -> None:
    """No picture or file that it shows is missing."""
    assert (ROOT / path).exists()


def test_its_make_targets_exist() -> None:
    """Every `make` command that it names can be given."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake (\w+)(?=[ `\n])(?!=)", README))
    assert {"run", "test", "watch", "check"} <= named <= targets
