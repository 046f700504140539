"""The names of the place and of its labels, and their changes by people."""

import json
from typing import Any

from bus import Bus, Site, topics
from dashboard.retained import RetainedMessages


class SiteStore:
    """Reads and changes the site that the broker retains. An invalid one leaves the one before. Thread-safe."""

    def __init__(self, bus: Bus) -> None:
        """Create it before entering the bus."""
        self._bus = bus
        self._site = Site()
        self._received = 0
        """The connection in which the site arrived last."""
        self._is_known = False
        bus.subscribe(topics.site(), Site, self._on_site, on_cleared=lambda _topic: self._on_site(Site()), on_invalid=self._touch)
        bus.on_settled(self._on_settled)
        self._retained = RetainedMessages(bus, topics.site(), Site)

    def _on_site(self, site: Site) -> None:
        self._site = site
        self._touch()

    def _touch(self, _topic: str = "") -> None:
        self._received = self._bus.connection

    def _on_settled(self) -> None:
        """Notices that the site was deleted while this module was not connected."""
        if self._received != self._bus.connection:
            self._site = Site()
        self._is_known = True

    def as_json(self) -> dict[str, Any]:
        """Returns the site as in its message; an empty one if there is none."""
        document: dict[str, Any] = json.loads(self._site.pack())
        return document

    def sections(self) -> dict[str, Any]:
        """Returns the section of the page; None until the first connection to the broker."""
        return {"site": self.as_json() if self._is_known else None}

    async def save(self, site: Site) -> None:
        """Replaces the site. Raises `NotSaved`."""
        await self._retained.save(site)
