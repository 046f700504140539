"""What is drawn and what has only ever seen drawings: to be said wherever one of them is at work."""

from hashlib import sha256
from pathlib import Path

from capture.scenes import is_drawn
from classifier.export import Export
from classifier.export_zip import MODEL_FILE

FOLDER = Path(__file__).parent
MODEL = FOLDER / "model"
CLIP = FOLDER / "visitors.mp4"


def is_own_model(export: Export) -> bool:
    """Whether that is the demo's model, wherever it lies."""
    return sha256(export.model).digest() == sha256((MODEL / MODEL_FILE).read_bytes()).digest()


def notice(export: Export, source: str) -> str:
    """What has to be said of a model and a source; nothing where neither is the demo's."""
    if is_drawn(source):
        return "The demo: drawn figures at a drawn shop door, not people (demo/README.md)."
    if is_own_model(export):
        return "This is the demo's model: it knows drawn figures only, and what it says of anything else means nothing."
    return ""
