"""Who may see the dashboard."""

import ipaddress
import itertools
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidSetting
from dashboard import access
from dashboard.access import Authority, Hosts, Pass, Password, cross_site, same_origin

SECRET = "grün & sicher"
HOSTS = Hosts(["Shop.Example", "münchen.example"], machine="counter.lan")
HEADERLIKE = st.one_of(
    st.text(),
    st.text("localhost.example127[]:@/#?%\\ -_\t\x00\u212a", max_size=40),
    st.builds(
        "{}{}".format, st.sampled_from(["localhost", "127.0.0.1", "[::1]", "shop.example", "counter"]), st.text(max_size=12)
    ),
    st.builds("{}{}".format, st.text(max_size=12), st.sampled_from([".localhost", "127.0.0.1", ":80", ".shop.example", "."])),
)


PASS = Pass(SECRET, lambda: 1_790_000_000.0)


class Clock:
    """Stands still until it is put on."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def wrong(password: Password, address: str, times: int) -> None:
    """So many, each of them looked at."""
    for _ in range(times):
        assert password.attempt("no", address) == (False, 0)


def test_the_right_password_is_right_however_it_was_typed() -> None:
    """An umlaut is one character or two."""
    password = Password(SECRET)
    assert password.attempt(SECRET, "10.0.0.1").right
    assert password.attempt("gru\u0308n & sicher", "10.0.0.1").right
    assert not any(password.attempt(other, "10.0.0.2").right for other in ("", "grun", SECRET + " ", "x" * 100_000, "\ud800"))


@pytest.mark.parametrize("password", ["", "x" * 257])
def test_a_password_that_cannot_be_one_is_refused(password: str) -> None:
    """Nobody could sign in with it, or everybody."""
    with pytest.raises(InvalidSetting, match=r"WEB_PASSWORD=\*\*\*: .* 1 to 256"):
        Password(password)


def test_waits_grow_and_are_kept() -> None:
    """From the fifth wrong one on, 1 s to 60 s, in which the right one is not looked at either; it ends them."""
    clock = Clock()
    password = Password(SECRET, clock)
    wrong(password, "10.0.0.1", 4)
    waits = []
    for _ in range(9):
        wrong(password, "10.0.0.1", 1)
        tried = password.attempt(SECRET, "10.0.0.1")
        assert not tried.right
        waits.append(tried.wait)
        clock.now += tried.wait - 0.5
        assert password.attempt(SECRET, "10.0.0.1").wait == 1
        clock.now += 0.5
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert password.attempt(SECRET, "10.0.0.1").right
    wrong(password, "10.0.0.1", 5)


def test_one_address_does_not_slow_another() -> None:
    """But a network of IPv6 is one address, as is an IPv4 address in either form, and all that is none."""
    clock = Clock()
    password = Password(SECRET, clock)
    pairs = [("2001:db8::1", "2001:db8::ffff:2"), ("192.0.2.7", "::ffff:192.0.2.7"), ("", "unix"), ("fe80::1%eth0", "fe80::2")]
    for first, second in pairs:
        wrong(password, first, 5)
        assert password.attempt(SECRET, second).wait == 1
    assert password.attempt(SECRET, "2001:db8:0:1::1").right
    assert password.attempt(SECRET, "192.0.2.8").right


def test_a_crowd_of_guessers_is_slowed_and_keeps_few_out() -> None:
    """100 wrong ones, then one in 10 s; a private address and one that was in before do not notice."""
    clock = Clock()
    password = Password(SECRET, clock)
    assert password.attempt(SECRET, "9.9.9.9").right
    crowd = (str(ipaddress.IPv4Address(0x08000000 + number)) for number in itertools.count())
    assert sum(password.attempt("no", next(crowd)).wait == 0 for _ in range(2000)) == 100
    assert 0 < password.attempt(SECRET, "8.8.8.8").wait <= 10
    assert password.attempt(SECRET, "192.168.1.5").right
    assert password.attempt(SECRET, "9.9.9.9").right
    for _ in range(360):
        clock.now += 10
        assert sum(password.attempt("no", next(crowd)).wait == 0 for _ in range(5)) == 1
    clock.now += 10
    assert password.attempt(SECRET, "8.8.8.8").right


def test_guesses_beside_one_who_knows_it_are_few() -> None:
    """The right one from the same address ends the waits, and not the second limit."""
    password = Password(SECRET, Clock())
    tries = [(password.attempt("no", "9.9.9.9"), password.attempt(SECRET, "9.9.9.9")) for _ in range(1000)]
    assert 100 <= sum(wrong.wait == 0 for wrong, _ in tries) <= 101


def test_who_is_always_right_never_waits() -> None:
    """However often, and while others guess."""
    password = Password(SECRET, Clock())
    for number in range(3000):
        assert password.attempt(SECRET, "9.9.9.9").right
        password.attempt("no", f"8.8.{number % 256}.1")


def test_addresses_are_forgotten_in_time() -> None:
    """Neither table outgrows its limit; the one that was there last stays."""
    clock = Clock()
    password = Password(SECRET, clock)
    for number in range(3000):
        clock.now += 10
        password.attempt("no", f"8.{number // 256}.{number % 256}.1")
        password.attempt(SECRET, f"9.{number // 256}.{number % 256}.1")
        password.attempt(SECRET, "9.9.9.9")
    assert len(password._streaks) == len(password._known) == access.MOST_ADDRESSES
    assert "8.11.183.1" in password._streaks
    assert "9.9.9.9" in password._known


@given(st.lists(st.tuples(st.sampled_from(["10.0.0.1", "8.8.8.8", "2001:db8::1", "?"]), st.booleans(), st.integers(0, 90))))
def test_no_row_of_tries_gives_more_guesses_than_allowed(tries: list[tuple[str, bool, int]]) -> None:
    """And a wait that was told is long enough, when nobody else tries."""
    clock = Clock()
    password = Password(SECRET, clock)
    rows: dict[str, int] = {}
    for address, right, seconds in tries:
        clock.now += seconds
        tried = password.attempt(SECRET if right else "no", address)
        if tried.wait:
            assert rows[address] >= 5
            clock.now += tried.wait
            tried = password.attempt(SECRET if right else "no", address)
        assert tried == (right, 0)
        rows[address] = 0 if right else rows.get(address, 0) + 1


def test_a_pass_outlasts_a_restart_and_no_new_password() -> None:
    """For 30 days, and not before it was issued."""
    clock = Clock()
    issued = Pass(SECRET, clock).issue()
    assert Pass("another", clock).age(issued) is None
    again = Pass(SECRET, clock)
    assert again.age(issued) == 0
    clock.now += 30 * 86400
    assert again.age(issued) == 30 * 86400
    clock.now += 1
    assert again.age(issued) is None
    clock.now -= 30 * 86400 + 60
    assert again.age(issued) is None


@given(st.text(), st.text("abcXYZ019-_.", min_size=1), st.data())
def test_what_is_not_ours_is_no_pass(token: str, more: str, data: st.DataObject) -> None:
    """Whether made up, longer than ours, or with a character missing."""
    ours = PASS.issue()
    missing = data.draw(st.integers(0, len(ours) - 1))
    for one in (token, ours + more, more + ours, ours[:missing] + ours[missing + 1 :], ours * 100):
        assert PASS.age(one) is None
    assert PASS.age(ours) == 0


def test_our_names_are_known() -> None:
    """Addresses, the machine's names and those given, in any case, with any port, with and without a dot at the end."""
    addresses = "127.0.0.1:9001 10.1.2.3 [::1]:9001 [FE80::1]"
    names = "localhost LocalHost:9001 counter counter.local:80 counter.lan COUNTER.LAN. shop.example SHOP.example.:65535"
    for host in f"{addresses} {names} xn--mnchen-3ya.example".split():
        assert HOSTS.known(host), host


