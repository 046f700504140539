"""Files that the programs keep: the ledger, the outbox, and backups of both."""

import hashlib
import io
import json
import random
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from bridge.database import FILE as OUTBOX_FILE
from bridge.database import OutboxUnavailable
from bridge.outbox import Outbox
from counter.changes import Changes
from counter.database import FILE as LEDGER_FILE
from counter.database import LedgerUnavailable
from footfall import backup
from footfall.restore import unpack
from runtime.metrics import Metrics
from tests.bridge.support import visits
from tests.counter.shop import crossing, open_ledger, visit, with_visit
from tests.fuzz.documents import mutate_json
from tests.fuzz.target import Parse, Target
from tests.support.mutation import mutate

ATTEMPTS = 3
"""Tries within which a damaged file must be replaced."""
SINKS = ("log", "edgehub")
EARLIER_LEDGER = Path(__file__).parents[2] / "counter" / "ledger_v4.sql"
STATE = {"desired": {"forward": "all"}}


def ledger_file() -> bytes:
    """Returns a small ledger."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(open_ledger(Path(folder))) as ledger:
            ledger.set_note("shared", "True")
            ledger.commit(Changes(results=[crossing(visit(number)) for number in range(3)]))
            ledger.commit(with_visit(3))
        return Path(folder, LEDGER_FILE).read_bytes()


def ledger_files() -> list[bytes]:
    """Returns small ledgers: one of this version, and one of an earlier version, which is migrated."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(sqlite3.connect(Path(folder, LEDGER_FILE))) as connection:
            connection.executescript(EARLIER_LEDGER.read_text())
        return [ledger_file(), Path(folder, LEDGER_FILE).read_bytes()]


def outbox_file() -> bytes:
    """Returns a small outbox."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(Outbox(Path(folder), SINKS, 100, Metrics())) as outbox:
            outbox.add(visits(*range(5)), STATE)
            outbox.mark_delivered("log", 2)
        return Path(folder, OUTBOX_FILE).read_bytes()


def use_ledger(folder: Path) -> None:
    """Uses a ledger as a counter does."""
    with closing(open_ledger(folder)) as ledger:
        for _ in range(ATTEMPTS):
            with suppress(LedgerUnavailable):
                ledger.states(), ledger.note("shared"), ledger.prune(0, 0, 0.0, 1.0)
                ledger.mark_published([one.number for one in ledger.unpublished(0, 10)])
                ledger.commit(with_visit(100))
                return
        ledger.states()


def use_outbox(folder: Path) -> None:
    """Uses an outbox as a bridge does."""
    with closing(Outbox(folder, SINKS, 100, Metrics())) as outbox:
        for _ in range(ATTEMPTS):
            with suppress(OutboxUnavailable):
                outbox.saved_state("desired")
                for sink in SINKS:
                    for entry in outbox.pending(sink, 10):
                        outbox.mark_delivered(sink, entry.number)
                outbox.add(visits(100))
                return
        assert outbox.size


@contextmanager
def opening(name: str, use: Callable[[Path], None]) -> Iterator[Parse]:
    """Gives a function that uses a damaged file. It may be replaced, and is then usable."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "state")

        def parse(content: bytes) -> None:
            folder.mkdir()
            try:
                (folder / name).write_bytes(content)
                use(folder)
            finally:
                shutil.rmtree(folder)

        yield parse


def pack(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Returns a backup of these files with a manifest that matches them, unless they have one."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != backup.MANIFEST}
    manifest = {"format": 1, "created_at": "2026-11-27T12:00:00+00:00", "visits": 4, "sha256": sums}
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w", method) as archive:
            for name, content in ({backup.MANIFEST: json.dumps(manifest).encode()} | dict(files)).items():
                archive.writestr(name, content)
        return packed.getvalue()


def backups() -> list[bytes]:
    """Returns backups of small files."""
    files = {LEDGER_FILE: ledger_file(), OUTBOX_FILE: outbox_file(), backup.RETAINED_FILE: b'{"footfall/site": "{}"}'}
    many = {LEDGER_FILE: b"", backup.RETAINED_FILE: b"[" + b"[]," * 1_300_000 + b"[]]"}
    return [pack(files), pack(files, zipfile.ZIP_DEFLATED), pack(many, zipfile.ZIP_DEFLATED)]


def mutate_backup(content: bytes, rng: random.Random, pieces: Sequence[bytes], limit: int) -> bytes:
    """Changes a file in a backup whose sums stay right, or bytes of the zip."""
    if rng.random() < 0.5:
        return mutate(content, rng, pieces, limit)
    files = dict(PACKED)
    name = rng.choice(list(files))
    files[name] = (mutate if name in (LEDGER_FILE, OUTBOX_FILE) else mutate_json)(files[name], rng, pieces, limit)
    return pack(files)[:limit]


PACKED: dict[str, bytes] = {}
"""The files of a small backup, filled when they are needed."""


@contextmanager
def checking() -> Iterator[Parse]:
    """Gives a function that unpacks and checks a backup."""
    with zipfile.ZipFile(io.BytesIO(backups()[0])) as archive:
        PACKED.update({name: archive.read(name) for name in archive.namelist()})
    with tempfile.TemporaryDirectory() as root:
        folder, source = Path(root, "unpacked"), Path(root, "backup.zip")

        def check(content: bytes) -> None:
            source.write_bytes(content)
            folder.mkdir()
            try:
                unpack(source, folder)
            finally:
                shutil.rmtree(folder)

        yield check


TARGETS = [
    Target("file.ledger", ledger_files, partial(opening, LEDGER_FILE, use_ledger), inputs=30_000),
    Target("file.outbox", lambda: [outbox_file()], partial(opening, OUTBOX_FILE, use_outbox), inputs=100_000),
    Target("file.backup", backups, checking, mutate=mutate_backup, inputs=100_000),
]
