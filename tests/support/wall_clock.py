"""A wall clock that a test sets for programs that run: what `time.time` says in them."""

from pathlib import Path

_CODE = """
import pathlib, time
_true, _file = time.time, pathlib.Path(__file__).with_name("ahead")
time.time = lambda: _true() + float(_file.read_text())
"""


class WallClock:
    """`environment` has a program of Python go by it, from its start on."""

    def __init__(self, folder: Path, ahead: float = 0.0) -> None:
        folder.mkdir()
        self._file = folder / "ahead"
        self.set(ahead)
        (folder / "sitecustomize.py").write_text(_CODE)
        self.environment = {"PYTHONPATH": str(folder)}

    def set(self, ahead: float) -> None:
        """Sets it to be that many seconds ahead of the true time."""
        new = self._file.with_name("new")
        new.write_text(str(ahead))
        new.replace(self._file)
