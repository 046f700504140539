"""The questions that wait for an answer."""

import threading
from collections import OrderedDict

from bus import Question

MAX_WAITING = 64
"""Maximum number of waiting questions."""


class Questions:
    """Waiting questions. Askers take turns, each with its oldest one. A newer one with the same id replaces the older.

    If too many wait, the newest of the asker with the most is dropped, so an asker who floods takes no room from others.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, dict[str, Question]] = OrderedDict()
        """By asker, in the order of their turns, and by id."""
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, question: Question) -> str | None:
        """Adds a question without blocking. Returns the asker of the question that was dropped or replaced, if there was one."""
        with self._changed:
            own = self._waiting.get(question.asker, {})
            dropped = question.asker if question.id in own else None
            if dropped is None and sum(map(len, self._waiting.values())) >= MAX_WAITING:
                dropped = max(self._waiting, key=lambda asker: len(self._waiting[asker]))
                if len(self._waiting[dropped]) <= len(own) + 1:
                    return question.asker
                self._waiting[dropped].popitem()
            self._waiting.setdefault(question.asker, own)[question.id] = question
            self._changed.notify()
            return dropped

    def take(self, timeout: float) -> Question | None:
        """Removes and returns the oldest question of the asker whose turn it is, or returns None after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed, timeout)
            if not self._waiting:
                return None
            asker, own = self._waiting.popitem(last=False)
            question = own.pop(next(iter(own)))
            if own:
                self._waiting[asker] = own
            return question

    def close(self) -> None:
        """Ends the wait of `take`, now and from now on."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
