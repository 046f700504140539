"""``footfall check``: what a model is taken for, and the confusion matrix of labelled pictures."""

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Box, Detection, InvalidSetting, Label
from classifier.recogniser import Result
from footfall.checks import check
from footfall.confusion import Confusion, wilson_interval
from footfall.guess import find_label, folder_name, guess
from tests.classifier.model_server import write_files
from tests.footfall.labelled_models import COLOURS, write_classifier, write_detector, write_picture
from tests.footfall.suite import call
from tests.support import tflite
from tests.support.broker import ROOT
from tests.support.fruits import Fruits
from tests.support.wait import limit

system = pytest.mark.system  # the model is tried in another process


@pytest.mark.parametrize(
    ("right", "number", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (9, 10, 0.5958, 0.9821),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_of_published_examples(right: int, number: int, low: float, high: float) -> None:
    """The limits are those of Newcombe, Statistics in Medicine 17 (1998), table I, method 3, and of the usual calculators."""
    assert wilson_interval(right, number) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_contains_the_proportion(right: int, number: int) -> None:
    """It lies within 0..1 and contains the proportion."""
    right = min(right, number)
    low, high = wilson_interval(right, number)
    assert 0 <= low <= right / number + 1e-12
    assert right / number - 1e-12 <= high <= 1


def test_the_interval_covers_the_truth_in_95_of_100_samples() -> None:
    """Of samples of 40 with any proportion, the interval misses the true value in about 5 %."""
    chance = random.Random(1)
    proportions = [chance.uniform(0.1, 0.9) for _ in range(4000)]
    limits = [wilson_interval(sum(chance.random() < one for _ in range(40)), 40) for one in proportions]
    covered = sum(low <= one <= high for (low, high), one in zip(limits, proportions, strict=True))
    assert 0.94 < covered / len(proportions) < 0.96


def test_the_matrix() -> None:
    """A row for each true label, a column for each guess, in the model's order; unused labels are left out."""
    confusion = Confusion(Counter({("man", "man"): 9, ("man", "undecided"): 1, ("woman", "man"): 3, ("woman", "woman"): 7}))
    assert confusion.table(["woman", "child", "man", "nobody", "undecided"]).splitlines() == [
        "true label  woman    man  undecided   recall (95 % interval)",
        "woman           7      3          0   7 of 10, 70 % (40 to 89 %)",
        "man             0      9          1   9 of 10, 90 % (60 to 98 %)",
        "accuracy: 16 of 20, 80 % (58 to 92 %)",
    ]


MAN, NOBODY = Label("man", 0.8), Label("[Negative]", 0.9, visitor=False)
BOX = Box(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("labels", "detections", "expected"),
    [
        ((MAN, Label("woman", 0.1)), (), "man"),
        ((NOBODY, MAN), (), "[Negative]"),
        ((Label("man", 0.4), Label("woman", 0.3)), (), None),
        ((), (), "nobody"),
        ((), (Detection(BOX, 0.3, (Label("person", 0.3),)),), "nobody"),
        (
            (),
            (Detection(BOX, 0.9, (Label("chair", 0.9, visitor=False),)), Detection(BOX, 0.6, (Label("person", 0.6),))),
            "person",
        ),
        ((), (Detection(BOX, 0.9, (Label("chair", 0.9, visitor=False),)),), "nobody"),
        ((), (Detection(BOX, 0.9),), None),
        ((), (Detection(BOX, 0.2),), "nobody"),
        ((), (Detection(BOX, 0.9), Detection(BOX, 0.6, (MAN,)), Detection(BOX, 0.9, (Label("woman", 0.7),))), "man"),
    ],
)
def test_the_guess(labels: tuple[Label, ...], detections: tuple[Detection, ...], expected: str | None) -> None:
    """It is the best label of the picture or of a visitor; None if there is a visitor of whom the model cannot tell."""
    label = guess(Result(labels, detections, 1.0, "m"), 0.5)
    assert (label and label.name) == expected


@pytest.mark.parametrize(
    ("label", "folder"), [("man", "man"), ("Granny Smith", "Granny Smith"), ("a/b\\c:d", "a_b_c_d"), ("..", "_."), (".x", "_x")]
)
def test_the_folder_of_a_label(label: str, folder: str) -> None:
    """Characters that a file system refuses become _, and no label leaves the folder. The label is found by its folder."""
    assert folder_name(label).rstrip("_.") == folder.rstrip("_.")
    assert find_label(folder_name(label).upper(), ["other", label]) == label


def test_labels_that_differ_only_in_case() -> None:
    """The label with the folder's own spelling comes first."""
    assert [find_label(folder, ["Man", "man", "MAN"]) for folder in ("man", "MAN", "mAn")] == ["man", "MAN", "Man"]


@system
def test_a_terminal_without_the_letters_of_a_label(tmp_path: Path) -> None:
    """They are escaped."""
    model = write_classifier(tmp_path / "model", "\u043c\u0443\u0436", "b", "nobody")
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "footfall", "check", str(model)]
    tried = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=limit(60), check=True)
    assert b"visitors  \\u043c\\u0443\\u0436, b" in tried.stdout


