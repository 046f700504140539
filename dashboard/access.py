"""Who may see the dashboard, apart from HTTP: the password, the pass for having known it, the names and origins that are ours."""

import hashlib
import hmac
import ipaddress
import math
import os
import re
import secrets
import socket
import time
import unicodedata
from collections.abc import Callable, Collection
from typing import NamedTuple, TypeVar

from itsdangerous import BadSignature, TimestampSigner

from bus import InvalidSetting

T = TypeVar("T")

LONGEST_PASSWORD = 256
"""Characters; a form with one as long, each character percent-encoded, is still under 4 kB."""
FREE_TRIES = 5
LONGEST_WAIT = 60.0
MOST_ADDRESSES = 1024
TRIES_AT_ONCE = 100
"""As NIST SP 800-63B has it: no more than 100 wrong ones in a row."""
SECONDS_A_TRY = 10.0
PASS_SECONDS = 30 * 86400
RENEW_SECONDS = 86400
LONGEST_TOKEN = 256


class Tried(NamedTuple):
    """What came of a password. `wait` in seconds, when it was not looked at."""

    right: bool
    wait: int = 0


class _Streak(NamedTuple):
    """Wrong ones in a row, and the time until which no more are looked at."""

    wrong: int = 0
    until: float = -math.inf


class _Allowance:
    """So many wrong ones at once, and one more every few seconds."""

    def __init__(self) -> None:
        self._full_at = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until there is one; zero or less: now."""
        return self._full_at - now - (TRIES_AT_ONCE - 1) * SECONDS_A_TRY

    def take(self, now: float) -> None:
        self._full_at = max(self._full_at, now) + SECONDS_A_TRY


class Password:
    """The password, compared in constant time, with waits after wrong ones. For one thread, such as an event loop's.

    From an address (of IPv6 a /64, which is one network), the fifth wrong one in a row and each that follows makes it wait
    1, 2, 4 .. 60 s; the right one ends that. Whoever has many addresses meets a second limit: 100 wrong ones at once, then one in
    10 s. It is shared by all addresses that the right one has not come from yet, once by those of the internet and once by those
    of private networks; an address that it has come from has its own. So a crowd of guessers far away keeps nobody out of the
    house, nobody who was in before from the same address, and nobody with a `Pass`; newcomers from afar get in 10 s after it has
    stopped. The right one does not refill the second limit, so that guesses from the address of one who knows it are as few.
    """

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `InvalidSetting` where no password, or too long a one, is given."""
        if not 0 < len(password) <= LONGEST_PASSWORD:
            raise InvalidSetting(f"WEB_PASSWORD=***: has {len(password)} characters; 1 to {LONGEST_PASSWORD} are allowed")
        self._key = secrets.token_bytes(32)
        self._digest = self._hashed(password)
        self._clock = clock
        self._streaks: dict[str, _Streak] = {}
        self._known: dict[str, _Allowance] = {}
        self._shared = {True: _Allowance(), False: _Allowance()}

    def attempt(self, given: str, address: str) -> Tried:
        """Compares, unless `address` has to wait: then not even the right one is looked at. Never raises."""
        now = self._clock()
        network, is_far = _network(address)
        streak = self._streaks.get(network, _Streak())
        allowance = self._known.get(network, self._shared[is_far])
        wait = max(streak.until - now, allowance.wait(now))
        if wait > 0:
            return Tried(False, math.ceil(wait))
        if len(given) <= LONGEST_PASSWORD and hmac.compare_digest(self._hashed(given), self._digest):
            self._streaks.pop(network, None)
            _put(self._known, network, self._known.get(network) or _Allowance())
            return Tried(True)
        allowance.take(now)
        wrong = streak.wrong + 1
        pause = min(2.0 ** min(wrong - FREE_TRIES, 16), LONGEST_WAIT) if wrong >= FREE_TRIES else -math.inf
        _put(self._streaks, network, _Streak(wrong, now + pause))
        return Tried(False)

    def _hashed(self, password: str) -> bytes:
        """Of equal length for all, so that comparing tells nothing of the password's."""
        return hmac.digest(self._key, _encoded(password), "sha256")


