"""The people data: real detectors and classifiers, clips and photographs of people, with their truth."""

import json
from pathlib import Path
from typing import Any


class People:
    """The files of the people data."""

    def __init__(self, folder: Path) -> None:
        self.models = folder / "models"
        self.detector = folder / "models" / "ssd-person" / "model.tflite"
        """The model that MODEL=person fetches."""
        self.labels = folder / "models" / "ssd-person" / "labels.txt"
        self.clip = folder / "clips" / "one-by-one-person-detection.mp4"
        """Six visitors, one after the other."""
        self.photos = folder / "photos"

    @property
    def looks(self) -> dict[str, str]:
        """For each photograph, one letter for each face from the left: W woman, M man, g girl, b boy, ? a baby."""
        document: dict[str, str] = json.loads((self.photos / "truth.json").read_text())
        return {name: letters for name, letters in document.items() if name != "about"}

    def clip_truth(self, clip: Path) -> dict[str, Any]:
        """Returns the truth of one of the clips."""
        document: dict[str, dict[str, Any]] = json.loads((clip.parent / "truth.json").read_text())
        return document[clip.name]
