"""Which model is served: that of MODEL, or one that was wanted on the broker. Downloads, tries and switches models.

The last change wins: a model that is wanted replaces the one that is served, and so does a change of MODEL's files, also one
while the classifier was stopped. The model before is kept for a rollback.
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
from classifier import InvalidExport
from classifier.download import DownloadRefused, download_model
from classifier.export import Export, Stamp, read_export, take_stamp
from classifier.interpreter import Classifier
from classifier.store import STATE_FILE, ModelStore, SavedState, StoredModel, Wanted, find_problem
from runtime.address import public_address
from runtime.backoff import Backoff
from runtime.errors import FootfallError

log = logging.getLogger(__name__)

LOOK_INTERVAL = 1.0
"""Seconds between two looks at MODEL's files."""
STEP_SECONDS = 0.5
"""Of waiting or downloading in one step."""
_ignore: Callable[..., object] = lambda *_: None  # noqa: E731
MAX_TRIALS = 5
"""Trials of a model that this process may not survive."""
MAX_REQUESTS = 16


class ModelManager:
    """Its methods belong to one thread, but for `on_wanted`; `step` is to be called again and again."""

    def __init__(
        self, path: Path, store: ModelStore, load: Callable[[Export], Classifier], retry: tuple[float, float] = (5.0, 600.0)
    ) -> None:
        """`path` is MODEL; `load` tries an export and loads it, or raises `FootfallError`; `retry`: least and most seconds."""
        self._path = path
        self._store = store
        self._load = load
        self._backoff = Backoff(*retry)
        self._state = SavedState()
        self._requests: queue.Queue[WantedModel] = queue.Queue(MAX_REQUESTS)
        self._download: Generator[None, None, None] | None = None
        self._retry_at = self._look_at = 0.0
        self._seen: Stamp = ()
        self._judged: Stamp = ()
        self._serve = self._report = self._refuse = _ignore

    def attach(
        self, serve: Callable[[Classifier], object], report: Callable[[ModelUpdate], object], refuse: Callable[[str], object]
    ) -> None:
        """After `start`. `refuse` gets the problem with MODEL's files, an empty text when there is none any more."""
        self._serve, self._report, self._refuse = serve, report, refuse

    @property
    def update(self) -> ModelUpdate:
        """What became of the last model that was wanted."""
        previous = self._state.previous
        return replace(self._state.update, previous=previous.model if previous else None)

    def start(self) -> Classifier:
        """Loads the model that was served last; if that is damaged, the previous one, or that of MODEL.

        Raises `InvalidExport` when none can be served, and `InvalidSetting` for a delegate.
        """
        try:
            self._state = self._store.read()
        except (OSError, ValueError) as error:
            reason = type(error).__name__  # the text of an error may hold an address
            log.warning("STATE_DIR: %s cannot be read (%s); the model of MODEL is served", STATE_FILE, reason)
        problem, default = "", self._state.default
        stamp = take_stamp(self._path)
        with suppress(InvalidExport):
            default = read_export(self._path).fingerprint
            self._judged = stamp
        for candidate in self._state.candidates(default):
            try:
                classifier = self._open(candidate)
            except InvalidExport as error:
                problem = problem or str(error)
                continue
            self._started(replace(candidate, model=classifier.identity), problem, default)
            return classifier
        raise InvalidExport(problem)

    def _started(self, served: StoredModel, problem: str, default: str) -> None:
        """Saves what is served after the start; `problem` is why another model cannot be."""
        before, changes = self._state.served, dict[str, Any]()
        if before is not None and before.file != served.file:
            changes["previous"] = None if problem else before
            changes["update"] = self._state.overridden
            if problem:
                log.warning("%s; serving %s instead", problem, served.model)
            if problem and before.file:  # the next request for it downloads it again
                changes |= {"update": replace(self._state.update, state="failed", detail=problem[:1000]), "address": ""}
        if problem and served.file:  # the new model of MODEL is tried again by the watch, which reports the problem
            self._judged = ()
        else:
            changes["default"] = default
        self._save(served=served, **changes)

    def on_wanted(self, wanted: WantedModel) -> None:
        """Queues a request; from any thread."""
        try:
            self._requests.put_nowait(wanted)
        except queue.Full:
            log.warning("more than %d requests for models are waiting; this one is dropped", MAX_REQUESTS)

    def step(self) -> None:
        """Does what is due, for about `STEP_SECONDS`; the trial of a model takes longer."""
        if time.monotonic() >= self._look_at:
            self.look()
            self._look_at = time.monotonic() + LOOK_INTERVAL
        timeout = 0 if self._due else STEP_SECONDS
        with suppress(queue.Empty):
            while True:
                self._process(self._requests.get(timeout=timeout))
                timeout = 0
        if (wanted := self._due) is None:
            return
        try:
            self._advance(wanted)
        except InvalidExport as error:
            self._finish("refused", str(error))
        except DownloadRefused as error:
            self._finish("failed", str(error))
        except Exception as error:
            wait = self._backoff.next()
            self._retry_at = time.monotonic() + wait
            reason = str(error) if isinstance(error, FootfallError) else f"STATE_DIR: {type(error).__name__}: {error}"
            self._finish("waiting", f"{reason}; next try in {wait:g} s", wanted)

    def look(self) -> None:
        """Serves MODEL's model if its files have changed; a change counts when two looks in a row find the same."""
        stamp = take_stamp(self._path)
        is_settled, self._seen = stamp == self._seen, stamp
        if not is_settled or not stamp or stamp == self._judged:
            return
        problem, fingerprint, classifier = "", "", None
        try:
            export = read_export(self._path)
            fingerprint = export.fingerprint
            if fingerprint != self._state.default:
                classifier = self._load(export)
        except FootfallError as error:
            problem = str(error)
        if take_stamp(self._path) != stamp:
            return  # it changed meanwhile: what was read may be of two states
        self._judged = stamp
        if classifier is not None:
            self._switch(StoredModel(classifier.identity), classifier, default=fingerprint, update=self._state.overridden)
        self._refuse(problem)

    @property
    def _due(self) -> Wanted | None:
        """The model to download or try now."""
        return self._state.wanted if time.monotonic() >= self._retry_at else None

    def _process(self, request: WantedModel) -> None:
        url, sha256 = request.url or "", (request.sha256 or "").lower()
        update, address = self._state.update, hashlib.sha256(url.encode()).hexdigest()
        is_known = address == self._state.address or update.state in ("serving", "rolled-back")
        if is_known and sha256 and sha256 == update.sha256 and not request.rollback:
            self._report(self.update)
            return
        if self._download is not None:
            self._download.close()
            self._download = None
        if request.rollback:
            self._roll_back()
        elif not url and not sha256:
            self._save(wanted=None, update=ModelUpdate("none"), address="")
        else:
            problem = find_problem(url, sha256)
            if self._store.folder is None:
                problem = "STATE_DIR is not set; set it to a folder where downloaded models are kept"
            state = ModelUpdate("refused" if problem else "downloading", public_address(url)[:300] or None, sha256[:128], problem)
            log.info("model wanted from %s: %s", state.url, problem or "downloading it")
            self._backoff.reset()
            self._retry_at = 0.0
            self._save(wanted=None if problem else Wanted(url, sha256), update=state, address=address)

    def _advance(self, wanted: Wanted) -> None:
        """Downloads for a while, or tries and switches."""
        served, previous = self._state.served, self._state.previous
        if served is not None and served.sha256 == wanted.sha256:
            self._finish("serving")
        elif self._download is not None:
            end = time.monotonic() + STEP_SECONDS
            try:
                while time.monotonic() < end:
                    next(self._download)
            except Exception as error:
                self._download = None
                if not isinstance(error, StopIteration):
                    raise
        elif previous and previous.sha256 == wanted.sha256 and self._store.has(previous.file, wanted.sha256):
            self._install(previous, wanted)
        elif self._store.has(wanted.file, wanted.sha256):
            self._install(StoredModel("", wanted.file, wanted.sha256), wanted)
        else:
            self._store.path(wanted.file).parent.mkdir(parents=True, exist_ok=True)
            self._finish("downloading", "", wanted)
            self._download = download_model(wanted.url, wanted.sha256, self._store.path(wanted.file))

    def _install(self, stored: StoredModel, wanted: Wanted) -> None:
        if wanted.trials >= MAX_TRIALS:
            raise InvalidExport(f"the classifier ended {wanted.trials} times while it tried this model")
        self._finish("trying", "", replace(wanted, trials=wanted.trials + 1))
        classifier = self._open(stored)
        if self._requests.empty():
            update = replace(self._state.update, state="serving", detail="")
            self._switch(replace(stored, model=classifier.identity), classifier, wanted=None, update=update)
        else:  # what came meanwhile decides first; the zip stays
            self._finish("trying", "", wanted)

    def _roll_back(self) -> None:
        previous, update = self._state.previous, self._state.update
        try:
            if previous is None:
                raise InvalidExport("there is no earlier model")
            classifier = self._open(previous)
        except FootfallError as error:
            log.warning("rollback: %s; the model stays", error)
            self._save(update=replace(update, detail=f"rollback: {error}"[:1000]))
            return
        is_wanted = bool(previous.sha256) and previous.sha256 == update.sha256
        update = replace(update, state="serving" if is_wanted else "rolled-back", detail="")
        self._switch(replace(previous, model=classifier.identity), classifier, wanted=None, update=update)

    def _switch(self, stored: StoredModel, classifier: Classifier, **changes: Any) -> None:
        before = self._state.served
        previous = before if before is not None and before.file != stored.file else self._state.previous
        self._serve(classifier)
        self._save(served=stored, previous=previous, **changes)

    def _finish(self, state: str, detail: str = "", wanted: Wanted | None = None) -> None:
        """Saves and reports what became of the model that is wanted; `wanted` is None when nothing is left to do."""
        if detail:
            log.warning("model from %s: %s: %s", self._state.update.url, state, detail)
        update = replace(self._state.update, state=state, detail=detail[:1000])  # type: ignore[arg-type]
        if (update, wanted) != (self._state.update, self._state.wanted):
            self._save(update=update, wanted=wanted)

    def _save(self, **changes: Any) -> None:
        """Changes the state, saves and reports it. What cannot be saved is lost with a restart, which is logged."""
        self._state = replace(self._state, **changes)
        try:
            self._store.write(self._state)
        except OSError as error:
            log.warning("STATE_DIR: %s: %s; a restart forgets what model is wanted", self._store.folder, error.strerror)
        self._report(self.update)

    def _open(self, stored: StoredModel) -> Classifier:
        """Reads, tries and loads a model. Raises `FootfallError`."""
        if stored.file and not self._store.has(stored.file, stored.sha256):
            raise InvalidExport(f"{stored.file}: the file is missing or damaged")
        return self._load(read_export(self._store.path(stored.file) if stored.file else self._path))