@system
def test_pictures_that_cannot_be_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is too large, and a picture with which the model fails, are listed."""
    blue_minus_red = tflite.classification(np.array([[0.005, 0, -0.005]] * 3), np.full(3, 0.5))
    write_files(tmp_path / "model", {"model.tflite": blue_minus_red, "labels.txt": b"blue\ngreen\nred"})
    write_picture(tmp_path / "pictures" / "blue" / "0.png", "grey")
    write_picture(tmp_path / "pictures" / "blue" / "1.png", "blue")
    with (tmp_path / "pictures" / "blue" / "2.png").open("wb") as file:
        file.truncate(10**12)
    assert call("check", str(tmp_path / "model"), str(tmp_path / "pictures")) == 0
    shown = capsys.readouterr().out
    assert "\n1 cannot be read as pictures: blue/2.png\n" in shown
    assert "\nthe model fails with 1: blue/1.png (the model gives 1.75 for blue; a probability must be within 0..1)\n" in shown


@given(st.text(min_size=1, max_size=300))
def test_the_folder_of_any_label(label: str) -> None:
    """It is a single name, neither hidden nor a parent."""
    name = folder_name(label)
    assert Path(name).name == name
    assert name.strip() == name or name.strip() != ""
    assert not name.startswith(".")


@system
def test_a_classifier_on_labelled_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what the model is, and counts each picture. Folders are found whatever their case and spelling of nobody.

    Damaged pictures are counted and named. Hidden files are left out.
    """
    model, pictures = write_classifier(tmp_path / "model", "[Negative]", "Cat", "dog"), tmp_path / "pictures"
    for number, (folder, colour) in enumerate(
        [("CAT", "green"), ("CAT", "green"), ("CAT", "red"), ("dog", "grey"), ("empty", "blue")]
    ):
        write_picture(pictures / folder / f"{number}.png", colour)
    (pictures / "dog" / "damaged.jpg").write_bytes(b"\xff\xd8\xff")
    (pictures / "dog" / ".DS_Store").write_bytes(b"x")
    assert call("check", str(model), str(pictures)) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    for line in (
        "kind classification: classifies the whole picture",
        "input 16 x 16 px, BGR, float32, channels last, pixels of 0 to 255",
        "labels 3: [Negative], Cat, dog",
        "visitors Cat, dog",
        "nobody [Negative]",
    ):
        assert line in lines
    assert any(line.startswith("speed MODEL: ") and "preprocessing" in line for line in lines)
    assert lines[-8:] == [
        f"{pictures}: a row for each true label, a column for each guess of the model",
        "true label Cat dog [Negative] undecided recall (95 % interval)",
        "Cat 2 1 0 0 2 of 3, 67 % (21 to 94 %)",
        "dog 0 0 0 1 0 of 1, 0 % (0 to 79 %)",
        "[Negative] 0 0 1 0 1 of 1, 100 % (21 to 100 %)",
        "accuracy: 3 of 5, 60 % (23 to 88 %)",
        "undecided: no label reaches THRESHOLD=0.5, or the visitor is too small",
        "1 cannot be read as pictures: dog/damaged.jpg",
    ]


