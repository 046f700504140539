"""``footfall schema``: the AsyncAPI document of all topics, or the JSON Schema of one message."""

import json
from argparse import Namespace
from typing import Any

from bus.schema import message_kind, schema
from footfall.asyncapi import asyncapi


def as_json(document: dict[str, Any]) -> str:
    """Returns a document as it is printed and stored."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Namespace) -> None:
    """Prints the document. Raises `InvalidSetting` for an unknown message."""
    print(as_json(schema(message_kind(arguments.message)) if arguments.message else asyncapi()), end="")
