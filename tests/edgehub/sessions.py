"""What clients are subscribed to, in a file, as edgeHub keeps it over its own end."""

import json
import threading
from collections.abc import Iterable
from pathlib import Path


class Sessions:
    """The filters of each client that did not ask for a clean session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._filters: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}

    def begin(self, client: str, is_clean: bool) -> bool:
        """Whether there was one; a clean one begins without."""
        with self._lock:
            if is_clean and self._filters.pop(client, None) is not None:
                self._write()
            return client in self._filters

    def add(self, client: str, filters: Iterable[str]) -> None:
        """Subscribes."""
        with self._lock:
            old = self._filters.get(client, [])
            self._filters[client] = [*old, *(one for one in filters if one not in old)]
            self._write()

    def remove(self, client: str, filters: Iterable[str]) -> None:
        """Unsubscribes."""
        with self._lock:
            gone = set(filters)
            self._filters[client] = [one for one in self._filters.get(client, []) if one not in gone]
            self._write()

    def has(self, client: str, name: str) -> bool:
        """Whether the client is subscribed to this very filter."""
        with self._lock:
            return name in self._filters.get(client, [])

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._filters))
        new.replace(self._path)
