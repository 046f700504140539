"""Clips and the truth beside them."""

import itertools
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from demo.about import CLIP
from demo.clip import write_clip
from demo.scenes import Scene
from demo.visitors import Visitor, visitors


def check_clip(path: Path, seed: int) -> tuple[dict[str, Any], list[Visitor]]:
    """The truth beside a clip, and the visitors of its seed, after both and the pictures were compared."""
    truth = json.loads(path.with_suffix(".json").read_text())
    video, scene = cv2.VideoCapture(str(path)), Scene(seed)
    assert (video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)) == (10, truth["frames"])
    came = [one for one in itertools.islice(visitors(seed), 60) if one.first < truth["frames"]]
    listed = [(one["label"], one["first"], one["last"]) for one in truth["visitors"]]
    assert listed == [(one.label, one.first, one.last) for one in came]
    for moment in itertools.islice(scene.moments(), came[0].first + 6):
        assert video.grab()
        if moment.number in (0, came[0].first + 5):
            assert cv2.PSNR(video.retrieve()[1], scene.frame(moment)) > 25
    video.release()
    return truth, came


def test_a_clip_is_its_scene(tmp_path: Path) -> None:
    """Truth and pictures are those of the seed; written again, they are the same."""
    for name in ("a.mp4", "b.mp4"):
        assert write_clip(6, 3.0, tmp_path / name) >= 1
    truth, _ = check_clip(tmp_path / "a.mp4", 6)
    assert truth["frames"] >= 30
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    one, other = (cv2.VideoCapture(str(tmp_path / name)) for name in ("a.mp4", "b.mp4"))
    assert all(np.array_equal(one.read()[1], other.read()[1]) for _ in range(20))


def test_the_demo_clip_is_as_its_truth_says() -> None:
    """Two minutes or so, at most 4 MB."""
    truth, came = check_clip(CLIP, json.loads(CLIP.with_suffix(".json").read_text())["seed"])
    assert CLIP.stat().st_size <= 4_000_000
    assert 1150 <= truth["frames"] <= 1400
    assert {one.label for one in came} == {"man", "woman"}
