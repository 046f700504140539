"""Passwords: created once, one per role, readable only for their owners."""

import signal
from pathlib import Path

import pytest

from tests.mosquitto.access_table import ROLES
from tests.support.guarded_broker import SECRETS, START, GuardedBroker, environment_of, passwords_in, run_script

pytestmark = pytest.mark.broker


@pytest.fixture
def made(tmp_path: Path, stubs: str) -> Path:
    """The folder after a start, with a stub as broker."""
    environment = environment_of(tmp_path, PATH=stubs, USERS_PORT=1883, GUESTS_PORT=1884, TLS_PORT=8883, CLASSIFIERS=2)
    assert run_script(START, environment) == (0, "started\n")
    return tmp_path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_each_role_has_its_own_password_and_the_broker_only_hashes(made: Path) -> None:
    passwords = passwords_in(made / "secrets", ROLES)
    assert len(set(passwords.values())) == len(ROLES)
    assert {len(password) for password in passwords.values()} == {32}
    hashes = dict(line.split(":") for line in (made / "run" / "passwords").read_text().splitlines())
    assert set(hashes) == {*ROLES, "classifier-1", "classifier-2"}
    assert all(value.startswith("$7$") for value in hashes.values())


def test_nobody_else_can_read_them(made: Path) -> None:
    """Whatever the umask: a role's group reads its password, only the broker reads its files; no temporary file is left."""
    for role in ROLES:
        assert mode(made / "secrets" / role) == 0o750
        assert mode(made / "secrets" / role / "password") == 0o640
    assert mode(made / "secrets" / "tls" / "key.pem") == 0o640
    assert mode(made / "secrets" / "tls" / "certificate.pem") == 0o644
    files = [path for path in (made / "run").rglob("*") if path.is_file()]
    assert len(files) == 6
    assert {mode(path) for path in files} == {0o600}
    assert not [path for path in (made / "secrets").rglob("*") if path.suffix in (".new", ".cnf")]


def test_the_next_start_keeps_passwords_and_replaces_missing_and_empty_ones(made: Path, stubs: str) -> None:
    before = passwords_in(made / "secrets", ROLES)
    (made / "secrets" / "reader" / "password").unlink()
    (made / "secrets" / "display" / "password").write_text("")
    assert run_script(START, environment_of(made, PATH=stubs, USERS_PORT=1883)) == (0, "started\n")
    after = passwords_in(made / "secrets", ROLES)
    assert {role for role in ROLES if before[role] != after[role]} == {"reader", "display"}
    assert all(after.values())


def test_new_passwords_apply_from_the_next_start(tmp_path: Path) -> None:
    with GuardedBroker(tmp_path) as broker:
        old = passwords_in(broker.secrets, ROLES)
        assert run_script(SECRETS, broker.environment, "--rotate") == (0, "")
        new = passwords_in(broker.secrets, ROLES)
        assert not set(old.values()) & set(new.values())
        assert broker.answer("bridge", old["bridge"]) == 0
        broker.end(signal.SIGTERM)
        broker.start()
        for port in (broker.port, broker.guests):
            assert {broker.answer(role, old[role], port) for role in ROLES} == {5}
            assert {broker.answer(role, new[role], port) for role in ROLES} == {0}


def test_a_password_may_contain_shell_characters(made: Path) -> None:
    (made / "secrets" / "reader" / "password").write_text("a\\nb $HOME `id` *\n")
    with GuardedBroker(made) as broker:
        assert broker.answer("reader", "a\\nb $HOME `id` *") == 0
        assert broker.answer("reader", "a\nb $HOME `id` *") == 5
