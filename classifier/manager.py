"""The manager of the served model, which is MODEL or a model requested over MQTT. Downloads, tries and switches models.

The last change wins. A requested model replaces the served one, and so does a change of MODEL's files, even one made while the
classifier was stopped. The previous model is kept for a rollback.
"""

import hashlib
import logging
import queue
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from bus import ModelUpdate, WantedModel
from classifier import InvalidExport, UnreadableExport
from classifier.download import PermanentDownloadError, download_model
from classifier.export import Export, read_export
from classifier.model import Model
from classifier.store import STATE_FILE, ModelStore, PendingModel, SavedState, StoredModel, find_request_problem
from classifier.watch import FileWatch
from runtime.address import public_address
from runtime.backoff import Backoff
from runtime.errors import FootfallError

log = logging.getLogger(__name__)

CHECK_INTERVAL = 1.0
"""Seconds between two checks of MODEL's files."""
STEP_SECONDS = 1.0
"""Seconds that one step waits or downloads at most."""
_do_nothing: Callable[..., object] = lambda *_: None  # noqa: E731
MAX_TRIALS = 5
"""Trials of a model that may end this process before the model is refused."""
MAX_REQUESTS = 16


class ModelManager:
    """The manager of the served model. Call `step` repeatedly. All methods but `on_wanted` must run on the same thread."""

    def __init__(
        self, path: Path, store: ModelStore, load: Callable[[Export], Model], retry: tuple[float, float] = (5.0, 600.0)
    ) -> None:
        """`path` is MODEL or DETECTOR. `load` tries and loads an export or raises `FootfallError`. `retry` is in seconds."""
        self._path = path
        self._store = store
        self._load = load
        self._backoff = Backoff(*retry)
        self._watch = FileWatch(path, retry)
        self._state = SavedState()
        self._requests: queue.Queue[WantedModel] = queue.Queue(MAX_REQUESTS)
        self._download: Generator[None, None, None] | None = None
        self._retry_at = self._next_check_at = 0.0
        self._serve = self._report_update = self._report_problem = _do_nothing

    def attach(
        self, serve: Callable[[Model], object], report: Callable[[ModelUpdate], object], on_problem: Callable[[str], object]
    ) -> None:
        """Sets the callbacks after `start`. `on_problem` gets the problem with MODEL's files, or an empty text."""
        self._serve, self._report_update, self._report_problem = serve, report, on_problem

    @property
    def update(self) -> ModelUpdate:
        """The outcome of the last request."""
        previous = self._state.previous
        return replace(self._state.update, previous=previous.model if previous else None)

    def start(self) -> Model:
        """Loads the model that was served last, or else the previous one, or else MODEL. A changed MODEL comes first.

        Raises `InvalidExport` if none can be served, and `InvalidSetting` for a delegate that cannot be loaded.
        """
        try:
            self._state = self._store.read()
        except (OSError, ValueError) as error:
            reason = type(error).__name__  # the text may contain an address
            log.warning("STATE_DIR: cannot read %s (%s); serving MODEL", STATE_FILE, reason)
        problem, default = "", self._state.default
        stats = self._watch.stat()
        with suppress(InvalidExport):
            default = read_export(self._path).fingerprint
            self._watch.accept(stats)
        for candidate in self._state.candidates(default):
            try:
                model = self._open(candidate)
            except InvalidExport as error:
                problem = problem or str(error)
                continue
            self._save_start(replace(candidate, model=model.identity), problem, default)
            return model
        raise InvalidExport(problem)

    def _save_start(self, served: StoredModel, problem: str, default: str) -> None:
        """Saves the model that is served after a start. `problem` is why a better candidate cannot be served."""
        before, changes = self._state.served, dict[str, Any]()
        if before is not None and before.file != served.file:
            changes["previous"] = None if problem else before
            changes["update"] = self._state.overridden_update
            if problem:
                log.warning("%s; serving %s instead", problem, served.model)
            if problem and before.file:  # so that the next request downloads it again
                changes |= {"update": replace(self._state.update, state="failed", detail=problem[:1000]), "address": ""}
        if problem and served.file:  # `check_files` tries MODEL again and reports the problem
            self._watch.forget()
        else:
            changes["default"] = default
        self._save(served=served, **changes)

    def on_wanted(self, wanted: WantedModel) -> None:
        """Queues a request. Thread-safe."""
        try:
            self._requests.put_nowait(wanted)
        except queue.Full:
            log.warning("%d model requests are waiting already; dropping this one", MAX_REQUESTS)

    def step(self) -> None:
        """Does the work that is due, for about `STEP_SECONDS`. A trial takes longer."""
        self.check_files_if_due()
        timeout = 0 if self._due_model else STEP_SECONDS
        with suppress(queue.Empty):
            while True:
                self._process(self._requests.get(timeout=timeout))
                timeout = 0
        if (pending := self._due_model) is None:
            return
        try:
            self._advance(pending)
        except PermanentDownloadError as error:
            self._set_outcome("failed", str(error))
        except Exception as error:
            if isinstance(error, InvalidExport) and not isinstance(error, UnreadableExport):
                self._set_outcome("refused", str(error))
                return
            wait = self._backoff.next()
            self._retry_at = time.monotonic() + wait
            reason = str(error) if isinstance(error, FootfallError) else f"STATE_DIR: {type(error).__name__}: {error}"
            self._set_outcome("waiting", f"{reason}; next try in {wait:g} s", pending)

    def check_files_if_due(self) -> None:
        """Checks MODEL's files every `CHECK_INTERVAL`."""
        if time.monotonic() >= self._next_check_at:
            self.check_files()
            self._next_check_at = time.monotonic() + CHECK_INTERVAL

    def check_files(self) -> None:
        """Serves MODEL if its files have changed. Refused files are not tried again until they change."""
        if not (stats := self._watch.changed()):
            return
        problem, fingerprint, model = "", "", None
        try:
            export = read_export(self._path)
            fingerprint = export.fingerprint
            if fingerprint != self._state.default:
                model = self._load(export)
        except Exception as error:
            problem = str(error) if isinstance(error, FootfallError) else f"{self._path.name}: {type(error).__name__}: {error}"
            if isinstance(error, UnreadableExport) or not isinstance(error, FootfallError):
                self._report_problem(f"{problem}; next try in {self._watch.postpone():g} s")
                return
        if not self._watch.accept(stats):
            return
        if model is not None:
            self._switch(StoredModel(model.identity), model, default=fingerprint, update=self._state.overridden_update)
        self._report_problem(problem)

    @property
    def _due_model(self) -> PendingModel | None:
        """The requested model, if it is time to download or try it."""
        return self._state.wanted if time.monotonic() >= self._retry_at else None

    def _process(self, request: WantedModel) -> None:
        url, sha256 = request.url or "", (request.sha256 or "").lower()
        update, address = self._state.update, hashlib.sha256(url.encode()).hexdigest()
        is_known = address == self._state.address or update.state in ("serving", "rolled-back")
        if is_known and sha256 and sha256 == update.sha256 and not request.rollback:
            self._report_update(self.update)
            return
        if self._download is not None:
            self._download.close()
            self._download = None
        if request.rollback:
            self._roll_back()
        elif not url and not sha256:
            self._save(wanted=None, update=ModelUpdate("none"), address="")
        else:
            problem = find_request_problem(url, sha256)
            if self._store.folder is None:
                problem = "STATE_DIR is not set; set it to a folder for downloaded models"
            state = ModelUpdate("refused" if problem else "downloading", public_address(url)[:300] or None, sha256[:128], problem)
            log.info("model requested from %s: %s", state.url, f"refused: {problem}" if problem else "downloading it")
            self._backoff.reset()
            self._retry_at = 0.0
            self._save(wanted=None if problem else PendingModel(url, sha256), update=state, address=address)

    def _advance(self, pending: PendingModel) -> None:
        """Downloads a part of the model, or tries and serves it."""
        served, previous = self._state.served, self._state.previous
        if served is not None and served.sha256 == pending.sha256:
            self._set_outcome("serving")
        elif self._download is not None:
            deadline = time.monotonic() + STEP_SECONDS
            try:
                while time.monotonic() < deadline:
                    next(self._download)
            except Exception as error:
                self._download = None
                if not isinstance(error, StopIteration):
                    raise
        elif previous and previous.sha256 == pending.sha256 and self._store.is_intact(previous.file, pending.sha256):
            self._install(previous, pending)
        elif self._store.is_intact(pending.file, pending.sha256):
            self._install(StoredModel("", pending.file, pending.sha256), pending)
        else:
            self._store.path(pending.file).parent.mkdir(parents=True, exist_ok=True)
            self._set_outcome("downloading", "", pending)
            self._download = download_model(pending.url, pending.sha256, self._store.path(pending.file))

    def _install(self, stored: StoredModel, pending: PendingModel) -> None:
        if pending.trials >= MAX_TRIALS:
            raise InvalidExport(f"the classifier ended {pending.trials} times during a trial of this model")
        self._set_outcome("trying", "", replace(pending, trials=pending.trials + 1))
        model = self._open(stored)
        if self._requests.empty():
            update = replace(self._state.update, state="serving", detail="")
            self._switch(replace(stored, model=model.identity), model, wanted=None, update=update)
        else:  # handles the newer request first; keeps the zip
            self._set_outcome("trying", "", pending)

    def _roll_back(self) -> None:
        previous, update = self._state.previous, self._state.update
        try:
            if previous is None:
                raise InvalidExport("there is no previous model")
            model = self._open(previous)
        except FootfallError as error:
            log.warning("rollback failed: %s; the current model stays", error)
            self._save(update=replace(update, detail=f"rollback failed: {error}"[:1000]))
            return
        is_wanted = bool(previous.sha256) and previous.sha256 == update.sha256
        update = replace(update, state="serving" if is_wanted else "rolled-back", detail="")
        self._switch(replace(previous, model=model.identity), model, wanted=None, update=update)

    def _switch(self, stored: StoredModel, model: Model, **changes: Any) -> None:
        before = self._state.served
        previous = before if before is not None and before.file != stored.file else self._state.previous
        self._serve(model)
        self._save(served=stored, previous=previous, **changes)

    def _set_outcome(self, state: str, detail: str = "", pending: PendingModel | None = None) -> None:
        """Saves and reports the outcome of a request; `pending` is None when nothing is left to do."""
        if detail:
            log.warning("model from %s: %s: %s", self._state.update.url, state, detail)
        update = replace(self._state.update, state=state, detail=detail[:1000])  # type: ignore[arg-type]
        if (update, pending) != (self._state.update, self._state.wanted):
            self._save(update=update, wanted=pending)

    def _save(self, **changes: Any) -> None:
        """Changes, saves and reports the state. If it cannot be saved, logs a warning; a restart then loses the change."""
        self._state = replace(self._state, **changes)
        try:
            self._store.write(self._state)
        except OSError as error:
            log.warning("STATE_DIR=%s: %s; a restart will lose this change", self._store.folder, error.strerror)
        self._report_update(self.update)

    def _open(self, stored: StoredModel) -> Model:
        """Reads, tries and loads a model. Raises `FootfallError`."""
        if stored.file and not self._store.is_intact(stored.file, stored.sha256):
            raise InvalidExport(f"{stored.file}: the file is missing or damaged")
        return self._load(read_export(self._store.path(stored.file) if stored.file else self._path))
