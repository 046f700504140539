"""What is allowed is said in plain words, whatever pydantic refuses. (Messages: tests/bus/test_messages.py.)"""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.policy import Policy
from bridge.sinks.edgehub.methods import Methods
from bridge.sinks.edgehub.twin import read_policy
from bus import InvalidSetting
from classifier import InvalidExport
from classifier.description import read_description
from runtime.settings import load, variables_of
from tests.bus.test_messages import FOR_PROGRAMS
from tests.runtime.modules import MODULES, settings_of
from tests.support.broker import ROOT

NAMES = "lower-case letters, digits, - and _ are allowed, at most 64 characters"
BAD_TEXTS = ["x", "-1", "nan", "inf", "1e99", "0.5", "45", "9" * 30, "Front Door", "a,B c", "/no/such", "a" * 300, "..", "\x07"]


@pytest.mark.parametrize("module", MODULES)
def test_no_setting_is_explained_in_words_for_programs(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever each variable is set to, it is accepted, or refused in words for people."""
    for name in [variable.names[0] for variable in variables_of(settings_of(module)).values()]:
        for value in BAD_TEXTS:
            with monkeypatch.context() as patch:
                patch.setenv(name, value)
                try:
                    load(settings_of(module))
                except InvalidSetting as refused:
                    problem = str(refused).replace(value, "")
                    assert name in problem
                    assert not FOR_PROGRAMS.search(problem), problem
                    assert "not allowed here" not in problem


def twin(name: str, value: object) -> str:
    """What is wrong with a desired property."""
    return str(read_policy({name: value}, Policy("visits", 0.0, (), 0.0))[1][name])


def method(name: str, payload: object) -> str:
    """What is wrong with a direct method's payload."""
    unused: Any = None
    answer = Methods(unused, unused, unused).answer(name, payload)
    assert answer.status == 400
    return str(answer.body["error"])


def description(toml: str) -> str:
    """What is wrong with a model's footfall.toml."""
    with pytest.raises(InvalidExport) as refused:
        read_description(toml.encode(), None, ROOT)
    return str(refused.value).partition("footfall.toml: ")[2]


@pytest.mark.parametrize(
    ("explain", "arguments", "words"),
    [
        (twin, ("forward", "some"), "'some': must be none, visits, changes or all"),
        (twin, ("labels", [""]), "['']: must be text of 1 to 256 characters, without control characters"),
        (twin, ("intervalSeconds", "5"), "'5': must be a number from 0 to 86400"),
        (method, ("counts", {"day": "tomorrow"}), "day: must be a day such as 2026-11-23, from 1970-01-02 to 5000-12-31"),
        (method, ("counts", {"date": "2026-11-23"}), "date: is unknown"),
        (method, ("pause", {"camera": 5}), f"camera: {NAMES}"),
        (method, ("status", "now"), "payload: must be a map"),
        (description, ("scale = 0",), "scale=0: must be a number above 0"),
        (description, ("anchors = [[1, -1]]",), "anchors.0.1=-1: must be a number above 0"),
        (description, ("anchors = [[1]]",), "anchors.0.1=[1]: is missing"),
        (description, ("anchors = []",), "anchors=[]: must be a list of at least 1"),
        (description, ("scael = 1",), "scael=1: is unknown"),
    ],
)
def test_values_from_elsewhere_are_explained_as_settings_are(explain: Callable[..., str], arguments: Any, words: str) -> None:
    """From the cloud, and from a model's folder."""
    assert explain(*arguments) == words
