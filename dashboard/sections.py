"""What a page is told, in sections; each is told again when it has changed."""

import json
from collections.abc import Mapping
from typing import Any


class Sections:
    """JSON by name with a version, so that everyone gets what is new to them; for one thread."""

    def __init__(self) -> None:
        self.version = 0
        self._texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}

    def put(self, values: Mapping[str, Any]) -> None:
        """Takes the sections' values, which JSON can hold."""
        for name, value in values.items():
            text = json.dumps(value)
            if self._texts.get(name) != text:
                self.version += 1
                self._texts[name] = text
                self._versions[name] = self.version

    def since(self, version: int, now: float) -> str:
        """The message with all that changed after `version`, at Unix time `now`."""
        changed = [f'"{name}": {self._texts[name]}' for name, changed_at in self._versions.items() if changed_at > version]
        return "{" + ", ".join([f'"now": {now:.3f}', *changed]) + "}"