def test_other_names_are_not_known() -> None:
    """Nor what is no name at all, nor an address in a form that no browser sends."""
    names = "evil.example localhost.evil.example shop.example.evil a.shop.example 127.0.0.1.nip.io localhost@evil.example"
    addresses = "127.1 0x7f.0.0.1 2130706433 127.0.0.01 ::1 [::1 [::1%25lo] [localhost] [::1]."
    broken = ". :80 localhost: localhost:65536 localhost:8a localhost.. shop.example/x"
    for host in ["", "local host", "localhost, evil.example", *f"{names} {addresses} {broken}".split()]:
        assert not HOSTS.known(host), host


def test_the_machines_own_name_is_known() -> None:
    """Whatever it is called; one that is no name adds none."""
    assert Hosts([], machine="Pi").known("pi.local")
    assert not Hosts([], machine="kiosk").known("\u212aiosk")
    assert not Hosts([], machine="no name").known("no")
    assert Hosts([]).known("localhost")


@pytest.mark.parametrize("name", ["", "https://shop.example", "shop example", "a..b", "x" * 300, "*.example"])
def test_a_given_name_that_is_none_is_refused(name: str) -> None:
    """It could never match."""
    with pytest.raises(InvalidSetting, match=r"WEB_NAMES=.*no host name"):
        Hosts([name])


