"""The passwords: made once, one a role, for the eyes of who needs them."""

import signal
from pathlib import Path

import pytest

from tests.support.broker import ROOT
from tests.support.guarded_broker import START, GuardedBroker, environment_of, run_script

SECRETS = ROOT / "mosquitto" / "secrets.sh"
ROLES = ("capture", "classifier", "display", "bridge", "operator", "reader")


def passwords_in(secrets: Path) -> dict[str, str]:
    """By role."""
    return {role: (secrets / role / "password").read_text().strip() for role in ROLES}


def mode(path: Path) -> int:
    """Who may do what with it."""
    return path.stat().st_mode & 0o777


@pytest.fixture
def made(tmp_path: Path, stubs: str) -> Path:
    """The folder in which a start has made all that it makes, with a stub in the broker's place."""
    environment = environment_of(tmp_path, PATH=stubs, USERS_PORT=1883, GUESTS_PORT=1884, TLS_PORT=8883, CLASSIFIERS=2)
    assert run_script(START, environment) == (0, "started\n")
    return tmp_path


def test_each_role_has_a_password_of_its_own(made: Path) -> None:
    """Made by chance, and as long as nobody guesses."""
    passwords = passwords_in(made / "secrets")
    assert len(set(passwords.values())) == len(ROLES)
    assert {len(password) for password in passwords.values()} == {32}


def test_the_brokers_file_has_every_user_and_no_clear_text(made: Path) -> None:
    """What is kept for the broker are hashes."""
    kept = (made / "run" / "passwords").read_text()
    assert {line.split(":")[0] for line in kept.splitlines()} == {*ROLES, "classifier-1", "classifier-2"}
    assert all(line.split(":")[1].startswith("$7$") for line in kept.splitlines())
    assert not any(password in kept for password in passwords_in(made / "secrets").values())


def test_nobody_else_may_read_them(made: Path) -> None:
    """Whatever the umask of who starts it: a role's group reads its password, the broker's own files are the broker's."""
    for role in ROLES:
        assert mode(made / "secrets" / role) == 0o750
        assert mode(made / "secrets" / role / "password") == 0o640
    assert mode(made / "secrets" / "tls" / "key.pem") == 0o640
    assert mode(made / "secrets" / "tls" / "certificate.pem") == 0o644
    of_the_broker = [path for path in (made / "run").rglob("*") if path.is_file()]
    assert len(of_the_broker) == 6
    assert {mode(path) for path in of_the_broker} == {0o600}


def test_nothing_unfinished_is_left(made: Path) -> None:
    """What is made is moved to its place."""
    assert not [path for path in (made / "secrets").rglob("*") if path.suffix in (".new", ".cnf")]


def test_the_next_start_keeps_what_there_is_and_makes_what_is_missing(made: Path, stubs: str) -> None:
    """An empty file is a missing one: its maker was interrupted."""
    before = passwords_in(made / "secrets")
    (made / "secrets" / "reader" / "password").unlink()
    (made / "secrets" / "display" / "password").write_text("")
    assert run_script(START, environment_of(made, PATH=stubs, USERS_PORT=1883)) == (0, "started\n")
    after = passwords_in(made / "secrets")
    assert {role for role in ROLES if before[role] != after[role]} == {"reader", "display"}
    assert all(after.values())


def test_new_passwords_count_from_the_next_start_and_the_old_ones_no_more(tmp_path: Path) -> None:
    """--anew changes all of them; the running broker goes on with those that it knows."""
    with GuardedBroker(tmp_path) as broker:
        old = passwords_in(broker.secrets)
        assert run_script(SECRETS, broker.environment, "--anew") == (0, "")
        new = passwords_in(broker.secrets)
        assert not set(old.values()) & set(new.values())
        assert broker.answer("bridge", old["bridge"]) == 0
        broker.end(signal.SIGTERM)
        broker.start()
        for port in (broker.port, broker.guests):
            assert {broker.answer(role, old[role], port) for role in ROLES} == {5}
            assert {broker.answer(role, new[role], port) for role in ROLES} == {0}


def test_a_password_is_taken_as_it_is(made: Path, stubs: str) -> None:
    """One of the user's own may have characters in it that mean something to a shell."""
    (made / "secrets" / "reader" / "password").write_text("a\\nb $HOME `id` *\n")
    broker = GuardedBroker(made)
    with broker:
        assert broker.answer("reader", "a\\nb $HOME `id` *") == 0
        assert broker.answer("reader", "a\nb $HOME `id` *") == 5
