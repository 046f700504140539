"""Programs that scripts/ecosystem.sh installs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typing_extensions import Self

from tests.support.wait import limit, until


class NpmProgram:
    """A script of a package as a process. Its output goes to a file. The test is skipped without the package."""

    def __init__(self, package: str, script: str, log: Path) -> None:
        node, path = shutil.which("node"), Path(sys.prefix, package, "node_modules", package, script)
        if node is None or not path.exists():
            pytest.skip(f"needs Node.js and {package}, which scripts/ecosystem.sh installs")
        self._package = package
        self._command = [node, str(path)]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self, *options: str, ready: str, **environment: str) -> None:
        """Starts it, and waits until its output has the text `ready`."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command, *options], env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        process = self._process
        try:
            until(lambda: ready in self.log or process.poll() is not None, 60, self._package)
            assert process.poll() is None, self.log
        except BaseException:
            self.end()
            raise

    def start(self) -> None:
        """Starts it, and waits until it is ready."""
        raise NotImplementedError

    def end(self) -> None:
        """Ends the process."""
        assert self._process
        self._process.terminate()
        self._process.wait(limit(20))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def log(self) -> str:
        """The output so far."""
        return self._log.read_text()