@given(HEADERLIKE)
def test_no_foreign_host_is_known(host: str) -> None:
    """As another parser reads it, what is taken is one of ours or an address."""
    if HOSTS.known(host):
        name = (urlsplit(f"http://{host}").hostname or "").removesuffix(".")
        ours = {"localhost", "counter", "counter.local", "counter.lan", "shop.example", "xn--mnchen-3ya.example"}
        assert name in ours or ipaddress.ip_address(name)


@given(HEADERLIKE, HEADERLIKE)
def test_no_foreign_origin_is_ours(origin: str, host: str) -> None:
    """As another parser reads it, the host is the same; and a page of ours is always taken."""
    for one in (origin, f"http://{origin}"):
        if same_origin(one, host):
            theirs, ours = (urlsplit(url).hostname or "" for url in (one, f"//{host}"))
            assert theirs.removesuffix(".") == ours.removesuffix(".") or ipaddress.ip_address(theirs) == ipaddress.ip_address(
                ours
            )
    assert same_origin(f"https://{host}", host) == (Authority.parse(host) is not None)


def test_origins() -> None:
    """Host and port count, the scheme does not, and what is no origin is not ours."""
    same = "http://pi:9001=pi:9001 https://a.example=a.example:443 HTTPS://A.Example=a.example:80 http://[::1]:1=[0::1]:1"
    other = "null=pi =pi pi=pi http://pi:1=pi:2 http://pi:1=pi http://evil.example=pi http://pi/=pi file://pi=pi http://u@pi=pi"
    assert all(same_origin(*pair.split("=")) for pair in same.split())
    assert not any(same_origin(*pair.split("=")) for pair in other.split())
    assert not same_origin("http://pi http://evil.example", "pi")
    assert not same_origin("http://", "")


def test_pages_of_other_sites_open_ours_and_no_more() -> None:
    """By what browsers tell of a request."""
    ours = [("POST", None, None, None), ("GET", "same-origin", "cors", "empty"), ("POST", "same-origin", "navigate", "document")]
    opening = [("GET", "none", "navigate", "document"), ("GET", "cross-site", "navigate", "document")]
    embedding = [("GET", "same-site", "navigate", "iframe"), ("GET", "cross-site", "no-cors", "image")]
    changing = [("POST", "cross-site", "navigate", "document"), ("GET", "same-origin, cross-site", "cors", "empty")]
    assert not any(cross_site(*request) for request in ours + opening)
    assert all(cross_site(*request) for request in embedding + changing)
