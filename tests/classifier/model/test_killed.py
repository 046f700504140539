"""Processes that are killed while they change links, at each step of it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from classifier.export import read_export
from classifier.export_zip import METADATA_FILE
from classifier.model.store import ModelStore
from tests.classifier.model.zips import EXPORT, factory_model, folder_of, install, names, sha256, zipped
from tests.support.wait import limit

SCRIPT = """
import os, sys
from pathlib import Path
from classifier.model.store import ModelStore
root, what, zip_name, sha256 = sys.argv[1:]
for number in range(1, 1000):
    child = os.fork()
    if child == 0:
        folder = os.path.join(root, str(number))
        store = ModelStore(Path(folder))
        left = number
        def count(event, arguments):
            global left
            if event in WATCHED and any(isinstance(one, (str, Path)) and str(one).startswith(folder) for one in arguments):
                left -= 1
                if left == 0:
                    os._exit(9)
        WATCHED = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "shutil.rmtree"}
        sys.addaudithook(count)
        if what == "install":
            store.turn_to(store.unpack(Path(zip_name), "https://example.org/new.zip", sha256))
        else:
            store.rollback()
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 9:
        print(number, code)
        break
"""
"""Runs one call on copies of a store, and is killed at its first step, at its second, and so on, until it comes to its end."""


def newer(mark: bytes) -> bytes:
    """The zip of a later model, told from others by its mark."""
    return zipped({**EXPORT, METADATA_FILE: mark})


def killed(tmp_path: Path, what: str, prepare: Callable[[ModelStore], object], steps: int = 60) -> list[Path]:
    """The stores in which `what` was killed at each of its steps."""
    root, archive = tmp_path / "stores", tmp_path / "new.zip"
    for number in range(1, steps + 1):
        prepare(ModelStore(root / str(number)))
    archive.write_bytes(newer(b"new"))
    arguments = [sys.executable, "-c", SCRIPT, str(root), what, str(archive), sha256(archive.read_bytes())]
    ran = subprocess.run(arguments, capture_output=True, text=True, timeout=limit(60), check=False)
    assert ran.returncode == 0, ran.stderr
    last, code = map(int, ran.stdout.split())
    assert code == 0, ran.stderr
    assert 8 < last <= steps
    return [root / str(number) for number in range(1, last)]


def two_models(store: ModelStore) -> None:
    """An older and a newer one."""
    install(store, zipped())
    install(store, newer(b"1"))


def served(folder: Path) -> bytes:
    """What the classifier would read."""
    return read_export(folder / "current").model + b"".join((folder / "current" / METADATA_FILE).read_bytes().split())


def test_an_installation_may_be_killed_anywhere(tmp_path: Path, fast: None) -> None:
    """At each step a whole model is served; begun again, it goes on, and nothing is left over."""
    for folder in killed(tmp_path, "install", two_models):
        assert served(folder) in (b"model1", b"modelnew")
        store = ModelStore(folder)
        assert served(folder) in (b"model1", b"modelnew")
        assert store.previous is not None
        install(store, newer(b"new"), "https://example.org/new.zip")
        assert served(folder) == b"modelnew"
        assert store.previous == folder_of(newer(b"1"))
        assert names(folder) == {"current", "previous", store.current, store.previous}


def test_a_rollback_may_be_killed_anywhere(tmp_path: Path, fast: None) -> None:
    """It is done or not done, and none of the two models is lost."""
    first, second = folder_of(zipped()), folder_of(newer(b"1"))
    for folder in killed(tmp_path, "rollback", two_models):
        assert read_export(folder / "current").model == b"model"
        store = ModelStore(folder)
        assert {store.current, store.previous} == {first, second}
        assert names(folder) == {"current", "previous", first, second}


def test_the_first_installation_may_be_killed_anywhere(tmp_path: Path, fast: None) -> None:
    """The device's own model is served until the new one is, but for the moment in which it is renamed; it is not lost."""

    def factory(store: ModelStore) -> None:
        factory_model(store.folder / "current")

    for folder in killed(tmp_path, "install", factory):
        store = ModelStore(folder)
        assert read_export(folder / "current").model in (b"factory", b"model")
        install(store, newer(b"new"), "https://example.org/new.zip")
        assert (served(folder), store.previous) == (b"modelnew", "original")
        assert (folder / "original" / "model.tflite").read_bytes() == b"factory"
        assert names(folder) == {"current", "previous", "original", store.current}
