"""Program that writes a scene as a video, and its truth as JSON: ``python -m demo.clip SEED [SECONDS] [PATH]``."""

import argparse
import json
import sys
from pathlib import Path

import av

from capture.sources.local import DRAWN
from demo.scenes import Scene
from demo.shop import HEIGHT, WIDTH
from demo.visitors import FRAME_RATE, Visitor

QUALITY = 27
"""x264's constant rate factor; lower means larger files. With this one, a clip of two minutes stays well under 4 MB."""


def main() -> int:
    """Writes the clip. Returns exit code 0; invalid arguments or paths end the program with exit code 2 and a message."""
    parser = argparse.ArgumentParser(prog="python -m demo.clip", description="Writes a scene as a video, and its truth as JSON.")
    parser.add_argument("seed", type=int, help="the scene's seed, 0 or above")
    parser.add_argument("seconds", type=float, nargs="?", default=120.0, help="minimum; it ends once nobody is in view [120]")
    parser.add_argument("path", type=Path, nargs="?", help="the video [scenes-SEED.mp4]; the truth goes next to it")
    arguments = parser.parse_args()
    if arguments.seed < 0 or not 0 < arguments.seconds <= 86_400:
        parser.error("the seed must be 0 or above, and the seconds above 0 and at most 86400")
    path: Path = arguments.path or Path(f"scenes-{arguments.seed}.mp4")
    try:
        number = write_clip(arguments.seed, arguments.seconds, path)
    except (OSError, ValueError) as error:  # FFmpeg raises these: no such folder, unknown file suffix
        parser.error(f"{path}: {error}")
    print(f"{path}: {number} visitors; the truth is in {path.with_suffix('.json').name}")
    return 0


def write_clip(seed: int, seconds: float, path: Path) -> int:
    """Writes the scene of a seed as a video, and its truth as JSON next to it. Returns the number of visitors."""
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
        "about": f"{DRAWN}: drawn figures, not people. A visitor is in view from frame first to frame last, counted from 0.",
        "seed": seed,
        "fps": FRAME_RATE,
        "width": WIDTH,
        "height": HEIGHT,
        "frames": frames,
        "visitors": [{"label": visitor.label, "first": visitor.first, "last": visitor.last} for visitor in visitors],
    }
    path.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n")
    return len(visitors)


if __name__ == "__main__":
    sys.exit(main())
