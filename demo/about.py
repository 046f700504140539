"""The two demos, and a notice for the user when drawn scenes or a model of theirs are in use."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from classifier.export import Export
from classifier.files import MODEL_FILE
from demo.hall import LINE, ZONE
from demo.source import PREFIX, SHOP_PREFIX

FOLDER = Path(__file__).parent
MODEL, DETECTOR = FOLDER / "model", FOLDER / "detector"
CLIP, PEOPLE = FOLDER / "visitors.mp4", FOLDER / "people.mp4"


@dataclass(frozen=True, slots=True)
class Demo:
    """A clip, the model that was trained on such scenes, and the settings for both."""

    clip: Path
    model: Path
    settings: dict[str, str] = field(default_factory=dict)


_HALL_SETTINGS = {
    "LINES": json.dumps([{"name": "door", "from": LINE[0], "to": LINE[1]}]),
    "ZONES": json.dumps([{"name": "till", "polygon": ZONE}]),
}
DEMOS = {"people": Demo(PEOPLE, DETECTOR, _HALL_SETTINGS), "classifier": Demo(CLIP, MODEL)}
"""By the value of DEMO; the first is the default. `classifier` has one visitor at a time."""


def demo_of(video_path: str) -> Demo:
    """Returns the demo whose model knows the scene of a drawn source."""
    if video_path.startswith(PREFIX):
        return DEMOS["classifier" if video_path.startswith(SHOP_PREFIX) else "people"]
    truth = json.loads(Path(video_path).expanduser().with_suffix(".json").read_text("utf-8"))
    return DEMOS["people" if "crossings" in truth else "classifier"]


def is_own_model(export: Export) -> bool:
    """Returns whether an export contains a model of the demo, in whichever folder it is."""
    own = {sha256((demo.model / MODEL_FILE).read_bytes()).digest() for demo in DEMOS.values()}
    return sha256(export.model).digest() in own


def notice(export: Export, is_drawn: bool) -> str:
    """Returns a notice about a drawn source or the demo's model; empty if neither is in use."""
    if is_drawn:
        return "The demo: drawn figures at a drawn door, not people (demo/README.md)."
    if is_own_model(export):
        return "This is the demo's model: it knows drawn figures only. Its labels for anything else are meaningless."
    return ""
