"""Clips and the truth beside them."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.about import CLIP
from demo.clip import write_clip
from demo.scenes import Scene
from demo.visitors import visitors
from tests.support.broker import ROOT
from tests.support.wait import limit


def likeness(path: Path, seed: int, numbers: set[int]) -> list[float]:
    """Peak signal to noise, in dB, of those frames of a video against the scene's."""
    video, scene = cv2.VideoCapture(str(path)), Scene(seed)
    found = []
    for moment in itertools.islice(scene.moments(), max(numbers) + 1):
        assert video.grab()
        if moment.number in numbers:
            found.append(cv2.PSNR(video.retrieve()[1], scene.frame(moment)))
    video.release()
    return found


def test_a_clip_is_its_scene(tmp_path: Path) -> None:
    """All frames in their order, ten a second, and the visitors that come in it."""
    path = tmp_path / "clip.mp4"
    number = write_clip(6, 8.0, path)
    truth = json.loads(path.with_suffix(".json").read_text())
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == 10
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == truth["frames"] >= 80
    video.release()
    came = [one for one in itertools.islice(visitors(6), 20) if one.first < truth["frames"]]
    assert [(one["label"], one["first"], one["last"]) for one in truth["visitors"]] == [
        (one.label, one.first, one.last) for one in came
    ]
    assert number == len(came) >= 1
    middle = (came[0].first + came[0].last) // 2
    assert min(likeness(path, 6, {0, middle})) > 25


def test_the_demo_clip_is_as_its_truth_says() -> None:
    """The clip that comes along: two minutes or so, at most 4 MB, its visitors those of its seed, its pictures too."""
    truth = json.loads(CLIP.with_suffix(".json").read_text())
    assert CLIP.stat().st_size <= 4_000_000
    assert 1150 <= truth["frames"] <= 1400
    came = [one for one in itertools.islice(visitors(truth["seed"]), 60) if one.first < truth["frames"]]
    assert [(one["label"], one["first"], one["last"]) for one in truth["visitors"]] == [
        (one.label, one.first, one.last) for one in came
    ]
    assert {one.label for one in came} == {"man", "woman"}
    assert min(likeness(CLIP, truth["seed"], {came[0].first + 5, came[3].last})) > 25


@pytest.mark.parametrize("words", [["-1"], ["x"], ["1", "0"], [], ["1", "1", "no/such/folder/x.mp4"], ["1", "1", "x.unknown"]])
def test_wrong_words_are_said(words: list[str], tmp_path: Path) -> None:
    """Exit code 2 and what is wrong, without a file left."""
    command = [sys.executable, "-m", "demo.clip", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=limit(60), check=False)
    assert ran.returncode == 2
    assert "python -m demo.clip: error: " in ran.stderr
    assert not list(tmp_path.iterdir())


def test_a_video_that_can_be_drawn_twice_is_the_same(tmp_path: Path) -> None:
    """The same seed gives the same truth, and pictures that cannot be told apart."""
    for name in ("a.mp4", "b.mp4"):
        write_clip(8, 2.0, tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    one, other = (cv2.VideoCapture(str(tmp_path / name)) for name in ("a.mp4", "b.mp4"))
    for _ in range(20):
        assert np.array_equal(one.read()[1], other.read()[1])
