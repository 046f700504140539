"""The shape of the suite: bus at the bottom, the modules beside each other."""

import ast
from pathlib import Path

import pytest

from tests.support.broker import ROOT

MODULES = ("capture", "classifier", "display", "bridge")
OURS = {"bus", *MODULES}
DRIVERS = {"demo", "cv2", "sense_hat", "azure", "tflite_runtime", "ai_edge_litert", "paho", "requests", "sqlite3"}
HOMES = {
    "demo": {"capture/scenes.py"},
    "cv2": {"capture/video.py", "capture/prepare.py", "classifier/preprocess.py", "classifier/yolo.py"},
    "sense_hat": {"display/sensehat.py"},
    "azure": {"bridge/cloud/edgehub.py"},
    "tflite_runtime": {"classifier/runtime.py"},
    "ai_edge_litert": {"classifier/runtime.py"},
    "requests": {"bridge/model/download.py"},
    "sqlite3": {"bridge/database.py", "bridge/recovery.py"},
    "paho": {"bus/client.py", "bus/connection.py", "bus/outbound.py"},
}


def imported(path: Path) -> set[str]:
    """The packages that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", sorted(OURS))
def test_modules_import_the_bus_and_never_each_other(package: str) -> None:
    """A module's container needs its own folder and bus, and bus needs no module."""
    allowed = {"bus"} if package == "bus" else {"bus", package}
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        assert imported(path) & OURS <= allowed, path


def test_drivers_stay_in_their_own_files() -> None:
    """What touches a camera, a model, LEDs, the cloud or the network is one adapter each; the logic beside it does without."""
    found: dict[str, set[str]] = {driver: set() for driver in DRIVERS}
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            for driver in imported(path) & DRIVERS:
                found[driver].add(path.relative_to(ROOT).as_posix())
    assert found == HOMES


def test_topics_are_spelled_in_one_place() -> None:
    """No file but bus/topics.py spells a topic in its code."""
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            if path == ROOT / "bus" / "topics.py":
                continue
            tree = ast.parse(path.read_text())
            doc_strings = {
                id(node.body[0].value)
                for node in ast.walk(tree)
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
                and node.body
                and isinstance(node.body[0], ast.Expr)
            }
            spelled = [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and "footfall/" in node.value
                if id(node) not in doc_strings
            ]
            assert not spelled, path
