"""What a stub is told to do, and what it has seen."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.edgehub.document import TwinDocument
from tests.edgehub.records import Records
from tests.edgehub.sessions import Sessions


class Script:
    """Attributes that can be changed at any time, by any thread.

    `refuse`: the CONNACK code that clients are refused with, 0 for none. `withhold`: events are recorded but not acknowledged,
    then or later. `cut_after`: the next event is recorded and its connection closed in place of the acknowledgement, once.
    `is_frozen`: connections stay open and new ones are accepted, but nothing is recorded or answered until the thaw.
    `twin_silent`: requests for the twin are not answered. `connects` counts the CONNECTs, refused ones too.
    """

    def __init__(self, folder: Path) -> None:
        self.refuse = 0
        self.withhold = False
        self.cut_after = False
        self.connects = 0
        self.twin = TwinDocument()
        self.file = Records(folder / "records.jsonl")
        self.sessions = Sessions(folder / "sessions.json")
        self._cuts: dict[str, Callable[[], None]] = {}
        self._lock = threading.Lock()
        self._thawed = threading.Event()
        self._thawed.set()

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is read."""
        return not self._thawed.is_set()

    @is_frozen.setter
    def is_frozen(self, value: bool) -> None:
        if value:
            self._thawed.clear()
        else:
            self._thawed.set()

    @property
    def twin_silent(self) -> bool:
        """Whether requests for the twin are not answered."""
        return self.twin.is_silent

    @twin_silent.setter
    def twin_silent(self, value: bool) -> None:
        self.twin.is_silent = value

    def records(self) -> list[dict[str, Any]]:
        """The events so far: `{"topic": ..., "body": ..., "at": Unix time in seconds}`."""
        return self.file.read()

    def wait_to_thaw(self) -> None:
        """Returns when it is not frozen."""
        self._thawed.wait()

    def admit(self, client: str, is_clean: bool, cut: Callable[[], None]) -> tuple[int, bool]:
        """The CONNACK code and whether the client has a session; an older connection of the same client is cut."""
        with self._lock:
            self.connects += 1
            if self.refuse:
                return self.refuse, False
            older = self._cuts.get(client)
            self._cuts[client] = cut
        if older is not None:
            older()
        return 0, self.sessions.begin(client, is_clean)

    def take_cut(self) -> bool:
        """Whether this is the event to cut after."""
        with self._lock:
            taken, self.cut_after = self.cut_after, False
            return taken
