"""Program that writes a scene as a video, and its truth as JSON: ``python -m demo.clip SEED [SECONDS] [PATH]``."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import av

from capture.sources.local import DRAWN_MARK
from demo.canvas import Picture
from demo.hall import LINE, ZONE
from demo.hall_scenes import HallMoment, HallScene
from demo.scenes import Moment, Scene
from demo.shop import HEIGHT, WIDTH
from demo.visitors import FRAME_RATE, IN_VIEW

QUALITY = 27
"""x264's constant rate factor; lower means larger files. With this one, a clip of two minutes stays well under 4 MB."""


BOX_STEP = 2
"""Frames from one box in the truth to the next."""


def main() -> int:
    """Writes the clip. Returns exit code 0; invalid arguments or paths end the program with exit code 2 and a message."""
    parser = argparse.ArgumentParser(prog="python -m demo.clip", description="Writes a scene as a video, and its truth as JSON.")
    parser.add_argument("seed", type=int, help="the scene's seed, 0 or above")
    parser.add_argument("seconds", type=float, nargs="?", default=120.0, help="minimum; it ends once nobody is in view [120]")
    parser.add_argument("path", type=Path, nargs="?", help="the video [scenes-SEED.mp4]; the truth goes next to it")
    parser.add_argument("--demo", choices=("people", "classifier"), default="people", help="kind of the scene [people]")
    arguments = parser.parse_args()
    if arguments.seed < 0 or not 0 < arguments.seconds <= 86_400:
        parser.error("the seed must be 0 or above, and the seconds above 0 and at most 86400")
    path: Path = arguments.path or Path(f"scenes-{arguments.seed}.mp4")
    scene = HallScene(arguments.seed) if arguments.demo == "people" else Scene(arguments.seed)
    try:
        number = write_clip(scene, arguments.seconds, path)
    except (OSError, ValueError) as error:  # FFmpeg raises these: no such folder, unknown file suffix
        parser.error(f"{path}: {error}")
    print(f"{path}: {number} visitors; the truth is in {path.with_suffix('.json').name}")
    return 0


def write_clip(scene: Scene | HallScene, seconds: float, path: Path) -> int:
    """Writes a scene as a video, and its truth as JSON next to it. Returns the number of visitors."""
    frames: Iterable[Picture]
    if isinstance(scene, HallScene):
        crowd = list(scene.excerpt(seconds))
        number, truth, frames = len(crowd), _hall_truth(scene, crowd), map(scene.frame, crowd)
    else:
        moments = list(scene.excerpt(seconds))
        number, truth, frames = len(moments), _shop_truth(moments), map(scene.frame, moments)
    with av.open(str(path), "w") as video:
        stream = video.add_stream("libx264", rate=FRAME_RATE, options={"crf": str(QUALITY), "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        video.mux(stream.encode())
    about = f"{DRAWN_MARK}: drawn figures, not people. A visitor is in view from frame first to frame last, counted from 0."
    size = {"fps": FRAME_RATE, "width": WIDTH, "height": HEIGHT, "frames": number}
    document = {"about": about, "seed": scene.seed, **size, **truth}
    path.with_suffix(".json").write_text(_to_json(document))
    return len(truth["visitors"])


def _shop_truth(moments: Sequence[Moment]) -> dict[str, list[Any]]:
    visitors = dict.fromkeys(moment.visitor for moment in moments if moment.visitor is not None)
    return {"visitors": [{"label": one.label, "first": one.first, "last": one.last} for one in visitors]}


def _hall_truth(scene: HallScene, moments: Sequence[HallMoment]) -> dict[str, list[Any]]:
    """Returns visitors, each with a box at every `BOX_STEP`-th frame, and crossings with their second."""
    visitors: dict[int, dict[str, Any]] = {}
    for moment in moments:
        for one in moment.people:
            if one.visible >= IN_VIEW:
                new: dict[str, Any] = {"id": one.id, "label": one.label, "first": moment.number, "last": 0, "boxes": {}}
                visitors.setdefault(one.id, new)["last"] = moment.number
            if one.id in visitors and moment.number % BOX_STEP == 0:
                visitors[one.id]["boxes"][moment.number] = [round(part, 3) for part in one.box]
    crossings = [one._asdict() for one in scene.crossings(moments[-1].seconds)]
    return {"line": list(LINE), "zone": list(ZONE), "crossings": crossings, "visitors": list(visitors.values())}


def _to_json(document: dict[str, Any]) -> str:
    """Returns JSON with a line for each entry of a list."""
    lines = []
    for name, value in document.items():
        entries = ",\n  ".join(json.dumps(one) for one in value) if isinstance(value, list) else ""
        lines.append(f'"{name}": [\n  {entries}\n ]' if entries else f'"{name}": {json.dumps(value)}')
    return "{\n " + ",\n ".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
