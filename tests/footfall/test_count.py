"""``footfall count``: the visits of a recording, by its own time and with the settings of a running suite."""

import csv
import json
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from capture.settings import Settings as CaptureSettings
from capture.source import Pictures, Recording, SourceLost
from classifier.export import read_export
from classifier.model import Model
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from counter.settings import Settings as CounterSettings
from footfall.clip import Clip, count_clip
from runtime.settings import load
from tests.footfall.labelled_models import COLOURS, write_classifier, write_detector, write_picture, write_walker
from tests.footfall.suite import call
from tests.support.people import People
from tests.support.videos import timed_video
from tests.support.wait import limit

pytestmark = pytest.mark.system  # the model is tried in another process

LABELS = ("blue", "nobody", "red")
"""A green picture shows nobody."""
SCENE = [("green", 2.0), ("red", 4.0), ("green", 6.0), ("blue", 9.0)]
"""Colours, and the second at which each ends."""


def write_clip(path: Path, times: list[float]) -> Path:
    """Writes the scene as a video with pictures at these times in seconds."""
    colours = [next(name for name, end in SCENE if at < end) for at in times]
    pictures = [np.full((48, 64, 3), COLOURS[colour], np.uint8) for colour in colours]
    return timed_video(path, zip(times, pictures, strict=True))


def every(interval: float, seconds: float, begin: float = 0.0) -> list[float]:
    """Returns times from `begin` to before `seconds`."""
    return [begin + number * interval for number in range(round((seconds - begin) / interval))]


def visits(out: str) -> list[tuple[str, float, float]]:
    """Returns label, begin and end of the visits in the JSON that was printed."""
    return [(one["label"], one["from"], one["to"]) for one in json.loads(out)["visits"]]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_classifier(tmp_path / "model", *LABELS))


