"""Writes the generated tables of docs/, the AsyncAPI document and the JSON Schemas: ``make docs``.

A table is between ``<!-- NAME -->`` and ``<!-- /NAME -->``, for each name in `TABLES`. The other text is written by hand.
"""

import ast
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from bridge.settings import Settings as Bridge
from bus import metric_names, states, topics
from bus.message import JsonMessage
from bus.schema import field_docs, message_kinds, parts, schema, wire_name
from bus.settings import BusSettings, LabelSettings, SetupSettings
from capture.settings import Settings as Capture
from classifier.settings import Settings as Classifier
from counter.settings import Settings as Counter
from dashboard.settings import Settings as Dashboard
from display.settings import Settings as Display
from footfall.access import GUESTS, access, users
from footfall.asyncapi import MODULES, asyncapi
from footfall.schema import as_json
from runtime.settings import environment_variables
from scripts import dependencies

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs"
ASYNCAPI = PAGES / "asyncapi.json"
SETTINGS: dict[str, tuple[type[BusSettings], type[BusSettings] | None]] = {
    "all": (BusSettings, None),
    "labels": (LabelSettings, BusSettings),
    "setup": (SetupSettings, LabelSettings),
    "capture": (Capture, BusSettings),
    "classifier": (Classifier, LabelSettings),
    "counter": (Counter, SetupSettings),
    "bridge": (Bridge, BusSettings),
    "dashboard": (Dashboard, SetupSettings),
    "display": (Display, LabelSettings),
}
"""By group: the settings, and the base class whose settings are in another group."""
EVERY = "every module"


def settings_table(group: str) -> str:
    """Returns the environment variables of a module, from their declarations."""
    kind, base = SETTINGS[group]
    inherited = base.model_fields if base else {}
    rows = [
        (" or ".join(map(_code, setting.names)), setting.default and _code(setting.default), setting.meaning)
        for field, setting in environment_variables(kind).items()
        if field not in inherited
    ]
    return _table(("Variable", "Default", "Meaning"), rows)


def topics_table() -> str:
    """Returns each topic with its message, its delivery and its publishers."""
    rows = []
    for kind in message_kinds():
        form = "JSON" if issubclass(kind, JsonMessage) else "msgpack"
        publishers = _modules(users(kind.TOPIC(), "write"))
        retained = "yes" if kind.RETAINED else "no"
        link = f"[{kind.__name__}](#{kind.__name__.lower()})"
        rows.append((_code(_topics()[kind.TOPIC()]), link, form, str(kind.QOS), retained, _size(kind.LIMIT), publishers))
    return _table(("Topic", "Message", "Format", "QoS", "Retained", "At most", "Published by"), rows)


def access_table() -> str:
    """Returns what the access list allows each user of the broker to read and publish."""
    rows = []
    for role, rules in access().items():
        names = {right: ", ".join(_short(topic, is_own) for topic, is_own in filters.items()) for right, filters in rules.items()}
        rows.append((role if role == GUESTS else _code(role), names["read"], names["write"] or "nothing"))
    return _table(("User", "Reads", "Publishes"), rows)


def fields_table(kind: type) -> str:
    """Returns the fields of a message or of a part of one, with their docstrings."""
    return _table(("Field", "Meaning"), [(_code(wire_name(kind, field)), text) for field, text in field_docs(kind).items()])


def metrics_table() -> str:
    """Returns each metric with its module."""
    rows = [(_code(value), group, meaning) for value, group, meaning in _constants(metric_names)]
    return _table(("Metric", "Module", "Meaning"), rows)


def states_table() -> str:
    """Returns each state of a module."""
    rows = [(_code(value), "no" if value in states.HEALTHY else "yes", meaning) for value, _, meaning in _constants(states)]
    return _table(("State", "Logged as a warning", "Meaning"), rows)


def licences_table(head: tuple[str, ...], rows: Callable[[], Sequence[tuple[str, ...]]]) -> str:
    """Returns packages with their licences."""
    return _table(("Package", "Licence", *head), rows())


TABLES: dict[str, Callable[[], str]] = {
    **{f"settings: {group}": partial(settings_table, group) for group in SETTINGS},
    "topics": topics_table,
    **{f"fields: {kind.__name__}": partial(fields_table, kind) for kind in parts(message_kinds()) if field_docs(kind)},
    "access": access_table,
    "metrics": metrics_table,
    "states": states_table,
    "licences: images": partial(licences_table, ("Images",), dependencies.image_rows),
    "licences: page": partial(licences_table, ("Text",), dependencies.vendored_rows),
    "licences: laptop": partial(licences_table, (), dependencies.laptop_rows),
}


def generated(page: str) -> str:
    """Returns the page with its tables generated from the code."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if begin in page:
            before, _, rest = page.partition(begin)
            _, _, after = rest.partition(end)
            page = f"{before}{begin}{table()}\n{end}{after}"
    return page


def documents() -> dict[Path, str]:
    """Returns the generated files: the AsyncAPI document, and the JSON Schema of each message."""
    schemas = {PAGES / "schemas" / f"{kind.__name__}.json": as_json(schema(kind)) for kind in message_kinds()}
    return {ASYNCAPI: as_json(asyncapi()), **schemas}


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def _code(text: str) -> str:
    return f"`{text}`"


def _size(limit: int) -> str:
    return f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"


def _topics() -> dict[str, str]:
    """Returns each topic as people write it, by its filter, in the order of `bus.topics`."""
    all_topics = [topic for topic in vars(topics).values() if isinstance(topic, topics.Topic)]
    return {topic(): topic("<" + next(iter(topic.fields_in(topic())), "") + ">") for topic in all_topics}


def _short(topic: str, is_own: bool) -> str:
    """Returns the last level of a topic that is not a placeholder, after `own` if the topic is the user's own.

    A topic of others is returned as it is.
    """
    last = topic if not topic.startswith("footfall/") else next(part for part in reversed(topic.split("/")) if part != "+")
    return f"own {_code(last)}" if is_own else _code(last)


def _modules(roles: list[str]) -> str:
    """Returns the roles as a list in words; all modules together become `EVERY`."""
    return ", ".join([EVERY, *(role for role in roles if role not in MODULES)] if set(roles) >= set(MODULES) else roles)


def _constants(module: ModuleType) -> list[tuple[str, str, str]]:
    """Returns the text constants of a module: value, the comment above their group, and the docstring below each."""
    source = Path(str(module.__file__)).read_text()
    lines, nodes = source.splitlines(), ast.parse(source).body
    constants = []
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            above = [line[2:] for line in lines[: node.lineno] if line.startswith("# ")]
            is_documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            meaning = str(following.value.value) if is_documented else ""  # type: ignore[union-attr]
            constants.append((str(node.value.value), above[-1] if above else "", " ".join(meaning.split())))
    return constants


def main() -> None:
    """Writes the pages and files that are out of date, and prints their names."""
    pages = {path: generated(path.read_text()) for path in sorted(PAGES.glob("*.md"))}
    for path, after in (pages | documents()).items():
        if not path.exists() or path.read_text() != after:
            path.parent.mkdir(exist_ok=True)
            path.write_text(after)
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
