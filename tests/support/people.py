"""The people data: real detectors and classifiers, clips and photographs of people, with their truth."""

from pathlib import Path


class People:
    """The files of the people data."""

    def __init__(self, folder: Path) -> None:
        self.detector = folder / "models" / "ssd-person" / "model.tflite"
        """The model that MODEL=person fetches."""
        self.labels = folder / "models" / "ssd-person" / "labels.txt"
        self.clip = folder / "clips" / "one-by-one-person-detection.mp4"
        """Six visitors, one after the other."""
        self.photos = folder / "photos"
