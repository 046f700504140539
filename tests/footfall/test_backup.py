"""``footfall backup`` and ``footfall restore``: of a running suite, of a stopped one, and what is refused."""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bridge.outbox import Outbox
from bus import FootfallError, topics
from counter.ledger import Ledger
from counter.schema import VERSION
from footfall.backup import digest
from footfall.restore import unpack
from footfall.state import RunState
from runtime.metrics import Metrics
from tests.footfall.suite import call, running_suite
from tests.footfall.test_report import fill
from tests.support.broker import free_port
from tests.support.module import Module
from tests.support.wait import until

SETUP = b'{"v":1,"lines":[{"name":"till","from":[0.1,0.5],"to":[0.9,0.5]}]}'
SITE = b'{"v":1,"name":"Bakery at the mill"}'
EARLIER_LEDGER = Path(__file__).parents[1] / "counter" / "ledger_v4.sql"
BY_PEOPLE = {topics.setup("door"): SETUP, topics.site(): SITE}
"""Retained messages that people publish."""
Damage = Callable[[dict[str, bytes]], None]


def rows(ledger: Path) -> list[tuple[object, ...]]:
    """Returns the visits and crossings in a ledger."""
    with closing(sqlite3.connect(ledger)) as connection:
        return [*connection.execute("SELECT * FROM visit"), *connection.execute("SELECT * FROM crossing")]


def saved(folder: Path) -> Path:
    """Creates the state of a stopped suite with a ledger and an outbox, and returns its folder."""
    data = RunState(folder, 1883, is_demo=False).data
    fill(data)
    with closing(Outbox(data / "bridge", ["log"], 10, Metrics())) as outbox:
        outbox.add([])
    return folder


