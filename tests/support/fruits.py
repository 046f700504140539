"""The fruit data: a Custom Vision export, photographs with the classic service's predictions, and a clip with its truth."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

from demo.score import Span


class Fruits:
    """The files of the fruit data, and their content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clip = folder / "clip.mp4"
        self.photos = folder / "photos"

    @property
    def reference(self) -> dict[str, dict[str, float]]:
        """The classic service's probabilities for each photograph."""
        reference: dict[str, dict[str, float]] = json.loads((self.folder / "reference.json").read_text())
        return reference

    @property
    def segments(self) -> list[Span]:
        """The segments of the clip, one for each photograph."""
        document = json.loads((self.folder / "clip.json").read_text())
        return [Span(one["label"], one["from_s"], one["to_s"]) for one in document["segments"]]

    @property
    def runs(self) -> list[Span]:
        """The segments of the clip, one for each run of equal labels."""
        runs = [list(run) for _, run in itertools.groupby(self.segments, lambda segment: segment.label)]
        return [replace(run[0], end=run[-1].end) for run in runs]
