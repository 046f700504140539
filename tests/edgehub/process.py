"""The scripted stub as a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from tests.edgehub.certificates import issue
from tests.edgehub.gateway import PORT, connection_string, free_host
from tests.edgehub.records import Records
from tests.support.broker import ROOT, accepts
from tests.support.wait import limit, until


class StubProcess:
    """Can be killed and started again on the same address, with the same certificates, records and sessions."""

    def __init__(self, folder: Path, host: str | None = None) -> None:
        self.folder = folder
        self.host = host or free_host()
        self.authority = issue(folder, self.host).authority
        self._records = Records(folder / "records.jsonl")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()
        if error is not None:
            sys.stderr.write(f"--- stub on {self.host}\n{self.log}\n")

    def start(self) -> None:
        """Starts it and waits until it listens."""
        command = [sys.executable, "-m", "tests.edgehub.stub", str(self.folder.resolve()), self.host]
        with (self.folder / "stub.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=log)
        until(lambda: accepts(PORT, self.host), what=f"the stub on {self.host}")

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends it, by default as a crash would; does nothing when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        process.wait(limit(10))
        assert process.stdin
        process.stdin.close()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process
        return self._process.pid

    @property
    def log(self) -> str:
        """Its standard error so far."""
        return (self.folder / "stub.log").read_text()

    @property
    def environment(self) -> dict[str, str]:
        """What signs a module in by connection string."""
        return connection_string(self)

    def records(self) -> list[dict[str, Any]]:
        """The events so far: `{"topic": ..., "body": ..., "at": Unix time in seconds}`; also while it does not run."""
        return self._records.read()
