"""The metadata that Ultralytics writes into and beside its exports."""

import ast
import json
import re
import warnings
from typing import Any

from classifier import InvalidExport
from classifier.labels import from_names

MAX_LITERAL = 48 * 1024
"""Upper bound of a Python literal in characters; parsing takes up to 500 times as many bytes."""
TASKS = ("detect", "classify")
"""The tasks that are served."""


def read_metadata(text: bytes, where: object) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Returns the labels and the values of a description from a text inside a model: JSON or, in older exports, Python.

    Raises `InvalidExport`.
    """
    is_json = re.match(rb'\s*\{\s*"', text)
    try:
        metadata = json.loads(text) if is_json else parse_literal(text.decode())
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict):
        raise InvalidExport(f"{where}: neither JSON nor a Python dictionary of at most {MAX_LITERAL} characters")
    return interpret(metadata, where)


def parse_literal(text: str) -> Any:
    """Returns the value of a Python literal; None if it is none, or too long."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # Python prints them past the log
            return ast.literal_eval(text.strip()) if len(text) <= MAX_LITERAL else None
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def read_yaml(text: bytes, where: object) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Returns the labels and the values of a description from metadata.yaml. Raises `InvalidExport`.

    Reads only what that file has: values on the top level, and one label a line below ``names:``.
    """
    metadata: dict[str, Any] = {}
    names: dict[int, str] = {}
    section = ""
    for line in text.decode(errors="replace").splitlines():
        if top := re.fullmatch(r"([A-Za-z_]\w*):\s*(.*)", line):
            section = top[1]
            metadata[section] = _unquote(top[2])
        elif section == "names" and (item := re.fullmatch(r"\s+(\d{1,5}):\s+(.*)", line)):
            names[int(item[1])] = _unquote(item[2])
    return interpret(metadata | {"names": names}, where)


def interpret(metadata: dict[str, Any], where: object) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Returns the labels and the values of a description.

    A classifier takes the centred square, RGB, 0..1: ``classify_transforms`` in ultralytics/data/augment.py. The
    decoder of a detector follows from the shape of its output, and knows the input.
    """
    task = metadata.get("task", "detect")
    if task not in TASKS:
        found = repr(task)[:40] if isinstance(task, str) else type(task).__name__
        raise InvalidExport(f"{where}: an Ultralytics model for the task {found}; supported are {' and '.join(TASKS)}")
    labels = from_names(metadata["names"], f"{where}: names") if metadata.get("names") else ()
    classifier = {"kind": "classification", "colour": "rgb", "mean": 0.0, "scale": 255.0, "fit": "square"}
    return labels, classifier if task == "classify" else {}


def _unquote(text: str) -> str:
    """Returns a YAML scalar without its quotes."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text.strip()
