"""The rows of a report as text: CSV for spreadsheets, JSON for programs. Page by page, in bounded memory."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable

from bus.reports import Page, Value


class RowText(ABC):
    """The text of a report, which `process` returns for one page after the other."""

    MEDIA_TYPE: str

    def __init__(self) -> None:
        self._first: Page | None = None

    def process(self, page: Page) -> str:
        """Returns the text for the next page; the first one knows the keys of all."""
        names, is_first = list(page.columns), self._first is None
        self._first = self._first or page
        return self._begin(names) * is_first + "".join(self._row(names, row) for row in page.rows(self._first.keys))

    def end(self) -> str:
        """Returns the text after the last page."""
        return ""

    @abstractmethod
    def _begin(self, names: list[str]) -> str: ...

    @abstractmethod
    def _row(self, names: list[str], row: tuple[Value, ...]) -> str: ...


class CsvText(RowText):
    """CSV as in RFC 4180: a line for each row, after the names of the columns. Without data, a number is empty."""

    MEDIA_TYPE = "text/csv"

    def _begin(self, names: list[str]) -> str:
        return csv_line(names)

    def _row(self, _names: list[str], row: tuple[Value, ...]) -> str:
        return csv_line(str(one).lower() if isinstance(one, bool) else one for one in row)


class JsonText(RowText):
    """A JSON array with an object for each row. Without data, a number is null."""

    MEDIA_TYPE = "application/json"

    def __init__(self) -> None:
        super().__init__()
        self._before = "\n"

    def _begin(self, _names: list[str]) -> str:
        return "["

    def _row(self, names: list[str], row: tuple[Value, ...]) -> str:
        before, self._before = self._before, ",\n"
        return before + json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)

    def end(self) -> str:
        """Returns the end of the array."""
        return "\n]\n"


def csv_line(cells: Iterable[object]) -> str:
    """Returns a line of CSV. A text that a spreadsheet would read as a formula gets an apostrophe in front."""
    out = io.StringIO()
    csv.writer(out).writerow([escape_formula(cell) for cell in cells])
    return out.getvalue()


def escape_formula(cell: object) -> object:
    """Prefixes a text that a spreadsheet would read as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell


ROW_TEXTS: dict[str, type[RowText]] = {"json": JsonText, "csv": CsvText}
"""By format."""
