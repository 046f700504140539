"""The tables of the ledger, and the migration of earlier ones."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from counter.ids import pack_id
from runtime.errors import InvalidSetting

VERSION_1 = """
CREATE TABLE visit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  camera TEXT NOT NULL, label TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
  peak REAL NOT NULL, frames INTEGER NOT NULL, is_told INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX visit_by_begin ON visit (camera, started_at);
CREATE INDEX visit_by_end ON visit (ended_at);
CREATE INDEX visit_untold ON visit (number) WHERE NOT is_told;
CREATE TABLE outbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL, body TEXT NOT NULL, properties TEXT NOT NULL
);
CREATE INDEX outbox_by_kind ON outbox (kind, number);
CREATE TABLE camera (name TEXT PRIMARY KEY, memory TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
"""
VERSION_2 = """
ALTER TABLE visit ADD COLUMN is_demo INTEGER NOT NULL DEFAULT 0;
CREATE TABLE period (
  number INTEGER PRIMARY KEY, camera TEXT NOT NULL, is_demo INTEGER NOT NULL, began_at REAL NOT NULL, ended_at REAL NOT NULL
);
CREATE INDEX period_by_begin ON period (camera, is_demo, began_at, ended_at);
"""
VERSION_3 = """
CREATE TABLE publication (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, body TEXT NOT NULL
);
INSERT INTO publication (id, kind, body)
  SELECT id, 3, json_object('v', 1, 'id', id, 'camera', camera, 'label', label, 'started_at', started_at, 'ended_at', ended_at,
    'peak', peak, 'frames', frames, 'demo', json(iif(is_demo, 'true', 'false')))
  FROM visit WHERE NOT is_told OR id IN (SELECT id FROM outbox WHERE kind = 3) ORDER BY number;
INSERT OR IGNORE INTO publication (id, kind, body) SELECT id, kind, body FROM outbox WHERE kind IN (2, 3) ORDER BY number;
DROP TABLE outbox;
DROP INDEX visit_untold;
UPDATE camera SET memory = replace(memory, '"stay":', '"visit":');
"""
"""`publication` has the messages that the broker has not acknowledged, as JSON; `kind` is a key of `MESSAGE_TYPES`.

The bodies in `outbox` are JSON with the same fields and more. `visit.is_told` is unused. It stays because recovery reads the
pages of a damaged file by the position of their columns, whatever their version.
"""
MOVE_STATES = """
UPDATE camera SET memory = json_remove(
  json_set(memory, '$.visitors', json_object(
    'timeline', json_extract(memory, '$.visits.timeline'),
    'presence', json_remove(json_extract(memory, '$.visits'), '$.timeline'),
    'is_demo', json(iif(json_extract(memory, '$.is_demo'), 'true', 'false'))
  )), '$.visits', '$.is_demo'
) WHERE json_valid(memory) AND json_type(memory, '$.visits') = 'object';
"""
"""Brings the saved states of cameras into the form of version 4; does nothing to those that have it."""
VERSION_4 = f"""
ALTER TABLE visit ADD COLUMN direction TEXT;
ALTER TABLE visit ADD COLUMN zones TEXT NOT NULL DEFAULT '{{}}';
CREATE TABLE crossing (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, camera TEXT NOT NULL, visit TEXT NOT NULL,
  line TEXT NOT NULL, direction TEXT NOT NULL, label TEXT NOT NULL, at REAL NOT NULL, is_demo INTEGER NOT NULL
);
CREATE INDEX crossing_by_time ON crossing (camera, at);
CREATE INDEX crossing_by_visit ON crossing (visit);
CREATE TABLE state (name TEXT PRIMARY KEY, memory TEXT NOT NULL);
INSERT INTO state SELECT name, memory FROM camera;
DROP TABLE camera;
ALTER TABLE state RENAME TO camera;
{MOVE_STATES}
"""
"""`visit.zones` is JSON: seconds by zone. `crossing.visit` is the id of a visit, which may not have ended yet.

`camera` has row numbers now: SQLite keeps 4 kB of such a row in one page, but only 1 kB of a row without. A state with the tracks
of three visitors is longer, and each prediction would write three more pages.
"""
STEPS = (VERSION_1, VERSION_2, VERSION_3, VERSION_4)
"""Migrations of a file in place, up to version 4. A copy in a new file has later versions. Never changed once released."""
TABLES = """
CREATE TABLE visit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL,
  camera TEXT NOT NULL, label TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
  peak REAL NOT NULL, frames INTEGER NOT NULL, is_told INTEGER NOT NULL DEFAULT 0,
  is_demo INTEGER NOT NULL DEFAULT 0, direction TEXT, zones TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE crossing (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, camera TEXT NOT NULL, visit BLOB NOT NULL,
  line TEXT NOT NULL, direction TEXT NOT NULL, label TEXT NOT NULL, at REAL NOT NULL, is_demo INTEGER NOT NULL
);
CREATE TABLE period (
  number INTEGER PRIMARY KEY, camera TEXT NOT NULL, is_demo INTEGER NOT NULL, began_at REAL NOT NULL, ended_at REAL NOT NULL
);
CREATE TABLE publication (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE camera (name TEXT PRIMARY KEY, memory TEXT NOT NULL);
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
"""
"""Ids are stored as `pack_id` returns them. In version 4 they were texts of 36 characters, and a visit took 50 bytes more."""
INDEXES = """
CREATE UNIQUE INDEX visit_by_id ON visit (id);
CREATE INDEX visit_by_begin ON visit (camera, started_at);
CREATE UNIQUE INDEX crossing_by_id ON crossing (id);
CREATE INDEX crossing_by_time ON crossing (camera, at);
CREATE INDEX crossing_by_visit ON crossing (visit);
CREATE INDEX period_by_begin ON period (camera, is_demo, began_at, ended_at);
"""
COPY = """
INSERT INTO visit SELECT
  number, pack_id(id), camera, label, started_at, ended_at, peak, frames, is_told, is_demo, direction, zones FROM old.visit;
INSERT INTO crossing SELECT number, pack_id(id), camera, pack_id(visit), line, direction, label, at, is_demo FROM old.crossing;
INSERT INTO period SELECT * FROM old.period;
INSERT INTO publication SELECT number, pack_id(id), kind, body FROM old.publication;
INSERT INTO camera SELECT * FROM old.camera;
INSERT INTO note SELECT * FROM old.note;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence SELECT * FROM old.sqlite_sequence WHERE name IN ('visit', 'crossing', 'publication');
"""
"""Fills new tables from those of version 4. No number is used again, also not one of a deleted row."""
VERSION = 5
PROGRESS_STEPS = 20_000
"""Steps of SQLite between two reports of progress: those of a few hundred visits."""


def _set_version(version: int) -> str:
    """Returns SQL that stores the version. It is stored twice, so that a damaged header is not mistaken for a newer version."""
    return f"PRAGMA user_version = {version}; INSERT OR REPLACE INTO note VALUES ('version', '{version}');"


CREATE = f"BEGIN IMMEDIATE; {TABLES} {INDEXES} {_set_version(VERSION)}"
"""Creates the tables in a new file; leaves the transaction open."""

Layout = frozenset[tuple[object, ...]]


def migrate(connection: sqlite3.Connection) -> None:
    """Migrates the tables in place, up to version 4, which `copy_tables` copies. Creates those of `VERSION` in an empty file.

    Their layout shows their version, because the number in the header may be damaged. Raises `InvalidSetting` for a newer
    version, and `sqlite3.DatabaseError` for tables that match no version.
    """
    stored, found = connection.execute("PRAGMA user_version").fetchone()[0], _layout(connection)
    noted = dict(connection.execute("SELECT name, text FROM note WHERE name = 'version'")) if found else {}
    if stored > VERSION and noted == {"version": str(stored)}:
        raise InvalidSetting(f"the ledger is of a newer Footfall (version {stored}); this one supports versions up to {VERSION}")
    version = next((number for number in range(VERSION, 0, -1) if _layouts()[number] <= found), 0)
    if version == 0 and found:
        raise sqlite3.DatabaseError("tables are missing or damaged")
    reached = VERSION if version == 0 else max(version, len(STEPS))
    if (version, stored, noted) != (reached, reached, {"version": str(reached)}):
        script = TABLES + INDEXES if version == 0 else "".join(STEPS[version:])
        connection.executescript(f"BEGIN IMMEDIATE; {script} {_set_version(reached)} COMMIT;")


def copy_tables(source: Path, target: Path, progressed: Callable[[], None]) -> None:
    """Creates a file with the tables of `VERSION`, filled from a file of version 4, and waits for the disk.

    Calls `progressed` often: a million visits take minutes on a slow device.
    """
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.set_progress_handler(progressed, PROGRESS_STEPS)
        connection.create_function("pack_id", 1, pack_id, deterministic=True)
        connection.execute("ATTACH ? AS old", (str(source),))
        folder = str(target.parent).replace("'", "''")  # the usual one is in memory in a container
        connection.execute(f"PRAGMA temp_store_directory = '{folder}'")  # for the sorting of the indexes
        connection.executescript(f"BEGIN IMMEDIATE; {TABLES} {COPY} {INDEXES} {_set_version(VERSION)} COMMIT;")


def _layout(connection: sqlite3.Connection) -> Layout:
    """Returns the tables with their columns, and the indexes."""
    return frozenset(
        connection.execute(
            'SELECT item.type, item.name, field.name, field.type, field."notnull", field.dflt_value FROM sqlite_master AS item'
            " LEFT JOIN pragma_table_info(item.name) AS field WHERE item.name NOT LIKE 'sqlite%'"
        )
    )


@cache
def _layouts() -> list[Layout]:
    """Returns the layout of an empty file, and of each version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        layouts = [_layout(connection)]
        for step in STEPS:
            connection.executescript(step)
            layouts.append(_layout(connection))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(TABLES + INDEXES)
        return [*layouts, _layout(connection)]


def cameras_in(table: str) -> str:
    """Returns the start of a query: `known` has the cameras in a table, found in its index that begins with them."""
    return f"""
WITH RECURSIVE known(name) AS (
  SELECT MIN(camera) FROM {table}
  UNION ALL SELECT (SELECT MIN(camera) FROM {table} WHERE camera > name) FROM known WHERE name IS NOT NULL
)
"""
