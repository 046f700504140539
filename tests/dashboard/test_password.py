"""The password check, and the limits on failed attempts."""

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import password as module
from dashboard.password import Password

SECRET = "grün & sicher"
WRONG = ("\ud800", "x" * 100_000, "grun", SECRET + " ", "")


class Attacked(Password):
    """A password check whose time passes only when a test advances it."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(SECRET, lambda: self.now)

    def fail(self, address: str, times: int = 1) -> None:
        """Tries wrong passwords, each of which is compared."""
        for number in range(times):
            assert self.attempt(WRONG[number % len(WRONG)], address) == (False, 0)


def test_waits_grow_and_are_enforced() -> None:
    """From the fifth failure waits grow from 1 s to 60 s; the right password has to wait too. A success resets them.

    The password is normalised: an umlaut can be one character or two.
    """
    password = Attacked()
    password.fail("10.0.0.1", 4)
    for wait in (1, 2, 4, 8, 16, 32, 60, 60, 60):
        password.fail("10.0.0.1")
        assert password.attempt(SECRET, "10.0.0.1") == (False, wait)
        password.now += wait - 0.5
        assert password.attempt(SECRET, "10.0.0.1") == (False, 1)
        password.now += 0.5
    for right in (SECRET, "gru\u0308n & sicher"):
        assert password.attempt(right, "10.0.0.1").accepted
        password.fail("10.0.0.1", 4)
    password.fail("10.0.0.1")


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),  # the same /64
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("", "unix", True),  # neither is a valid address
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_a_network_does_not_slow_another(first: str, second: str, is_one: bool) -> None:
    password = Attacked()
    password.fail(first, 5)
    assert password.attempt(SECRET, second) == ((False, 1) if is_one else (True, 0))


def test_a_distributed_attack_is_slowed_and_locks_out_few() -> None:
    """100 failures, then one per 10 s. A private address, and one that has signed in before, are not affected."""
    password = Attacked()
    assert password.attempt(SECRET, "9.9.9.9").accepted
    attackers = (str(ipaddress.IPv4Address(0x08000000 + number)) for number in itertools.count())
    assert sum(password.attempt("no", next(attackers)).wait == 0 for _ in range(2000)) == 100
    assert 0 < password.attempt(SECRET, "8.8.8.8").wait <= 10
    assert password.attempt(SECRET, "192.168.1.5").accepted
    assert password.attempt(SECRET, "9.9.9.9").accepted
    for _ in range(360):
        password.now += 10
        assert sum(password.attempt("no", next(attackers)).wait == 0 for _ in range(5)) == 1
    password.now += 10
    assert password.attempt(SECRET, "8.8.8.8").accepted


def test_successes_do_not_give_an_address_more_guesses() -> None:
    """An attacker who shares the address of a user gets a burst of 100 guesses, like any other."""
    password = Attacked()
    attempts = [(password.attempt("no", "9.9.9.9"), password.attempt(SECRET, "9.9.9.9")) for _ in range(1000)]
    assert 100 <= sum(failed.wait == 0 for failed, _ in attempts) <= 101


def test_memory_is_bounded() -> None:
    """Neither table exceeds its limit; the newest entries are kept."""
    password = Attacked()
    for number in range(3000):
        password.now += 10
        password.attempt("no", f"8.{number // 256}.{number % 256}.1")
        password.attempt(SECRET, f"9.{number // 256}.{number % 256}.1")
        password.attempt(SECRET, "9.9.9.9")
    assert len(password._failures) == len(password._known) == module.MAX_NETWORKS
    assert "8.11.183.1" in password._failures
    assert "9.9.9.9" in password._known


@given(st.lists(st.tuples(st.sampled_from(["10.0.0.1", "8.8.8.8", "2001:db8::1", "?"]), st.booleans(), st.integers(0, 90))))
def test_no_sequence_gives_more_guesses_than_allowed(attempts: list[tuple[str, bool, int]]) -> None:
    """After the announced wait, the next attempt is compared."""
    password = Attacked()
    failures: dict[str, int] = {}
    for address, is_right, seconds in attempts:
        password.now += seconds
        attempt = password.attempt(SECRET if is_right else "no", address)
        if attempt.wait:
            assert failures[address] >= 5
            password.now += attempt.wait
            attempt = password.attempt(SECRET if is_right else "no", address)
        assert attempt == (is_right, 0)
        failures[address] = 0 if is_right else failures.get(address, 0) + 1
