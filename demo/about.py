"""Tells the user when drawn pictures, or a model that knows only those, are in use."""

from hashlib import sha256
from pathlib import Path

from classifier.export import MODEL_FILE, Export

FOLDER = Path(__file__).parent
MODEL = FOLDER / "model"
CLIP = FOLDER / "visitors.mp4"


def is_own_model(export: Export) -> bool:
    """Whether that is the demo's model, wherever it is."""
    return sha256(export.model).digest() == sha256((MODEL / MODEL_FILE).read_bytes()).digest()


def notice(export: Export, is_drawn: bool) -> str:
    """A notice about the model and a source that may be drawn; empty where neither is the demo's."""
    if is_drawn:
        return "The demo: drawn figures at a drawn shop door, not people (demo/README.md)."
    if is_own_model(export):
        return "This is the demo's model: it knows drawn figures only, and its labels for anything else mean nothing."
    return ""
