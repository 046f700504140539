"""The labels of a model, in the notations of all tools that are read."""

import codecs
import json
import re
from collections.abc import Collection, Sequence
from itertools import islice

from classifier import InvalidExport
from runtime.explanation import TEXT_PATTERN
from runtime.logs import one_line

PLACEHOLDER = "???"
"""The label of a class number that is not in use, in label files of COCO; it may occur repeatedly."""
MAX_LABELS = 10_000
MAX_LISTED = 12
"""Labels that a line lists at most."""
MAX_LABEL_BYTES = 256
"""Upper bound of a label in UTF-8. With it, `classifier.recogniser.MAX_LABELS` and so on keep messages within their limits."""
MIN_SKIPPING = 10
"""Labels that a list must have at least to be recognised as numbered although it skips numbers."""
_CHARACTER_MAP = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff")) | dict.fromkeys(map(ord, "\u00a0\u2007\u202f"), " ")
"""Removes zero-width characters, except joiners (emoji, Persian); replaces no-break spaces with spaces."""
_NUMBERED = re.compile(r"(\d{1,5})(?:\s*:\s*|\s+)(\S.*)")


def parse_labels(text: bytes, where: object = "labels.txt") -> tuple[str, ...]:
    """Returns the labels in a text of one label per line, in UTF-8 or UTF-16. Raises `InvalidExport`; `where` is for messages.

    Accepts the line ends of any system. Ignores blank lines at the end, white space around labels, and invisible characters.
    """
    content = _decode(text, where).replace("\r\n", "\n").replace("\r", "\n").translate(_CHARACTER_MAP)
    lines = [line.strip() for line in content.rstrip().split("\n", MAX_LABELS)]
    return check_labels(lines, where, "line")


def parse_json(text: bytes, where: object = "labels.json") -> tuple[str, ...]:
    """Returns the labels in a JSON list, or object of numbers and labels. Raises `InvalidExport`."""
    content = decode_utf8(text, where)
    try:
        return from_names(json.loads(content), where)
    except (ValueError, RecursionError):
        raise InvalidExport(f"{where}: not JSON") from None


def from_names(names: object, where: object) -> tuple[str, ...]:
    """Returns the labels in a list, or a dictionary of numbers from 0 and labels. Raises `InvalidExport`."""
    if isinstance(names, dict) and 0 < len(names) <= MAX_LABELS:
        names = [names.get(number, names.get(str(number))) for number in range(len(names))]
    if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) for one in names):
        raise InvalidExport(f"{where}: must be a list of labels, or an object with labels for the numbers from 0")
    return check_labels([name.translate(_CHARACTER_MAP).strip() for name in names], where, "label")


def check_labels(labels: Sequence[str], where: object, unit: str) -> tuple[str, ...]:
    """Returns the labels. Raises `InvalidExport` for one that no message may have; `unit` says what is numbered."""
    if len(labels) > MAX_LABELS:
        raise InvalidExport(f"{where}: more than {MAX_LABELS} labels")
    seen: set[str] = set()
    for number, label in enumerate(labels, 1):
        if not label:
            raise InvalidExport(f"{where}: {unit} {number}: is blank; remove it, or write the label")
        if (size := len(label.encode(errors="surrogatepass"))) > MAX_LABEL_BYTES:
            raise InvalidExport(f"{where}: {unit} {number}: {size} bytes; a label has at most {MAX_LABEL_BYTES}, in UTF-8")
        if not re.search(TEXT_PATTERN, label) or re.search("[\ud800-\udfff]", label):
            problem = "a label must not contain control characters or half of a character"
            raise InvalidExport(f"{where}: {unit} {number}: {label!r:.80}: {problem}")
        if label in seen and label != PLACEHOLDER:
            raise InvalidExport(f"{where}: {unit} {number}: {label!r:.80} occurs twice")
        seen.add(label)
    return tuple(labels)


def without_numbers(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the labels without numbers that count them from 0 or 1, such as ``0 Woman``; the same labels if they have none.

    ``1 person`` and ``2 persons`` may be labels as they are, so two labels must not differ in their number only. A long list
    may skip numbers, as Coral's labels of COCO do; `PLACEHOLDER` takes their place.
    """
    found = [one for one in map(_NUMBERED.fullmatch, labels) if one]
    numbers, names = [int(one[1]) for one in found], [one[2] for one in found]
    real = [name for name in names if name != PLACEHOLDER]
    if not labels or len(found) < len(labels) or len(set(real)) < len(real) or numbers[0] > min(1, len(labels) - 1):
        return labels
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return tuple(names)
    if len(numbers) < MIN_SKIPPING or numbers != sorted(set(numbers)) or numbers[-1] > 2 * len(numbers):
        return labels
    by_number = dict(zip(numbers, names, strict=True))
    return tuple(by_number.get(number, PLACEHOLDER) for number in range(numbers[-1] + 1))


def listed(labels: Collection[str]) -> str:
    """Returns labels on one line, for people; only the first ones if there are many."""
    more = f" and {len(labels) - MAX_LISTED} more" if len(labels) > MAX_LISTED else ""
    return one_line(", ".join(islice(labels, MAX_LISTED))) + more


def decode_utf8(text: bytes, where: object) -> str:
    """Returns a text in UTF-8, without its byte order mark. Raises `InvalidExport`, which names the line."""
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidExport(f"{where}: line {line}: not UTF-8; save the file as UTF-8") from None


def _decode(text: bytes, where: object) -> str:
    """Decodes UTF-16 if it has a byte order mark or a 0 among its first two bytes, and UTF-8 otherwise."""
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-16-le" if text[1:2] == b"\0" else "utf-16-be" if text[:1] == b"\0" else "utf-8-sig"
    try:
        return text.decode(encoding)
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise InvalidExport(f"{where}: line {line}: not UTF-8 or UTF-16; save the file as UTF-8") from None
