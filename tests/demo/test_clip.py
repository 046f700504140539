"""Clips and the truth beside them."""

import itertools
import json
from pathlib import Path

import cv2
import pytest

from demo.about import CLIP
from demo.clip import write_clip
from demo.scenes import Scene
from demo.visitors import visitors


@pytest.mark.parametrize("name", ["new.mp4", CLIP.name], ids=["a new one", "the demo's"])
def test_a_clip_is_its_scene(tmp_path: Path, name: str) -> None:
    """Truth and pictures are those of the seed. The demo's takes two minutes or so, and at most 4 MB."""
    path = CLIP if name == CLIP.name else tmp_path / name
    if path != CLIP:
        assert write_clip(6, 3.0, path) >= 1
    truth = json.loads(path.with_suffix(".json").read_text())
    video, scene = cv2.VideoCapture(str(path)), Scene(truth["seed"])
    assert (video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)) == (10, truth["frames"])
    came = [one for one in itertools.islice(visitors(truth["seed"]), 60) if one.first < truth["frames"]]
    assert truth["visitors"] == [{"label": one.label, "first": one.first, "last": one.last} for one in came]
    for moment in itertools.islice(scene.moments(), came[0].first + 6):
        assert video.grab()
        if moment.number in (0, came[0].first + 5):
            assert cv2.PSNR(video.retrieve()[1], scene.frame(moment)) > 25
    video.release()
    assert truth["frames"] >= 30
    if path == CLIP:
        assert 1150 <= truth["frames"] <= 1400
        assert {one.label for one in came} == {"man", "woman"}
        assert CLIP.stat().st_size <= 4_000_000