def read(archive: Path) -> dict[str, bytes]:
    """Returns the files in a backup."""
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def write(archive: Path, files: dict[str, bytes]) -> None:
    """Writes a backup with these files."""
    with zipfile.ZipFile(archive, "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)


@pytest.mark.broker
@pytest.mark.system
def test_a_running_suite_is_restored_on_another_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Visits, the outbox and what people set come along. The data of a running suite cannot be replaced."""
    backup, again = tmp_path / "backup.zip", tmp_path / "again.zip"
    with running_suite(tmp_path) as suite:
        data = RunState(tmp_path, suite.broker.guests, is_demo=True).data
        fill(data)
        settings = {"STATE_DIR": data, "MQTT_PASSWORD": suite.broker.password("counter")}
        bridge = {"STATE_DIR": data / "bridge", "MQTT_PASSWORD": suite.broker.password("bridge")}
        with Module("counter", suite.broker.port, **settings), Module("bridge", suite.broker.port, **bridge):
            until(lambda: {"footfall/status/counter", "footfall/status/bridge"} <= suite.retained(), what="the modules")
            with suite.operator() as operator:
                for topic, payload in BY_PEOPLE.items():
                    operator.publish(topic, payload, retain=True)
            assert suite.call("backup", str(backup)) == 0
            assert f"{backup}: 3 visits, 1 setups of cameras" in capsys.readouterr().out
            assert suite.call("restore", str(backup)) == 2
            assert "the suite is running; stop it first" in capsys.readouterr().err
        before = rows(data / "ledger.db")
    assert backup.stat().st_mode & 0o777 == 0o600
    elsewhere = f"STATE_DIR={tmp_path / 'elsewhere'}", f"MQTT_PORT={free_port()}"
    assert call("restore", str(backup), *elsewhere) == 0
    assert call("backup", str(again), *elsewhere) == 0
    first, second = read(backup), read(again)
    assert (
        json.loads(first["retained.json"])
        == json.loads(second["retained.json"])
        == {topic: payload.decode() for topic, payload in BY_PEOPLE.items()}
    )
    assert {"ledger.db", "outbox.db", "retained.json", "manifest.json"} == set(first) == set(second)
    (restored,) = (tmp_path / "elsewhere").glob("data-*/ledger.db")
    assert rows(restored) == before
    assert len(before) == 6


@pytest.mark.broker
@pytest.mark.system
def test_the_newest_visits_are_included_and_the_earlier_file_is_kept(tmp_path: Path) -> None:
    """The newest are in SQLite's log, also after a power cut. A restore can be undone with the file that it replaced."""
    state, backup = saved(tmp_path / "state"), tmp_path / "backup.zip"
    ledger = RunState(state, 1883, is_demo=False).data / "ledger.db"
    with closing(Ledger(ledger.parent, Metrics())) as counting:
        counting.note("version")
        with closing(sqlite3.connect(ledger)) as cut:
            cut.execute("UPDATE visit SET label = 'newest'")
            cut.commit()
            shutil.copytree(state, tmp_path / "cut")
    cut_ledger = tmp_path / "cut" / ledger.relative_to(state)
    assert Path(f"{cut_ledger}-wal").stat().st_size
    assert call("backup", str(backup), f"STATE_DIR={tmp_path / 'cut'}") == 0
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("DELETE FROM visit")
        connection.commit()
    assert call("restore", str(backup), f"STATE_DIR={state}") == 0
    assert {row[2:4] for row in rows(ledger)[:3]} == {("door", "newest")}
    assert len(rows(Path(f"{ledger}.replaced"))) == 3


@pytest.mark.broker
@pytest.mark.system
def test_a_backup_of_an_earlier_version_is_restored(tmp_path: Path) -> None:
    """The counter migrates its ledger."""
    state, backup = saved(tmp_path / "state"), tmp_path / "backup.zip"
    ledger = RunState(state, 1883, is_demo=False).data / "ledger.db"
    ledger.unlink()
    with closing(sqlite3.connect(ledger)) as connection:
        connection.executescript(EARLIER_LEDGER.read_text())
    assert call("backup", str(backup), f"STATE_DIR={state}") == 0
    ledger.unlink()
    assert call("restore", str(backup), f"STATE_DIR={state}") == 0
    with closing(Ledger(ledger.parent, Metrics())) as counting:
        assert counting.note("version") == str(VERSION)
    assert len(rows(ledger)) == 4 + 3


def _edit(name: str, old: bytes, new: bytes) -> Damage:
    def edit(files: dict[str, bytes]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return edit


def _newer(files: dict[str, bytes]) -> None:
    _with_sum(files, files["ledger.db"][:60] + (VERSION + 1).to_bytes(4, "big") + files["ledger.db"][64:])


def _broken(files: dict[str, bytes]) -> None:
    _with_sum(files, files["ledger.db"][:4096] + b"x" * 4096 + files["ledger.db"][8192:])


def _with_sum(files: dict[str, bytes], ledger: bytes) -> None:
    """Replaces the ledger, and its sum in the manifest."""
    scratch = Path(os.environ["SCRATCH"])
    scratch.write_bytes(ledger)
    manifest = json.loads(files["manifest.json"])
    manifest["sha256"]["ledger.db"] = digest(scratch)
    files |= {"ledger.db": ledger, "manifest.json": json.dumps(manifest).encode()}


@pytest.mark.broker
@pytest.mark.system
@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda files: files.pop("manifest.json"), "not a backup of Footfall, or damaged: "),
        (lambda files: files.pop("ledger.db"), "not a backup of Footfall, or damaged: "),
        (_edit("manifest.json", b"ledger.db", b"../ledger.db"), "must have ledger.db, outbox.db, retained.json"),
        (_edit("manifest.json", b'"format": 1', b'"format": 2'), "of a newer Footfall (format 2, this one reads up to 1)"),
        (_edit("ledger.db", b"woman", b"human"), "damaged: ledger.db has another SHA-256 than the backup says"),
        (_newer, f"ledger.db is of a newer Footfall (version {VERSION + 1}, this one reads up to {VERSION})"),
        (_broken, "damaged: "),
    ],
    ids=["no manifest", "no ledger", "a path", "format", "sum", "schema", "damaged"],
)
def test_a_wrong_backup_changes_nothing(
    tmp_path: Path, damage: Damage, problem: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused in one line that names the file."""
    monkeypatch.setenv("SCRATCH", str(tmp_path / "scratch"))
    state, backup = saved(tmp_path / "state"), tmp_path / "backup.zip"
    assert call("backup", str(backup), f"STATE_DIR={state}") == 0
    files = read(backup)
    damage(files)
    write(backup, files)
    capsys.readouterr()
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    assert call("restore", str(backup), f"STATE_DIR={state}") == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"footfall restore: {backup}: ")
    assert problem in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    kept = {path: path.read_bytes() for path in state.rglob("*") if path.is_file() and path.name != "lock"}
    assert kept == {path: data for path, data in before.items() if path.name != "lock"}


RETAINED = b'{"footfall/site": "{}"}'


def packed(method: int = zipfile.ZIP_DEFLATED, retained: bytes = RETAINED, ledger: bytes = b"", **changes: object) -> bytes:
    """Returns a backup of these files, whose manifest has these changes."""
    sums = {"ledger.db": hashlib.sha256(ledger).hexdigest(), "retained.json": hashlib.sha256(retained).hexdigest()}
    manifest = {"format": 1, "visits": 0, "created_at": "2026-11-27T12:00:00+00:00", "sha256": sums} | changes
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("manifest.json", json.dumps(manifest))
            archive.writestr("ledger.db", ledger)
            archive.writestr("retained.json", retained)
        return file.getvalue()


def patched(backup: bytes, old: bytes, new: bytes) -> bytes:
    assert old in backup
    return backup.replace(old, new)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "64 MB in 65 kB": lambda: packed(ledger=bytes(64 << 20)),
    "LZMA": lambda: packed(zipfile.ZIP_LZMA),
    "bzip2": lambda: packed(zipfile.ZIP_BZIP2),
    "an unknown compression": lambda: patched(packed(), b"PK\1\2\x14\x03\x14\0\0\0\x08\0", b"PK\1\2\x14\x03\x14\0\0\0\x63\0"),
    "encrypted": lambda: patched(packed(), b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0"),
    "damaged deflate": lambda: patched(packed(), b"retained.json", b"retained.json\xff\xff"),
    "a directory before the file": lambda: patched(packed(), b"PK\5\6\0\0\0\0\3\0\3\0", b"PK\5\6\0\0\0\0\3\0\3\0\xff\xff"),
    "a manifest of lists": lambda: packed(visits=json.loads("[" * 900 + "]" * 900)),
    "a manifest without visits": lambda: packed(visits=None),
    "a manifest with an infinite format": lambda: packed(format=float("inf")),
    "a retained number": lambda: packed(retained=b'{"footfall/site": 5}'),
    "retained texts": lambda: packed(retained=b'["footfall/site"]'),
    "retained bytes": lambda: packed(retained=b'{"footfall/site": "\xff"}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_backup_is_refused(tmp_path: Path, name: str) -> None:
    """It is refused in one line, before it takes much time, memory or room. The same without the damage is accepted."""
    backup, folder = tmp_path / "backup.zip", tmp_path / "unpacked"
    folder.mkdir()
    backup.write_bytes(packed())
    unpack(backup, folder)
    backup.write_bytes(HOSTILE[name]())
    with pytest.raises(FootfallError) as refused:
        unpack(backup, folder)
    assert str(refused.value).startswith(f"{backup}: ")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1 << 20


def test_without_a_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file is written."""
    assert call("backup", str(tmp_path / "backup.zip"), f"STATE_DIR={tmp_path}") == 2
    assert "there is no ledger: " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
