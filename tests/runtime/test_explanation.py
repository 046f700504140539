"""What is allowed is said in plain words, whatever pydantic refuses."""

import re
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bridge.policy import Policy
from bridge.settings import Settings as Bridge
from bridge.sinks.edgehub.methods import Methods
from bridge.sinks.edgehub.twin import read_policy
from bus import InvalidMessage, InvalidSetting, Message, Pixels
from bus.settings import BusSettings
from capture.settings import Settings as Capture
from classifier import InvalidExport
from classifier.description import read_description
from classifier.settings import Settings as Classifier
from display.settings import Settings as Display
from runtime.explanation import first_problem
from runtime.settings import load, variables_of
from tests.support import samples
from tests.support.broker import ROOT

FOR_PROGRAMS = re.compile(r"Input|should|valid|pars|match|pattern|\^|Errno|codec|dictionary|tuple|instance|extra_|Value error")
NAMES = "lower-case letters, digits, - and _ are allowed, at most 64 characters"
BAD_TEXTS = ["x", "-1", "nan", "inf", "1e99", "0.5", "45", "9" * 30, "Front Door", "a,B c", "/no/such", "a" * 300, "..", "\x07"]


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        (Bridge, "THRESHOLD", "2", "THRESHOLD='2': must be a number from 0 to 1"),
        (Bridge, "THRESHOLD", "high", "THRESHOLD='high': must be a number from 0 to 1"),
        (Bridge, "THRESHOLD", "nan", "THRESHOLD='nan': must be a number from 0 to 1"),
        (Bridge, "KEEP_DAYS", "1.5", "KEEP_DAYS='1.5': must be a whole number from 1 to 36500"),
        (Bridge, "VISIT_GAP_SECONDS", "0", "VISIT_GAP_SECONDS='0': must be a number above 0 and at most 86400"),
        (Bridge, "FORWARD", "some", "FORWARD='some': must be none, visits, changes or all"),
        (Capture, "CAMERA", "Front Door", f"CAMERA='Front Door': {NAMES}"),
        (Capture, "FRAME_RATE", "0", "FRAME_RATE='0': must be a number from 0.01 to 240"),
        (Capture, "LOOP_VIDEO", "perhaps", "LOOP_VIDEO='perhaps': must be true or false"),
        (Capture, "ROTATE", "45", "ROTATE=45: must be 0, 90, 180 or 270"),
        (Capture, "RESIZE_WIDTH", "wide", "RESIZE_WIDTH='wide': must be a whole number from 16 to 8192"),
        (Capture, "MQTT_HOST", "a" * 64, f"MQTT_HOST='{'a' * 64}': must be the name or IP address of a machine"),
        (Capture, "MQTT_CA_FILE", "/none", "MQTT_CA_FILE='/none': cannot be read: No such file or directory"),
        (Classifier, "CAMERAS", "door,B", f"CAMERAS='B': {NAMES}"),
        (Classifier, "SHARE", "a b", f"SHARE='a b': {NAMES}"),
        (Display, "WEB_PORT", "99999", "WEB_PORT='99999': must be a whole number from 0 to 65535"),
    ],
)
def test_a_setting_says_what_is_allowed(
    kind: type[BusSettings], name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variable, value and what is allowed, as a person says it."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting) as refused:
        load(kind)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, variable.names[0]) for kind in (Bridge, Capture, Classifier, Display) for variable in variables_of(kind).values()],
)
def test_no_setting_is_explained_in_words_for_programs(
    kind: type[BusSettings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever each variable is set to, it is taken, or refused in words for people."""
    for value in BAD_TEXTS:
        monkeypatch.setenv(name, value)
        try:
            load(kind)
        except InvalidSetting as refused:
            problem = str(refused).replace(value, "")
            assert name in problem
            assert not FOR_PROGRAMS.search(problem), problem
            assert "not allowed here" not in problem


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "message", {type(one): one for one in samples.one_of_each()}.values(), ids=lambda one: type(one).__name__
)
@settings(max_examples=150)
@given(data=st.data())
def test_no_message_is_explained_in_words_for_programs(message: Message, data: st.DataObject) -> None:
    """A message of every kind in which any value, at any depth, is another: its refusal names the place in words for people."""
    document = {"v": 1, **TypeAdapter(type(message)).dump_python(message)}
    _spoil(document, data)
    try:
        type(message)._of(document)
    except InvalidMessage as refused:
        problem = str(refused).partition(": ")[2]
        for key in _keys(document):
            problem = problem.replace(key, "") if key else problem
        assert not FOR_PROGRAMS.search(problem), problem


def _spoil(document: Any, data: st.DataObject) -> None:
    """Replaces or removes one value somewhere inside a map or list, or puts one in."""
    while True:
        places = list(document if isinstance(document, dict) else range(len(document)))
        place = data.draw(st.sampled_from(places)) if places else None
        inner = None if place is None else document[place]
        if isinstance(inner, dict | list) and data.draw(st.booleans()):
            document = inner
            continue
        if isinstance(document, list):
            document[:] = [data.draw(JSON) for _ in document] or [data.draw(JSON)]
        elif place is not None and data.draw(st.booleans()):
            del document[place]
        else:
            document[data.draw(st.text(max_size=3)) if place is None or place == "v" else place] = data.draw(JSON)
        return


def _keys(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [str(key) for key in document] + [key for value in document.values() for key in _keys(value)]
    return [key for value in document for key in _keys(value)] if isinstance(document, list | tuple) else []


@pytest.mark.parametrize(("length", "taken"), [(191, False), (192, True), (193, False)])
def test_bytes_say_how_many_are_allowed(length: int, taken: bool) -> None:
    """As the pixels of a display."""
    document = {"v": 1, "name": "matrix", "label": "", "rgb": bytes(length)}
    with nullcontext() if taken else pytest.raises(InvalidMessage, match=r"^Pixels: rgb: must be 192 bytes$"):
        Pixels._of(document)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("forward", "some", "'some': must be none, visits, changes or all"),
        ("minProbability", 2, "2: must be a number from 0 to 1"),
        ("labels", [""], "['']: must be text of 1 to 256 characters, without control characters"),
        ("labels", 5, "5: must be a list"),
        ("intervalSeconds", "5", "'5': must be a number from 0 to 86400"),
    ],
)
def test_a_desired_property_says_what_is_allowed(name: str, value: object, words: str) -> None:
    """As settings do."""
    assert read_policy({name: value}, Policy("visits", 0.0, (), 0.0))[1] == {name: words}


@pytest.mark.parametrize(
    ("method", "payload", "words"),
    [
        ("counts", {"day": "1960-01-01"}, "day: must be a day such as 2026-11-23, from 1970-01-02 to 5000-12-31"),
        ("counts", {"day": "tomorrow"}, "day: must be a day such as 2026-11-23, from 1970-01-02 to 5000-12-31"),
        ("counts", {"date": "2026-11-23"}, "date: is unknown"),
        ("pause", {"camera": "Front Door"}, f"camera: {NAMES}"),
        ("pause", {"camera": 5}, f"camera: {NAMES}"),
        ("status", "now", "payload: must be a map"),
    ],
)
def test_a_direct_method_says_what_is_allowed(method: str, payload: object, words: str) -> None:
    """As settings do."""
    unused: Any = None
    answer = Methods(unused, unused, unused).answer(method, payload)
    assert (answer.status, answer.body) == (400, {"error": words})


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("scale = 0", "scale=0: must be a number above 0"),
        ('kind = "other"', "kind='other': must be classification, yolo, detection or ssd"),
        ("anchors = [[1, -1]]", "anchors.0.1=-1: must be a number above 0"),
        ("anchors = [[1]]", "anchors.0.1=[1]: is missing"),
        ("anchors = []", "anchors=[]: must be a list of at least 1"),
        ("scael = 1", "scael=1: is unknown"),
    ],
)
def test_a_models_description_says_what_is_allowed(toml: str, words: str) -> None:
    """As settings do."""
    with pytest.raises(InvalidExport) as refused:
        read_description(toml.encode(), None, ROOT)
    assert str(refused.value).endswith(f"footfall.toml: {words}")


def test_the_first_of_several_problems_is_said() -> None:
    """With its place; a key that is wrong is named itself."""
    kind = dict[str, int]
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python({"a": "x", 5: 1})
    assert first_problem(kind, refused.value, "all") == "a: must be a whole number"