class Pass:
    """Signed tokens that say: who holds this has known the password.

    The key is made from the password, so that nothing is stored: a restart leaves everybody signed in, and a new password signs
    everybody out. That is also the only way to end a token before its 30 days: signing out forgets it in one browser, and a copy
    is still good. Who has a token could guess the password with it at home; scrypt makes each guess dear (N=2^15, r=8, p=3:
    32 MiB, one of the equal choices of OWASP's Password Storage Cheat Sheet). The salt is fixed, as there is nowhere to keep one.
    """

    def __init__(self, password: str, clock: Callable[[], float] = time.time) -> None:
        """Takes about a second on a small machine. `clock` gives Unix time."""
        secret = _encoded(password)
        key = hashlib.scrypt(secret, salt=b"footfall dashboard", n=2**15, r=8, p=3, maxmem=64 * 2**20, dklen=32)
        self._signer = _Signer(key, clock)
        self._clock = clock

    def issue(self) -> str:
        """A new token: letters, digits and ``-_.`` only."""
        return self._signer.sign("in").decode("ascii")

    def age(self, token: str) -> float | None:
        """Seconds since it was issued; None when it is none of ours, too old, or from the future. Never raises."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        try:
            _, issued = self._signer.unsign(token, PASS_SECONDS, return_timestamp=True)
        except BadSignature:
            return None
        return self._clock() - issued.timestamp()


class _Signer(TimestampSigner):
    """With SHA-256, and the clock that it is given."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        super().__init__(key, salt="footfall.pass", key_derivation="hmac", digest_method=hashlib.sha256)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


class Authority(NamedTuple):
    """Host and port as a URL has them; 80 and 443 are None, as what stands before the server may speak another scheme than it."""

    host: str | ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Authority | None":
        """None for what no browser sends. Never raises."""
        match = _AUTHORITY.fullmatch(text)
        port = int(match[2] or 0) if match else 0
        if match is None or port > 65535:
            return None
        host = match[1].lower().removesuffix(".")
        try:
            address = ipaddress.IPv6Address(host[1:-1]) if host[0:1] == "[" else ipaddress.IPv4Address(host)
        except ValueError:
            return cls(host, _usual(port)) if _NAME.fullmatch(host) else None
        return cls(address, _usual(port))


_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_.-]{1,254})(?::([0-9]{1,5}))?")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_ORIGIN = re.compile(r"https?://(.*)", re.IGNORECASE | re.ASCII)


class Hosts:
    """The names that the dashboard answers to, whatever the port.

    Any page can have its own name point to this machine, and would then be of one origin with the dashboard (DNS rebinding). An
    address as such cannot be pointed elsewhere.
    """

    def __init__(self, names: Collection[str], machine: str | None = None) -> None:
        """`names` besides ``localhost`` and those of the machine; raises `InvalidSetting` for one that is none."""
        self._names = {"localhost", *map(_given_name, names)}
        # In a container the machine's name is the container's; there IoT Edge tells the device's own.
        machines = [socket.gethostname(), os.environ.get("IOTEDGE_GATEWAYHOSTNAME", "")] if machine is None else [machine]
        for own in map(Authority.parse, machines):
            if own is not None and isinstance(own.host, str):
                first = own.host.partition(".")[0]
                self._names |= {own.host, first, f"{first}.local"}

    def known(self, host: str) -> bool:
        """Whether a Host header is one of ours, or an address. Never raises."""
        authority = Authority.parse(host)
        return authority is not None and (not isinstance(authority.host, str) or authority.host in self._names)


def same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header names the host and port of the Host header; the scheme may differ. "null" never does."""
    match = _ORIGIN.fullmatch(origin)
    ours = Authority.parse(host)
    return match is not None and ours is not None and Authority.parse(match[1]) == ours


def cross_site(method: str, site: str | None, mode: str | None, destination: str | None) -> bool:
    """Whether ``Sec-Fetch-`` headers (None: not there) tell of another site's page that does more than open ours.

    Browsers send them over TLS and to loopback only; elsewhere it takes the cookie's SameSite and what else `guard` sends.
    """
    opens = method == "GET" and mode == "navigate" and destination == "document"
    return site not in (None, "same-origin", "none") and not opens


def _given_name(name: str) -> str:
    try:
        authority = Authority.parse(name.encode("idna").decode("ascii"))
    except UnicodeError:
        authority = None
    if authority is None:
        raise InvalidSetting(f"WEB_NAMES={name!r}: no host name; such as footfall.example, with commas between, is allowed")
    return str(authority.host)


def _network(address: str) -> tuple[str, bool]:
    """What counts as one address, and whether it is of the internet; all that are none count as one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "", True
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed) >> 64 << 64)
    return str(parsed), parsed.is_global


def _put(table: dict[str, T], key: str, value: T) -> None:
    """As the newest; of too many, the oldest goes."""
    table.pop(key, None)
    table[key] = value
    if len(table) > MOST_ADDRESSES:
        del table[next(iter(table))]


def _encoded(password: str) -> bytes:
    """One form of what can be typed in several, as RFC 8265 has it for passwords."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _usual(port: int) -> int | None:
    return None if port in (0, 80, 443) else port
