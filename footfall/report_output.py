"""The outputs of ``footfall report``: a table, and files in CSV, JSON and Parquet. All are written page by page."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from bus import FootfallError, InvalidSetting, Page
from bus.reports import Value
from bus.rows import ROW_TEXTS
from footfall.paths import argument_path

FORMATS = ("csv", "json", "parquet")
TIMES = ("from", "to")
"""Columns with times."""
LEFT = (str, bool)
"""Types of columns that are aligned left in the table."""
MIN_SHARE = 0.001
"""The least share that the table shows as a number."""
HIDDEN = TIMES
"""Columns that the table leaves out."""


def print_table(pages: Iterator[Page], out: TextIO) -> None:
    """Prints a table, whose columns are as wide as those of its first page. A hyphen means that there is no data."""
    first: Page | None = None
    widths = list[int]()
    for page in pages:
        shown = [index for index, name in enumerate(page.columns) if name not in HIDDEN]
        names, kinds = [list(page.columns)[index] for index in shown], [list(page.columns.values())[index] for index in shown]
        keys = (first or page).keys
        rows = [[_cell(names[place], row[index]) for place, index in enumerate(shown)] for row in page.rows(keys)]
        if first is None:
            first, widths = page, [max(map(len, column)) for column in zip(names, *rows, strict=True)]
            print("no data" if not rows else _line(names, kinds, widths), file=out)
        for row in rows:
            print(_line(row, kinds, widths), file=out)


def _line(cells: list[str], kinds: list[type], widths: list[int]) -> str:
    aligned = (f"{cell:{'<' if kind in LEFT else '>'}{width}}" for cell, kind, width in zip(cells, kinds, widths, strict=True))
    return "  ".join(aligned).rstrip()


def _cell(name: str, value: Value) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else ""
        case float() if name.startswith("counted") and 0 < value < MIN_SHARE:
            return f"<{MIN_SHARE:.1%}"
        case float() if name.startswith("counted"):
            return f"{value:.1%}"
        case float():
            return f"{value:.1f}"
    return str(value)


def write(kind: str, target: str, pages: Iterator[Page]) -> None:
    """Writes a report to a file, which is complete or unchanged; ``-`` prints it. Raises `InvalidSetting` or `FootfallError`."""
    if kind == "parquet":
        _check_parquet(target)
    if target == "-":
        text = ROW_TEXTS[kind]()
        for page in pages:
            print(text.process(page), end="")
        print(text.end(), end="")
        return
    path = argument_path(f"--{kind} ", target)
    part = path.with_name(f"{path.name}.part")
    try:
        (_write_parquet if kind == "parquet" else _write_text)(kind, part, pages)
        part.replace(path)
    except OSError as error:
        raise FootfallError(f"--{kind} {str(path)!r}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _write_text(kind: str, path: Path, pages: Iterator[Page]) -> None:
    text = ROW_TEXTS[kind]()
    with path.open("w", encoding="utf-8", newline="") as file:
        for page in pages:
            file.write(text.process(page))
        file.write(text.end())


def _check_parquet(target: str) -> None:
    try:
        import pyarrow  # noqa: F401, PLC0415
    except ImportError as error:
        problem = f"--parquet: needs pyarrow, which cannot be used: {error}"
        raise InvalidSetting(f"{problem}; install it with: {sys.executable} -m pip install 'footfall[parquet]'") from None
    if target == "-":
        raise InvalidSetting("--parquet -: must be a file, because Parquet is not text")


def _write_parquet(_kind: str, path: Path, pages: Iterator[Page]) -> None:
    """Writes a row group for each page. Times are in the site's time zone."""
    import pyarrow  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    types: dict[type, Any] = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    writer, keys = None, {}
    try:
        for page in pages:
            time = pyarrow.timestamp("ms", page.zone)
            schema = pyarrow.schema([(name, time if name in TIMES else types[kind]) for name, kind in page.columns.items()])
            if writer is None:
                writer, keys = parquet.ParquetWriter(path, schema), page.keys
            rows = list(page.rows(keys))
            columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
            named = zip(page.columns, columns, strict=True)
            data = [[_time(one) for one in column] if name in TIMES else list(column) for name, column in named]
            writer.write_batch(pyarrow.record_batch(data, schema))
    finally:
        if writer is not None:
            writer.close()


def _time(text: Value) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
