"""A device to which models come from a server, and the classifier on it."""

import json
import time
from pathlib import Path

from bus import Status
from classifier.model.store import ModelStore
from classifier.model.updates import ModelUpdates
from tests.classifier.model.server import SECRET, Server
from tests.classifier.model.zips import folder_of, sha256, zipped
from tests.support.wait import until

FIRST, SECOND, THIRD = (zipped(number=bytes([number])) for number in range(3))
BROKEN = zipped({"readme.txt": b"no model"})


def says(state: str, detail: str = "", model: str = "", since: float = 1000.0) -> Status:
    """A status of the classifier; `model` is the folder that it serves."""
    metrics = {"model": f"{model}@0123456789ab"} if model else {}
    return Status("classifier", state, since, time.time(), detail, {**metrics, "frames_in": 7})


class Device:
    """A store and what looks after it, whose process can be started again."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.server = server
        self._folder = folder
        self.start()

    def start(self) -> None:
        """A new process."""
        self.store = ModelStore(self._folder)
        self.updates = ModelUpdates(self.store)
        self.updates.__enter__()

    def stop(self) -> None:
        """The end of the process."""
        self.updates.__exit__(None, None, None)

    def restart(self) -> None:
        """Another process."""
        self.stop()
        self.start()

    @property
    def report(self) -> dict[str, str | None]:
        """The report, which is JSON, and tells no secret."""
        report = self.updates.report
        assert set(report) == {"state", "url", "sha256", "detail", "previous"}
        assert SECRET not in json.dumps(report)
        return report

    @property
    def has_news(self) -> bool:
        """Whether something is to be done about what the classifier said last."""
        return self.updates._serving._verdict() is not None

    def want(self, content: bytes) -> None:
        """Has the server offer a zip, and wants it."""
        self.server.content, self.server.tag = content, f'"{sha256(content)}"'
        assert self.updates.want(self.server.url, sha256(content)) == {}

    def reaches(self, state: str, detail: str = "") -> dict[str, str | None]:
        """The report once it says so."""
        until(lambda: self.report["state"] == state and detail in str(self.report["detail"]), 5, f"{state} {detail}")
        return self.report

    def makes_nothing_of(self, heard: Status) -> None:
        """The status changes nothing, neither now nor by what has been set off."""
        before, current = self.report, self.store.current
        self.updates.hear(heard)
        assert not self.has_news
        assert (self.report, self.store.current) == (before, current)

    def install(self, content: bytes) -> None:
        """Until it is served."""
        self.want(content)
        self.reaches("installed")
        self.updates.hear(says("running", model=folder_of(content)))
        self.reaches("serving")
