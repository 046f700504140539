"""A recording that is played once: who was in it, as a file beside it says, and the summary at its end."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any


def load_truth(video_path: str, is_background: Callable[[str], bool]) -> Counter[str] | None:
    """Visitors by label from the JSON file beside a recording (``door.json`` for ``door.mp4``); None where there is no such file.

    Two forms are known: ``visitors``, each with its ``label``; and ``segments`` of time, of which those with the same label in a
    row are one visitor.
    """
    try:
        document: Any = json.loads(Path(video_path).expanduser().with_suffix(".json").read_text("utf-8"))
        if "visitors" in document:
            labels = [str(one["label"]) for one in document["visitors"]]
        else:
            labels = [label for label, _ in groupby(str(one["label"]) for one in document["segments"])]
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, RecursionError):  # none, or a file about something else
        return None
    return Counter(label for label in labels if not is_background(label))


def result_table(name: str, counted: Iterable[str], truth: Mapping[str, int] | None) -> str:
    """The visitors that were counted, by label, beside the truth where it is known."""
    counts = Counter(counted)
    labels = sorted({*counts, *(truth or {})})
    width = max(map(len, ["visitors", *labels, "all"]))
    rows = [(label, counts[label], (truth or {}).get(label, 0)) for label in labels]
    rows.append(("all", sum(counts.values()), sum((truth or {}).values())))
    lines = [f"{name} was played to its end.", f"{'visitors':{width}}  counted" + ("" if truth is None else "  truth")]
    lines += [f"{label:{width}}  {found:7}" + ("" if truth is None else f"  {true:5}") for label, found, true in rows]
    return "\n".join(lines)
