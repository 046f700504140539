"""Writes a scene as a video with its truth beside it: ``python -m demo.clip SEED [SECONDS] [PATH]``."""

import argparse
import json
import sys
from pathlib import Path

import av

from capture.sources.local import DEMO_MARKER
from demo.scenes import Scene
from demo.shop import HEIGHT, WIDTH
from demo.visitors import FRAME_RATE, Visitor

QUALITY = 27
"""Constant rate factor of x264: lower is larger; here a clip of two minutes stays well under 4 MB."""


def main() -> int:
    """Exit code 0, or 2 with a line about what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m demo.clip", description="Draws a clip of a scene, with its truth as JSON.")
    parser.add_argument("seed", type=int, help="which scene; 0 or above")
    parser.add_argument("seconds", type=float, nargs="?", default=120.0, help="at least so long, until nobody is in view [120]")
    parser.add_argument("path", type=Path, nargs="?", help="the video [scenes-SEED.mp4]; the truth is written beside it")
    wanted = parser.parse_args()
    if wanted.seed < 0 or not 0 < wanted.seconds <= 86_400:
        parser.error("a seed is 0 or above, and the seconds are above 0 and at most a day's")
    path: Path = wanted.path or Path(f"scenes-{wanted.seed}.mp4")
    try:
        number = write_clip(wanted.seed, wanted.seconds, path)
    except (OSError, ValueError) as error:  # as FFmpeg's errors are: no such folder, a suffix that is no video's
        parser.error(f"{path}: {error}")
    print(f"{path}: {number} visitors; the truth is in {path.with_suffix('.json').name}")
    return 0


def write_clip(seed: int, seconds: float, path: Path) -> int:
    """Draws the scene of a seed into a video, and its truth into the JSON file of the same name; how many visitors came."""
    scene = Scene(seed)
    visitors: list[Visitor] = []
    frames = 0
    with av.open(str(path), "w") as video:
        stream = video.add_stream("libx264", rate=FRAME_RATE, options={"crf": str(QUALITY), "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for moment in scene.excerpt(seconds):
            video.mux(stream.encode(av.VideoFrame.from_ndarray(scene.frame(moment), format="bgr24")))
            frames += 1
            if moment.visitor is not None and moment.visitor not in visitors[-1:]:
                visitors.append(moment.visitor)
        video.mux(stream.encode())
    truth = {
        "about": f"{DEMO_MARKER}: drawn figures, not people. first and last are the frames of a visitor in view, counted from 0.",
        "seed": seed,
        "fps": FRAME_RATE,
        "width": WIDTH,
        "height": HEIGHT,
        "frames": frames,
        "visitors": [{"label": one.label, "first": one.first, "last": one.last} for one in visitors],
    }
    path.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n")
    return len(visitors)


if __name__ == "__main__":
    sys.exit(main())
