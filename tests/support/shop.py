"""The suite as a browser finds it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.support.broker import Broker
from tests.support.module import Module
from tests.support.wait import limit


class Shop(NamedTuple):
    """Broker and modules that run, the dashboard's port, the bridge's ledger, and the time zone."""

    broker: Broker
    modules: dict[str, Module]
    port: int
    ledger: Path
    zone: str

    @property
    def address(self) -> str:
        """Of the dashboard."""
        return f"http://127.0.0.1:{self.port}/"

    def counted(self) -> dict[str, int]:
        """Visits in the ledger, by label."""
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=limit(10))) as connection:
            return dict(connection.execute("SELECT label, COUNT(*) FROM visit GROUP BY label"))
