"""Which model is served: one that is tried, as long as the classifier does not refuse it."""

import logging
from dataclasses import replace
from typing import Literal

from classifier.model.hearing import Hearing
from classifier.model.memory import Held, Memory, Refusal, Trial, read_memory, write_memory
from classifier.model.store import ModelStore
from classifier.model.wanted import Wanted
from bus import Status
from runtime.address import public_address

log = logging.getLogger(__name__)

MOST_DETAIL = 500


class Serving:
    """Has models tried and turns back from them; one call at a time, except `hear`.

    What the file system has against it is raised as `OSError`; what was not done then is done by `regard`.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._memory = read_memory(store.folder)
        self._hearing = Hearing()

    @property
    def held(self) -> Held | None:
        """The model that is not installed again."""
        return self._memory.held

    @property
    def is_confirmed(self) -> bool:
        """Whether the classifier has said that it serves the model."""
        return self._hearing.is_served

    def hear(self, status: Status) -> bool:
        """Takes what the classifier says of itself; whether there is something to be done about it."""
        self._hearing.hear(status)
        return self._verdict() is not None

    def release(self) -> None:
        """Has the model that was held be as any other."""
        self._remember(replace(self._memory, held=None))

    def regard(self) -> None:
        """Finishes turning back where that was cut off, and does what follows from the classifier's status."""
        if self.held and self.held.turn_to:
            self._hold(self.held)
        verdict, trial = self._verdict(), self._memory.trial
        if verdict == "served":
            self._hearing.is_served = True
            self._remember(replace(self._memory, trial=None))
        elif isinstance(verdict, Refusal) and trial:
            self._hold(Held(trial.sha256, trial.url, "refused", verdict.reason[:MOST_DETAIL], self._store.previous))

    def begin(self, folder: str, sha256: str, url: str) -> None:
        """Has the classifier try the model in a folder; `url` is where it came from, as it may be told."""
        self._remember(Memory(trial=Trial(folder, sha256, url, self._hearing.refusal)))
        self._store.turn_to(folder)
        self._hearing.begin()
        log.info("the model %s is installed", folder)

    def turn_back(self, folder: str, wanted: Wanted | None) -> None:
        """Turns by hand to the previous model, which is in this folder; once more, forward again."""
        known = {about.sha256: about.url and public_address(about.url) for about in (self.held, wanted) if about}
        sha256 = self._store.sha256_of(folder)
        if sha256 in known:  # turned back from before
            self.begin(folder, sha256, known[sha256])
        else:
            sha256 = wanted.sha256 if wanted else self._store.sha256 or ""
            self._hold(Held(sha256, known.get(sha256, ""), "rolled-back", f"turned back to {folder}", folder))

    def _hold(self, held: Held) -> None:
        """Turns back from a model, and does not come to it again."""
        self._remember(Memory(held))
        if held.turn_to and held.turn_to == self._store.previous:
            if held.state == "refused":
                self._store.discard()
            else:
                self._store.rollback()
        log.warning("model %.12s %s: %s", held.sha256, held.state, held.detail)
        self._hearing.begin()
        self._remember(Memory(replace(held, turn_to=None)))

    def _verdict(self) -> Refusal | Literal["served"] | None:
        return self._hearing.verdict(self._store.current, self._memory.trial)

    def _remember(self, memory: Memory) -> None:
        if memory != self._memory:
            self._memory = memory
            write_memory(self._store.folder, memory)
