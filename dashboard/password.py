"""The password of the page: compared in constant time, with limits for failed attempts."""

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
"""Characters; longer ones are not compared."""
FREE_FAILURES = 4
"""In a row from one network, before it has to wait."""
MAX_WAIT = 60.0
MAX_NETWORKS = 1024
"""Remembered; the oldest are dropped first."""
SHARED_FAILURES = 100
"""At once from all networks together, and then one every `SHARED_INTERVAL` seconds. NIST SP 800-63B: at most 100 in a row."""
SHARED_INTERVAL = 10.0


class Attempt(NamedTuple):
    """Outcome of one sign-in. `wait` is in seconds; when it is not 0, the password was not compared."""

    accepted: bool
    wait: int = 0


class _Bucket:
    """Leaky bucket of `SHARED_FAILURES` failures, of which one leaks every `SHARED_INTERVAL` seconds."""

    def __init__(self) -> None:
        self._empty_at = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until there is room; zero or less: now."""
        return self._empty_at - now - (SHARED_FAILURES - 1) * SHARED_INTERVAL

    def add(self, now: float) -> None:
        self._empty_at = max(self._empty_at, now) + SHARED_INTERVAL


class Password:
    """Checks passwords. Not thread-safe: for the event loop only.

    From one network (an IPv4 address, an IPv6 /64), the fifth failure in a row and each later one impose a wait of 1, 2, 4 ..
    60 s until a success. Against many addresses there is a second limit, of 100 failures at once and then one per 10 s.
    Networks that have signed in before have one each; all others share one for the internet and one for private networks. So
    a distributed attack locks out neither the local network nor anybody who has signed in from there before.
    """

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._digest = self._hash(password)
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """By network: failures in a row, and the time until which it has to wait."""
        self._known: OrderedDict[str, _Bucket] = OrderedDict()
        self._shared = {True: _Bucket(), False: _Bucket()}

    def attempt(self, given: str, address: str) -> Attempt:
        """Compare, unless `address` has to wait. Never raises."""
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
        """Of the same length for all, so that the comparison does not depend on the password's."""
        return hmac.digest(self._key, _normalized(password), "sha256")


def session_key(password: str) -> str:
    """The key that signs session cookies, derived from the password. Takes about a second on a small machine.

    So nothing is stored: a restart leaves everybody signed in, and a new password signs everybody out. Who has a cookie could
    guess the password offline; scrypt makes each guess expensive (N=2^15, r=8, p=3: 32 MiB, one of the equivalent choices of
    the OWASP Password Storage Cheat Sheet). The salt is fixed, as there is no place to keep one.
    """
    secret = _normalized(password)
    return hashlib.scrypt(secret, salt=b"footfall dashboard", n=2**15, r=8, p=3, maxmem=64 * 2**20, dklen=32).hex()


def _normalized(password: str) -> bytes:
    """One form of characters that can be typed in several, as RFC 8265 requires for passwords."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _network(address: str) -> tuple[str, bool]:
    """The network of an address, and whether it is public; all invalid addresses are one."""
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
