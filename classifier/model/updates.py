"""The model that the cloud wants: fetched, installed, and turned back from when the classifier refuses it."""

import logging
import threading
import time
from types import TracebackType
from typing import Literal, NamedTuple

from typing_extensions import Self

from classifier.model import DownloadFailed, NoPrevious, StoreFailed
from classifier.model.download import fetch
from classifier.model.serving import MOST_DETAIL, Serving
from classifier.model.store import ModelStore
from classifier.model.wanted import Wanted, refusals, tidy
from bus import FootfallError, Status
from runtime.address import public_address
from runtime.backoff import Backoff

log = logging.getLogger(__name__)

RETRY = (5.0, 600.0)
"""Seconds between two tries: the least and the most."""
GRACE = 2.0
"""Seconds at the end."""
IDLE = 60.0
"""Seconds between two looks at whether somebody else has turned the link."""


class _Failure(NamedTuple):
    """Why what is wanted is not installed; what is waiting is tried again at `again_at`, a monotonic time."""

    state: Literal["waiting", "failed"]
    reason: str
    again_at: float


class ModelUpdates:
    """Fetches and installs what is wanted in a thread of its own."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._serving = Serving(store)
        self._wanted: Wanted | None = None
        self._is_asked = False
        """Whether it is known what is wanted, and not only that it is nothing yet."""
        self._failure: _Failure | None = None
        self._backoff = Backoff(*RETRY)
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="updates", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._news.set()
        self._thread.join(GRACE)  # for a server that is silent, no longer

    @property
    def report(self) -> dict[str, str | None]:
        """`state` (none, downloading, waiting, installed, serving, refused, failed, rolled-back), why, and of which model."""
        with self._lock:
            state, detail = self._state()
            about = self._wanted or self._serving.held
            url = public_address(about.url) if about and about.url else None
            sha256 = about.sha256 or None if about else None
            return {"state": state, "url": url, "sha256": sha256, "detail": detail, "previous": self._store.previous}

    def want(self, url: object, sha256: object) -> dict[str, str]:
        """Has the zip at `url` installed; neither: stops trying. Returns what is wrong, by name, and then changes nothing."""
        if url is None and sha256 is None:
            wanted = None
        elif wrong := refusals(url, sha256):
            return wrong
        else:
            wanted = Wanted(str(url), str(sha256).lower())
        with self._lock:
            if wanted != self._wanted or not self._is_asked:
                self._wanted, self._is_asked = wanted, True
                self._forget_failures()
                if wanted and self._serving.held and wanted.sha256 != self._serving.held.sha256:
                    self._serving.release()
                self._news.set()
        return {}

    def hear(self, status: Status) -> None:
        """Regards what the classifier says of itself; does not block."""
        if self._serving.hear(status):
            self._news.set()

    def rollback(self) -> str:
        """Turns back to the previous model and returns its name; what is wanted is not installed again.

        Raises `NoPrevious`, and `StoreFailed` when the file system has something against it.
        """
        with self._lock:
            try:
                if name := self._store.previous:
                    self._news.set()  # a download ends, and what cannot be done now is done later
                    self._serving.turn_back(name, self._wanted)
                    self._forget_failures()
                    return name
            except OSError as error:
                raise StoreFailed(f"{self._store.folder}: {error.strerror}; a folder to write into is needed") from None
        raise NoPrevious(f"{self._store.folder}: no earlier model to turn back to")

    def _state(self) -> tuple[str, str]:
        wanted, held = self._wanted, self._serving.held
        if held and (wanted is None or wanted.sha256 == held.sha256):
            return held.state, held.detail
        if wanted is None:
            return "none", ""
        if wanted.sha256 == self._store.sha256:
            return "serving" if self._serving.is_confirmed else "installed", ""
        return (self._failure.state, self._failure.reason) if self._failure else ("downloading", "")

    def _due(self) -> Wanted | None:
        """What is to be fetched and installed, now or later."""
        return self._wanted if self._state()[0] in ("downloading", "waiting") else None

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._step()
                pause = self._pause()
            except Exception as error:
                log.exception("the model could not be looked after")
                self._fail(self._wanted, "waiting", f"{type(error).__name__}: {error}")
                pause = self._seconds_to_wait()
            self._news.wait(0.0 if self._ended.is_set() else pause)

    def _step(self) -> None:
        with self._lock:
            self._news.clear()  # before all that is looked at, and while nothing else can be wanted: what is set later is news
            if self._ended.is_set():
                return
            self._serving.regard()
            if self._is_asked:  # until then, what an earlier process has begun to fetch may be wanted
                tidy(self._store.folder, self._wanted if self._state()[0] in ("downloading", "waiting", "failed") else None)
            wanted = None if self._seconds_to_wait() else self._due()
            if wanted:
                self._failure = None
        if wanted:
            self._attempt(wanted)

    def _pause(self) -> float:
        """Seconds until there may be something to do."""
        with self._lock:
            return min(IDLE, self._seconds_to_wait()) if self._due() else IDLE

    def _seconds_to_wait(self) -> float:
        """Until the next try."""
        failure = self._failure
        return max(0.0, failure.again_at - time.monotonic()) if failure else 0.0

    def _attempt(self, wanted: Wanted) -> None:
        archive = self._store.folder / wanted.archive
        try:
            name = self._store.find(wanted.sha256)
            if name is None:
                log.info("fetching the model at %s", public_address(wanted.url))
                fetch(wanted.url, wanted.sha256, archive, self._news)
                name = self._store.unpack(archive, wanted.url, wanted.sha256)
            with self._lock:
                if self._due() == wanted and not self._ended.is_set():
                    self._serving.begin(name, wanted.sha256, public_address(wanted.url))
                    self._forget_failures()
                    archive.unlink(missing_ok=True)
        except (DownloadFailed, OSError) as error:
            if not self._news.is_set():  # which would have stopped it
                self._fail(wanted, "waiting", str(error))
        except FootfallError as error:
            archive.unlink(missing_ok=True)
            self._fail(wanted, "failed", str(error))

    def _fail(self, wanted: Wanted | None, state: Literal["waiting", "failed"], reason: str) -> None:
        with self._lock:
            if wanted != self._wanted:
                return
            wait = self._backoff.next()
            self._failure = _Failure(state, reason[:MOST_DETAIL], time.monotonic() + wait)
        log.warning("no new model: %s%s", reason, f"; again in {wait:g} s" if state == "waiting" else "")

    def _forget_failures(self) -> None:
        self._failure = None
        self._backoff.reset()
