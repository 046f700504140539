"""The result of a recording that is played once: the counted visitors beside the true ones."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any


def load_truth(video_path: str, is_background: Callable[[str], bool]) -> dict[str, int] | None:
    """Returns the true visitors by label, from the JSON file beside a recording (``door.json`` for ``door.mp4``), or None.

    The file has a list of ``visitors``, each with a ``label``, or a list of ``segments`` of time, each with a ``label``.
    Consecutive segments with equal labels are one visitor.
    """
    try:
        document: Any = json.loads(Path(video_path).expanduser().with_suffix(".json").read_text("utf-8"))
        if "visitors" in document:
            labels = [str(one["label"]) for one in document["visitors"]]
        else:
            labels = [label for label, _ in groupby(str(one["label"]) for one in document["segments"])]
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, RecursionError):  # no file, or another kind of file
        return None
    return dict(Counter(label for label in labels if not is_background(label)))


def result_table(name: str, counted: Iterable[str], truth: Mapping[str, int] | None) -> str:
    """Returns a table of the counted visitors by label, beside the truth if it is known."""
    counts = Counter(counted)
    labels = sorted({*counts, *(truth or {})})
    width = max(map(len, ["visitors", *labels, "all"]))
    rows = [(label, counts[label], (truth or {}).get(label, 0)) for label in labels]
    rows.append(("all", sum(counts.values()), sum((truth or {}).values())))
    lines = [f"{name} was played to its end.", f"{'visitors':{width}}  counted" + ("" if truth is None else "  truth")]
    lines += [f"{label:{width}}  {found:7}" + ("" if truth is None else f"  {true:5}") for label, found, true in rows]
    return "\n".join(lines)