@pytest.mark.parametrize("is_steady", [True, False], ids=["steady", "variable rate"])
def test_visits_have_the_recordings_own_time(
    is_steady: bool, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A phone records few pictures while nothing moves, and many while something does. Times are those of the pictures."""
    times = every(0.1, 9) if is_steady else [*every(0.5, 2), *every(1 / 30, 4, 2), *every(0.5, 6, 4), *every(0.1, 9, 6)]
    clip = write_clip(tmp_path / "clip.mp4", times)
    assert call("count", str(clip), "--json", f"MODEL={model}", "FRAME_RATE=30") == 0
    found = visits(capsys.readouterr().out)
    assert [label for label, _, _ in found] == ["red", "blue"]
    assert [time for _, *span in found for time in span] == pytest.approx([2.0, 4.0, 6.0, 8.9], abs=0.11)


def test_the_output(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table with the totals beside the truth, JSON, or CSV; times of day if the recording's begin is given."""
    clip = write_clip(tmp_path / "clip.mp4", every(0.1, 9))
    clip.with_suffix(".json").write_text('{"visitors": [{"label": "red"}, {"label": "blue"}, {"label": "Nobody"}]}')
    table = tmp_path / "visits.csv"
    words = "--began", "2026-03-29T01:59:58+01:00", "--csv", str(table), f"MODEL={model}"
    assert call("count", str(clip), *words) == 0
    shown = capsys.readouterr()
    assert shown.err == ""  # progress is for terminals
    lines = shown.out.splitlines()
    assert lines[0].split() == ["from", "(s)", "to", "(s)", "label", "peak"]
    begin, end, label, peak, clock = lines[1].split()
    assert (begin, end, label, clock) == ("2.0", "3.9", "red", "2026-03-29T02:00:00.000+01:00")
    assert 0.9 < float(peak) <= 1
    assert [line.split() for line in lines[4:8]] == [
        [*str(clip).split(), "was", "played", "to", "its", "end."],
        ["visitors", "counted", "truth"],
        ["blue", "1", "1"],
        ["red", "1", "1"],
    ]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["from"], row["to"], row["frames"]) for row in rows] == [
        ("red", "2.0", "3.9", "20"),
        ("blue", "6.0", "8.9", "30"),
    ]
    assert rows[0]["to_time"] == "2026-03-29T02:00:01.900+01:00"
    assert call("count", str(clip), "--csv", "-", f"MODEL={model}") == 0
    assert capsys.readouterr().out.splitlines()[0] == "from,to,label,peak,frames"
    assert call("count", str(clip), "--json", f"MODEL={model}") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["totals"], document["truth"], document["frames"]) == ({"red": 1, "blue": 1}, {"red": 1, "blue": 1}, 90)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", ["red", "blue"]),
        ("FRAME_RATE=2", ["red", "blue"]),
        ("FRAME_RATE=1", ["blue"]),  # two frames are too few
        ("FRAME_RATE=1 VISIT_FRAMES=1", ["red", "blue"]),
        ("VISITORS=red", ["red"]),
        ("BACKGROUND_LABELS=red", ["nobody", "nobody", "blue"]),
        ("THRESHOLD=0.99", []),
        ("VISIT_FRAMES=25", ["blue"]),
        ("VISIT_GAP_SECONDS=8", ["red"]),  # merged into one visit
        ("CONVERT_TO_GRAY=true", ["blue", "blue"]),  # all labels are alike, and green is bright
        ("RESIZE_WIDTH=32 ROTATE=90 REGION=0,0.2,0.5,0.8", ["red", "blue"]),
    ],
)
def test_the_settings_of_a_suite_apply(
    settings: str, expected: list[str], model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of capture, classifier and counter change the result."""
    clip = write_clip(tmp_path / "clip.mp4", every(0.1, 9))
    assert call("count", str(clip), "--json", f"MODEL={model}", *settings.split()) == 0
    assert [label for label, _, _ in visits(capsys.readouterr().out)] == expected


def test_two_stages_on_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of pictures is played at FRAME_RATE. With a detector, each person is a visitor."""
    model, detector = write_classifier(tmp_path / "model"), write_detector(tmp_path / "detector")
    for number in range(30):
        write_picture(tmp_path / "clip" / f"{number:02}.png", "grey" if number < 10 else "red")
    (tmp_path / "clip" / "20a.png").write_bytes(b"damaged")
    words = f"MODEL={model}", f"DETECTOR={detector}", "FRAME_RATE=5", "MIN_CROP=20"
    assert call("count", str(tmp_path / "clip"), "--json", *words) == 0
    assert visits(capsys.readouterr().out) == [("red", 0.0, 5.8)] * 2


LINES = '[{"name": "gate", "from": [0, 0.5], "to": [1, 0.5]}, {"name": "unused", "from": [0, 0.9], "to": [0.1, 0.9]}]'
ZONES = '[{"name": "hall", "polygon": [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]}]'


def test_lines_and_zones(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With a detector, crossings are counted by line and direction, and visits have a direction and their seconds in zones.

    Without a detector nobody knows where a visitor is, so a warning says that they are ignored.
    """
    feet = np.linspace(0.2, 0.95, 60)
    pictures = [np.full((48, 64, 3), 255 * part, np.uint8) for part in feet]
    clip = timed_video(tmp_path / "clip.mp4", zip(every(0.1, 6), pictures, strict=True))
    words = f"MODEL={write_walker(tmp_path / 'walker')}", f"LINES={LINES}", f"ZONES={ZONES}"
    assert call("count", str(clip), "--json", *words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["crossings"] == {"gate": {"in": 1, "out": 0}, "unused": {"in": 0, "out": 0}}
    [visit] = document["visits"]
    assert (visit["label"], visit["direction"]) == ("person", "in")
    assert 1.5 < visit["zone hall"] < visit["to"] - visit["from"]
    assert call("count", str(clip), *words) == 0
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines() if line.startswith(("line", "gate"))] == [
        ["line", "in", "out"],
        ["gate", "1", "0"],
    ]
    assert call("count", str(clip), "--csv", "-", *words) == 0
    assert capsys.readouterr().out.splitlines()[0] == "from,to,label,peak,frames,direction,zone hall"
    clip = write_clip(tmp_path / "other.mp4", every(0.1, 9))
    assert call("count", str(clip), "--json", f"MODEL={model}", *words[1:]) == 0
    shown = capsys.readouterr()
    assert "crossings" not in json.loads(shown.out)
    assert "LINES and ZONES are ignored: MODEL looks at whole pictures" in shown.err


def test_frames_that_are_too_far_apart(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning names the settings that help."""
    for number in range(8):
        write_picture(tmp_path / "clip" / f"{number}.png", "red")
    assert call("count", str(tmp_path / "clip"), f"MODEL={model}", "FRAME_RATE=0.5") == 0
    assert "raise FRAME_RATE or VISIT_GAP_SECONDS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("{tmp}/none.mp4", "CLIP: {tmp}/none.mp4: No such file or directory; must be a video file or a folder of pictures"),
        ("{tmp}/model/labels.txt", "labels.txt: Invalid data found when processing input"),
        ("{tmp}/pipe", "CLIP: {tmp}/pipe: not a file; must be a video file or a folder of pictures"),
        ("{tmp}/pipes", "CLIP='{tmp}/pipes': contains no picture; must be a video file or a folder of pictures"),
        ("rtsp://me:secret@door/1", "CLIP='rtsp://door': must be a video file or a folder of pictures"),
        ("{tmp}/clip --began yesterday", "--began 'yesterday': must be a time such as 2026-11-26T09:00"),
        (
            "{tmp}/clip --csv ~nobody-here/visits.csv",
            "--csv '~nobody-here/visits.csv': begins with the home folder of an unknown",
        ),
        (
            "{tmp}/clip DETECTOR=~nobody-here/model",
            "DETECTOR='~nobody-here/model': begins with the home folder of an unknown user",
        ),
        ("{tmp}/clip --csv {tmp}/none/visits.csv", "--csv '{tmp}/none/visits.csv': cannot be written"),
        ("{tmp}/clip --json --csv -", "--csv -: prints to standard output, as --json does"),
        ("{tmp}/clip MODEL={tmp}", "MODEL='{tmp}': {tmp}: model.tflite is missing"),
        ("{tmp}/clip FRAME_RATE=0", "FRAME_RATE='0'"),
    ],
)
def test_what_is_refused(words: str, reason: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, and one line says why."""
    write_picture(tmp_path / "clip" / "1.png", "red")
    (tmp_path / "pipes").mkdir()
    for path in ("pipe", "pipes/1.png"):
        os.mkfifo(tmp_path / path)
    assert call("count", f"MODEL={model}", *words.replace("{tmp}", str(tmp_path)).split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert reason.replace("{tmp}", str(tmp_path)) in shown.err
    assert "secret" not in shown.err


def test_an_empty_name_is_not_the_demos_clip(capsys: pytest.CaptureFixture[str]) -> None:
    """A script gives it if its variable is not set."""
    assert call("count", "") == 2
    assert capsys.readouterr().err == "footfall count: CLIP='': must be a video file or a folder of pictures\n"


def test_a_source_that_hangs_can_be_interrupted(model: str) -> None:
    """The thread that waits for a picture is abandoned after a second."""

    class Hanging(Recording):
        def pictures(self) -> Pictures:
            threading.Event().wait()
            yield None

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    clip = Clip(Hanging(), load(CaptureSettings, video_path="none.mp4"))
    before = signal.signal(signal.SIGALRM, interrupt)
    begin = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        signal.setitimer(signal.ITIMER_REAL, 0.5, limit(4))  # a second one, if the first one does not end it
        with pytest.raises(KeyboardInterrupt):
            count_clip(clip, Recogniser(Model(read_export(Path(model))), Rules()), load(CounterSettings))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begin < limit(3)


def test_a_reader_that_fails_ends_the_count(model: str, tmp_path: Path) -> None:
    """Its error reaches the caller, and its thread ends."""
    settings = load(CaptureSettings, video_path=str(tmp_path / "none.mp4"))
    recogniser = Recogniser(Model(read_export(Path(model))), Rules())
    with pytest.raises(SourceLost, match="No such file"):
        count_clip(Clip.open(settings), recogniser, load(CounterSettings))


def test_real_people(people: People, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The person detector counts six visitors once each, at one frame a second and with the other settings' defaults."""
    words = "MODEL=person", f"PERSON_MODEL_URL={people.detector}", f"XDG_CACHE_HOME={tmp_path}", "FRAME_RATE=1"
    assert call("count", str(people.clip), "--json", *words) == 0
    truth = json.loads((people.clip.parent / "truth.json").read_text())[people.clip.name]["visitors"]
    found = visits(capsys.readouterr().out)
    assert [label for label, _, _ in found] == ["person"] * len(truth)
    for (_, begin, end), true in zip(found, truth, strict=True):
        assert true["from"] - 1 < begin < end < true["to"] + 1
