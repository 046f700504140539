"""Password check: constant-time comparison, and limits on failed attempts."""

import hashlib
import hmac
import ipaddress
import math
import secrets
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

T = TypeVar("T")

MAX_PASSWORD = 256
"""Characters; longer passwords are refused without a comparison."""
FREE_FAILURES = 4
"""Consecutive failures of one network before it has to wait."""
MAX_WAIT = 60.0
MAX_NETWORKS = 1024
"""Networks to remember; the oldest are dropped first."""
SHARED_FAILURES = 100
"""Burst of failures from all networks together; then one per `SHARED_INTERVAL` seconds. NIST SP 800-63B allows 100."""
SHARED_INTERVAL = 10.0


class Attempt(NamedTuple):
    """The outcome of a sign-in. If `wait` (seconds) is not 0, the password was not compared."""

    accepted: bool
    wait: int = 0


class _Bucket:
    """A leaky bucket: holds `SHARED_FAILURES` failures, and leaks one per `SHARED_INTERVAL` seconds."""

    def __init__(self) -> None:
        self._empty_at = -math.inf

    def wait(self, now: float) -> float:
        """Returns the seconds until it has room; zero or less if it has."""
        return self._empty_at - now - (SHARED_FAILURES - 1) * SHARED_INTERVAL

    def add(self, now: float) -> None:
        self._empty_at = max(self._empty_at, now) + SHARED_INTERVAL


class Password:
    """Checks passwords and limits failed attempts. Not thread-safe.

    The fifth consecutive failure of a network (an IPv4 address or an IPv6 /64) and each later one impose a wait of 1, 2, 4 ..
    60 s; a success resets it. A second limit slows distributed attacks: a burst of 100 failures, then one per 10 s. Each
    network that has signed in before has its own bucket; all other public networks share one, and so do private networks. A
    distributed attack therefore locks out neither the local network nor anyone who has signed in from the same network before.
    """

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._digest = self._hash(password)
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """Consecutive failures of each network, and the time until which it has to wait."""
        self._known: OrderedDict[str, _Bucket] = OrderedDict()
        self._shared = {True: _Bucket(), False: _Bucket()}

    def attempt(self, given: str, address: str) -> Attempt:
        """Compares the password, unless `address` has to wait. Never raises."""
        now = self._clock()
        network, is_public = _network(address)
        failures, wait_until = self._failures.get(network, (0, -math.inf))
        bucket = self._known.get(network, self._shared[is_public])
        wait = max(wait_until - now, bucket.wait(now))
        if wait > 0:
            return Attempt(False, math.ceil(wait))
        if len(given) <= MAX_PASSWORD and hmac.compare_digest(self._hash(given), self._digest):
            self._failures.pop(network, None)
            _remember(self._known, network, self._known.get(network) or _Bucket())
            return Attempt(True)
        bucket.add(now)
        excess = failures - FREE_FAILURES
        pause = min(2.0 ** min(excess, 16), MAX_WAIT) if excess >= 0 else 0.0
        _remember(self._failures, network, (failures + 1, now + pause))
        return Attempt(False)

    def _hash(self, password: str) -> bytes:
        """Returns a digest of fixed length, so the time of a comparison does not reveal the length of the password."""
        return hmac.digest(self._key, _normalized(password), "sha256")


def session_key(password: str) -> str:
    """Derives the key that signs session cookies from the password. Takes about a second on a small machine.

    Sessions need no storage: they survive a restart, and a new password ends them. Anyone with a cookie could guess the
    password offline; scrypt makes each guess expensive (N=2^15, r=8, p=3: 32 MiB, one of the equivalent parameter sets in
    the OWASP Password Storage Cheat Sheet). The salt is fixed because there is no storage for one.
    """
    secret = _normalized(password)
    return hashlib.scrypt(secret, salt=b"footfall dashboard", n=2**15, r=8, p=3, maxmem=64 * 2**20, dklen=32).hex()


def _normalized(password: str) -> bytes:
    """Encodes a password in Unicode normal form C, as RFC 8265 requires."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _network(address: str) -> tuple[str, bool]:
    """Returns the network of an address, and whether it is public. Invalid addresses count as one public network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "", True
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed) >> 64 << 64)
    return str(parsed), parsed.is_global


def _remember(table: "OrderedDict[str, T]", key: str, value: T) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > MAX_NETWORKS:
        table.popitem(last=False)