@system
def test_crops_are_tried_as_the_classifier_sees_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are scaled whole, whatever the fit for pictures. What the classifier would log about the model is a note."""
    model = write_classifier(tmp_path / "model", "blue", "green", "red")
    (model / "footfall.toml").write_text("fit = 'square'")
    picture = np.full((32, 96, 3), COLOURS["red"], np.uint8)
    picture[:, 32:64] = COLOURS["green"]
    (tmp_path / "crops" / "red").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "crops" / "red" / "1.png"), picture)
    for options, right in (([], "0 of 1"), (["--crops"], "1 of 1")):
        assert call("check", str(model), str(tmp_path / "crops"), "VISITORS=red,fox", *options) == 0
        shown = capsys.readouterr().out
        assert f"accuracy: {right}" in shown
        assert "no label fox; its labels are blue, green, red" in shown


@system
def test_two_stages_on_labelled_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture counts as the label of its best visitor, as nobody without one, and as undecided if no crop can be told."""
    model, detector, pictures = write_classifier(tmp_path / "m"), write_detector(tmp_path / "d"), tmp_path / "pictures"
    write_picture(pictures / "red" / "1.png", "red", "grey")
    write_picture(pictures / "red" / "2.png", "grey")
    write_picture(pictures / "blue" / "3.png", "green", "blue")
    write_picture(pictures / "nobody" / "4.png", "dark")
    words = ["check", str(model), str(pictures), f"DETECTOR={detector}", "MIN_CROP=20", "THRESHOLD=0.55"]
    assert call(*words) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"kind detection: finds boxes", "kind classification: classifies the whole picture"} <= set(lines)
    assert "fit whole: the whole picture or crop, scaled to this shape" in lines
    table = lines[lines.index("true label blue green red nobody undecided recall (95 % interval)") + 1 :]
    assert table[:3] == [
        "blue 0 1 0 0 0 0 of 1, 0 % (0 to 79 %)",
        "red 0 0 1 0 1 1 of 2, 50 % (9 to 91 %)",
        "nobody 0 0 0 1 0 1 of 1, 100 % (21 to 100 %)",
    ]


@system
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("{tmp}", "MODEL='{tmp}': {tmp}: model.tflite is missing"),
        ("{tmp}/model VISITORS=fox", "VISITORS='fox'"),
        (f"{{tmp}}/model VISITORS={'x' * 5000}", f"VISITORS='{'x' * 199}; its labels are blue"),
        ("{tmp}/model DETECTOR={tmp}/model", "DETECTOR must be a detection model"),
        ("{tmp}/model --crops DETECTOR={tmp}/model", "the pictures are crops already; leave DETECTOR out"),
        ("{tmp}/model {tmp}/none", "PICTURES='{tmp}/none': No such file or directory; must be a folder"),
        ("{tmp}/model ~nobody-here", "PICTURES='~nobody-here': begins with the home folder of an unknown user"),
        ("~nobody-here/model", "MODEL='~nobody-here/model': begins with the home folder of an unknown user"),
        ("{tmp}/model https://me:secret@door/1", "PICTURES='***': No such file or directory"),
        ("{tmp}/model {tmp}/model", "must have a folder of pictures for each label"),
        ("{tmp}/model {tmp}", "the folder 'model' is named after no label; the labels are blue, green, red"),
        ("{tmp}/model THRESHOLD=2", "THRESHOLD='2'"),
    ],
)
def test_what_is_refused(words: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, and one line says why, before anything is printed."""
    write_classifier(tmp_path / "model")
    assert call("check", *words.replace("{tmp}", str(tmp_path)).split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert reason.replace("{tmp}", str(tmp_path)) in shown.err


@system
@pytest.mark.parametrize("settings", ["MODEL={tmp}", "MODEL={tmp}/model VISITORS=fox", "MODEL={tmp}/model DETECTOR={tmp}/none"])
def test_a_refused_model_gets_the_line_of_a_run(
    settings: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a model can be checked where it will not run."""
    write_classifier(tmp_path / "model")
    given = dict(word.split("=") for word in settings.replace("{tmp}", str(tmp_path)).split())
    assert call("check", given["MODEL"], *(f"{name}={value}" for name, value in given.items())) == 2
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting) as refused:
        check()
    assert capsys.readouterr().err == f"footfall check: {refused.value}\n"


@system
def test_a_real_model(fruits: Fruits, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The matrix of the fruit photographs agrees with the predictions of Custom Vision's service."""
    for name in fruits.reference:
        label = name.partition("_")[0]
        if label != "street":
            (tmp_path / label).mkdir(exist_ok=True)
            (tmp_path / label / name).symlink_to(fruits.photos / name)
    best = {name: max(found, key=lambda label: found[label]) for name, found in fruits.reference.items()}
    right = sum(name.startswith(f"{label.lower()}_") for name, label in best.items())
    number = sum(not name.startswith("street") for name in best)
    assert call("check", str(fruits.folder), str(tmp_path), "THRESHOLD=0") == 0
    assert f"accuracy: {right} of {number}, " in capsys.readouterr().out


@system
def test_the_demos_model_is_not_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning says so."""
    assert call("check", str(ROOT / "demo" / "model")) == 0
    assert "note      the demo's model knows drawn figures only" in capsys.readouterr().out
