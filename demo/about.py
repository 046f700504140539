"""A notice for the user when the demo's drawn scenes or its model are in use."""

from hashlib import sha256
from pathlib import Path

from classifier.export import Export
from classifier.files import MODEL_FILE

FOLDER = Path(__file__).parent
MODEL = FOLDER / "model"
DETECTOR = FOLDER / "detector"
CLIP = FOLDER / "visitors.mp4"


def is_own_model(export: Export) -> bool:
    """Returns whether an export contains the demo's model, in whichever folder it is."""
    return sha256(export.model).digest() == sha256((MODEL / MODEL_FILE).read_bytes()).digest()


def notice(export: Export, is_drawn: bool) -> str:
    """Returns a notice about a drawn source or the demo's model; empty if neither is in use."""
    if is_drawn:
        return "The demo: drawn figures at a drawn shop door, not people (demo/README.md)."
    if is_own_model(export):
        return "This is the demo's model: it knows drawn figures only. Its labels for anything else are meaningless."
    return ""
