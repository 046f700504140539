"""``footfall schema``: the AsyncAPI document, read by AsyncAPI's own parser, and the schemas that it prints."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bus.message import JsonMessage
from bus.schema import message_kinds
from footfall import access
from footfall.asyncapi import asyncapi
from tests.footfall.suite import call
from tests.support.broker import ROOT
from tests.support.wait import limit

PARSER = Path(sys.prefix, "asyncapi", "node_modules")
"""Where scripts/setup.sh installs @asyncapi/parser."""


def parse(document: Path) -> Any:
    """Returns what AsyncAPI's parser reads in a document: its problems, and its messages."""
    node = shutil.which("node")
    if not (node and PARSER.exists()):
        pytest.skip("needs Node.js and @asyncapi/parser, which scripts/setup.sh dev installs with npm")
    command = [node, str(ROOT / "tests" / "support" / "asyncapi.cjs"), str(document)]
    environment = os.environ | {"NODE_PATH": str(PARSER)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit(30), check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.system
def test_the_document_is_valid() -> None:
    """AsyncAPI's parser finds no problem, and reads each message with its topic, content type and delivery."""
    read = parse(ROOT / "docs" / "asyncapi.json")
    assert read["problems"] == []
    assert {name: {**one, "topic": re.sub(r"{\w+}", "+", one["topic"])} for name, one in read["messages"].items()} == {
        kind.__name__: {
            "topic": kind.TOPIC(),
            "contentType": "application/json" if issubclass(kind, JsonMessage) else "application/vnd.msgpack",
            "qos": [kind.QOS],
            "retained": [kind.RETAINED],
        }
        for kind in message_kinds()
    }


@pytest.mark.system
def test_an_invalid_document_has_problems(tmp_path: Path) -> None:
    """The parser refuses a reference to nothing, and an unknown type."""
    document = asyncapi()
    document["operations"]["sendVisit"]["channel"] = {"$ref": "#/channels/Nothing"}
    document["components"]["schemas"]["Label"]["properties"]["name"]["type"] = "word"
    broken = tmp_path / "asyncapi.json"
    broken.write_text(json.dumps(document))
    problems = " ".join(parse(broken)["problems"])
    assert "operations.sendVisit" in problems
    assert "schemas.Label.properties.name.type" in problems


@pytest.mark.parametrize(
    ("name", "publishers", "subscribers", "sends", "receives", "servers"),
    [
        ("Frame", "capture", "classifier dashboard", "capture", "classifier dashboard", "tls"),
        ("Crossing", "counter", "guests bridge reader homeassistant operator", "counter", "bridge", "guests tls"),
        (
            "Command",
            "counter bridge homeassistant operator",
            "capture counter operator",
            "counter bridge",
            "capture counter",
            "tls",
        ),
        ("WantedModel", "bridge operator", "classifier operator", "bridge", "classifier", "tls"),
    ],
)
def test_who_publishes_and_who_reads(
    name: str, publishers: str, subscribers: str, sends: str, receives: str, servers: str
) -> None:
    """The users are those of the access list, the operations those of the modules, and guests read what they may."""
    document = asyncapi()
    channel, operations = document["channels"][name], document["operations"]
    assert channel["x-publishers"] == publishers.split()
    assert channel["x-subscribers"] == subscribers.split()
    assert [tag["name"] for tag in operations[f"send{name}"]["tags"]] == sends.split()
    assert [tag["name"] for tag in operations[f"receive{name}"]["tags"]] == receives.split()
    assert [server["$ref"] for server in channel["servers"]] == [f"#/servers/{server}" for server in servers.split()]


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It prints what is stored in docs/. Other messages are refused, and so is the document without the access list."""
    for words, path in (("schema", "asyncapi.json"), ("schema Visit", "schemas/Visit.json")):
        assert call(*words.split()) == 0
        assert capsys.readouterr().out == (ROOT / "docs" / path).read_text()
    assert call("schema", "visits") == 2
    assert capsys.readouterr().err.startswith("footfall schema: 'visits': must be Frame, Prediction, Visit, ")
    monkeypatch.setattr(access, "ACCESS", tmp_path / "access.acl")
    access.access.cache_clear()
    assert call("schema") == 2
    assert capsys.readouterr().err.count("\n") == 1
