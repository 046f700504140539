"""The sink `webhook`, against a real HTTP server that fails in every way."""

import random
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, cast

import pytest
import trustme

from bridge import results
from bridge.outbox import Outbox
from bridge.results import Result
from bridge.sender import Sender
from bridge.settings import Settings
from bridge.sinks import Context, NotSent, open_sink
from bridge.sinks.webhook import ENDPOINT_PATIENCE, Webhook, check, idempotency_key
from bridge.sinks.webhook.poster import MAX_RETRY_AFTER, Poster
from bridge.sinks.webhook.signing import parse_secret, signature
from bus import Alert, InvalidSetting, metric_names
from runtime.backoff import Backoff
from runtime.metrics import Metrics
from runtime.settings import load
from tests.bridge.support import visits
from tests.support import samples
from tests.support.broker import free_port
from tests.support.wait import limit, until
from tests.support.web import QuietHandler, serve

pytestmark = pytest.mark.system

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The secret of the published example of Standard Webhooks."""
DEADLINE = 0.5
"""Seconds for a request in these tests."""
REST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[["Handler"], None]


class Handler(QuietHandler, BaseHTTPRequestHandler):
    """Checks the signature, remembers keys and bodies, and answers as `answer` says."""

    protocol_version = "HTTP/1.1"
    answer: Answer
    received: list[tuple[str, str]]
    """Key and body of each request whose signature is right."""
    times: list[float]

    def do_POST(self) -> None:  # the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key, timestamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        assert self.headers["webhook-signature"] == signature(parse_secret(SECRET), key, timestamp, body)
        assert abs(int(timestamp) - time.time()) < limit(60)
        assert self.headers["Idempotency-Key"] == key
        self.received.append((key, body.decode()))
        self.times.append(time.monotonic())
        type(self).answer(self)


def status(code: int, **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return answer


def raw(*parts: bytes, pause: float = 0.0) -> Answer:
    """Returns an answer of these bytes, which closes the connection."""

    def answer(handler: Handler) -> None:
        for part in parts:
            handler.connection.sendall(part)
            time.sleep(pause)
        handler.close_connection = True

    return answer


OK = status(204)
FAILURES: dict[str, Answer] = {
    "500": status(500),
    "503 with Retry-After": status(503, Retry_After="0"),
    "408": status(408),
    "425": status(425),
    "429": status(429, Retry_After="0"),
    "a redirect": status(307, Location="http://127.0.0.1:1/"),
    "a wrong secret": status(401),
    "a wrong path": status(404),
    "no response": raw(),
    "half a status line": raw(b"HTTP/1.1 2"),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "a status that is none": raw(b"HTTP/1.1 999999 Fine\r\n\r\n"),
    "only an interim response": raw(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless headers": raw(b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 200),
    "byte by byte": raw(*[bytes([one]) for one in REST], pause=0.1),
    "silence": raw(b"", pause=2 * DEADLINE),
}
SUCCESSES: dict[str, Answer] = {
    "200 with a body": raw(REST),
    "202": status(202),
    "204": OK,
    "headers that are cut": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "an endless body": raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 4096] * 50),
    "a body that is cut": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nok"),
    "chunks": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    "an interim response before": raw(b"HTTP/1.1 100 Continue\r\n\r\n", REST),
}


class Receiver:
    """A running server and a webhook to it."""

    def __init__(self, url: str, handler: type[Handler], folder: Path, ca_file: Path | None = None) -> None:
        self.handler, self.metrics, self.now = handler, Metrics(), 0.0
        self.secret = folder / "secret"
        self.secret.write_text(SECRET + "\n")
        self.webhook = Webhook(Poster(url, ca_file, DEADLINE), self.secret, self.metrics, lambda: self.now)

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.handler.received]

    @property
    def refused(self) -> float:
        return self.metrics.snapshot().get(metric_names.SINK_REFUSED, 0)


@contextmanager
def receiving(folder: Path, answer: Answer, tls: ssl.SSLContext | None = None, ca_file: Path | None = None) -> Iterator[Receiver]:
    handler = type("OneHandler", (Handler,), {"answer": staticmethod(answer), "received": [], "times": []})
    with serve(handler, tls) as server:
        url = f"{'https' if tls else 'http'}://localhost:{server.server_port}/hook?token=hidden"
        receiver = Receiver(url, handler, folder, ca_file)
        yield receiver
        receiver.webhook.close()


def some_results() -> list[Result]:
    """Returns visits and alerts."""
    alert = next(one for one in samples.one_of_each() if isinstance(one, Alert))
    return [*visits(*range(40)), results.from_alert(replace(alert, id="alert-1"))]


def test_none_is_lost_and_each_key_is_processed_once(tmp_path: Path) -> None:
    """The server fails in every way, also after it has processed a request. Results stay in order."""
    rng, ways = random.Random(20), list(FAILURES.values())
    rng.shuffle(ways)

    def answer(handler: Handler) -> None:
        next_one = ways.pop() if ways and rng.random() < 0.6 else rng.choice(list(SUCCESSES.values()))
        next_one(handler)

    expected = some_results()
    with receiving(tmp_path, answer) as receiver, closing(Outbox(tmp_path, ["webhook"], 1000, receiver.metrics)) as outbox:
        outbox.add(expected)
        with Sender("webhook", receiver.webhook, outbox, receiver.metrics, Backoff(0.01, 0.02)):
            until(lambda: outbox.size == 0, 60)
        assert not ways, "all failures happened"
        assert list(dict.fromkeys(receiver.keys)) == [idempotency_key(one) for one in expected]
        bodies = dict(receiver.handler.received)
        assert [bodies[idempotency_key(one)] for one in expected] == [one.body for one in expected]
        assert (receiver.refused, receiver.metrics.snapshot()[metric_names.SINK_SENT]) == (0, len(expected))


@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_is_tried_again(tmp_path: Path, how: str) -> None:
    """The reason names neither the address nor its token."""
    with receiving(tmp_path, FAILURES[how]) as receiver:
        began_at = time.monotonic()
        with pytest.raises(NotSent) as caught:
            receiver.webhook.send(visits(1)[0])
        assert time.monotonic() - began_at < limit(DEADLINE + 1)
        assert not {word for word in ("localhost", "hidden", "hook") if word in str(caught.value)}
        receiver.handler.answer = staticmethod(OK)
        receiver.webhook.send(visits(1)[0])
        assert receiver.keys[0] == receiver.keys[-1]
        assert receiver.refused == 0


@pytest.mark.parametrize("how", SUCCESSES)
def test_a_success_is_delivered(tmp_path: Path, how: str) -> None:
    """Whatever happens to the body of the response, which is not used."""
    with receiving(tmp_path, SUCCESSES[how]) as receiver:
        for one in visits(1, 2):
            receiver.webhook.send(one)
        assert (receiver.keys, receiver.refused) == ([idempotency_key(one) for one in visits(1, 2)], 0)


@pytest.mark.parametrize("code", [400, 406, 409, 413, 415, 418, 422, 431, 499])
def test_a_refused_result_is_dropped(tmp_path: Path, code: int, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted and logged; the next one follows."""
    with receiving(tmp_path, status(code)) as receiver:
        receiver.webhook.send(visits(1)[0])
        assert (receiver.refused, f"refused visit id-1 with {code}" in caplog.text) == (1, True)
        receiver.webhook.send(visits(2)[0])
        assert len(receiver.keys) == 2


@pytest.mark.parametrize("code", [301, 308, 401, 403, 404, 410])
def test_a_wrong_address_may_be_corrected_for_a_day(tmp_path: Path, code: int) -> None:
    """Then results are dropped one by one. A single success begins the day again."""
    with receiving(tmp_path, status(code, Location="https://example.com/")) as receiver:
        for receiver.now in (0.0, ENDPOINT_PATIENCE - 1):
            with pytest.raises(NotSent, match=f"responded with {code}"):
                receiver.webhook.send(visits(1)[0])
        receiver.now = ENDPOINT_PATIENCE
        receiver.webhook.send(visits(1)[0])
        assert receiver.refused == 1
        receiver.handler.answer = staticmethod(OK)
        receiver.webhook.send(visits(2)[0])
        receiver.handler.answer = staticmethod(status(code))
        with pytest.raises(NotSent):
            receiver.webhook.send(visits(3)[0])


RETRY_AFTER = {
    "2": 2.0,
    "0": 0.0,
    "": 0.0,
    "-5": 0.0,
    "soon": 0.0,
    "1e9": 0.0,
    "9" * 400: MAX_RETRY_AFTER,
    formatdate(2_000_000_090, usegmt=True): 90.0,
    formatdate(1_900_000_000, usegmt=True): 0.0,
    "Fri, 99 Foo 2026 10:00:00 GMT": 0.0,
}


@pytest.mark.parametrize("text", RETRY_AFTER)
def test_retry_after_is_honoured(tmp_path: Path, text: str) -> None:
    """A date is by the receiver's clock, which may differ from this machine's."""
    answer = raw(
        f"HTTP/1.1 429 Wait\r\nRetry-After: {text}\r\nDate: {formatdate(2_000_000_000, usegmt=True)}\r\n"
        "Content-Length: 0\r\n\r\n".encode()
    )
    with receiving(tmp_path, answer) as receiver:
        with pytest.raises(NotSent) as caught:
            receiver.webhook.send(visits(1)[0])
        assert caught.value.retry_after == RETRY_AFTER[text]


def test_the_sender_waits_as_long_as_the_receiver_wants(tmp_path: Path) -> None:
    answers = [status(503, Retry_After="1"), OK]

    def answer(handler: Handler) -> None:
        answers.pop(0)(handler)

    with receiving(tmp_path, answer) as receiver:
        with closing(Outbox(tmp_path, ["webhook"], 10, receiver.metrics)) as outbox:
            outbox.add(visits(1))
            with Sender("webhook", receiver.webhook, outbox, receiver.metrics, Backoff(0.01, 0.01)):
                until(lambda: outbox.size == 0)
        first, second = receiver.handler.times
        assert second - first >= 1


def test_a_connection_is_kept(tmp_path: Path) -> None:
    """One that the server has closed meanwhile is replaced at once, as the tests of successes show."""
    ports = list[int]()

    def answer(handler: Handler) -> None:
        ports.append(handler.client_address[1])
        OK(handler)

    with receiving(tmp_path, answer) as receiver:
        for one in visits(*range(20)):
            receiver.webhook.send(one)
        assert len(set(ports)) == 1


def test_tls_is_checked(tmp_path: Path) -> None:
    """Results go to a receiver with a certificate of the authority only, also during a handshake without an end."""
    authority, other = trustme.CA(), trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    for name, ca in (("ca.pem", authority), ("other.pem", other)):
        ca.cert_pem.write_to_path(str(tmp_path / name))
    with receiving(tmp_path, OK, tls, tmp_path / "ca.pem") as receiver:
        for one in visits(1, 2):
            receiver.webhook.send(one)
        assert len(receiver.keys) == 2
    for ca_file in (tmp_path / "other.pem", None):
        with receiving(tmp_path, OK, tls, ca_file) as receiver, pytest.raises(NotSent, match="TLS with the receiver failed"):
            receiver.webhook.send(visits(1)[0])
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        poster = Poster(f"https://127.0.0.1:{silent.getsockname()[1]}/", tmp_path / "ca.pem", DEADLINE)
        with pytest.raises(NotSent):
            Webhook(poster, receiver.secret, Metrics()).send(visits(1)[0])
    with pytest.raises(NotSent, match="no connection to the receiver"):
        Webhook(Poster(f"http://127.0.0.1:{free_port()}/"), receiver.secret, Metrics()).send(visits(1)[0])


def test_the_secret_can_be_replaced_while_the_bridge_runs(tmp_path: Path) -> None:
    """While its file is missing or wrong, results wait."""
    with receiving(tmp_path, OK) as receiver:
        for text, reason in (("", "at least 24 bytes"), ("whsec_?", "Base64")):
            receiver.secret.write_text(text)
            with pytest.raises(NotSent, match=f"WEBHOOK_SECRET_FILE: .*{reason}"):
                receiver.webhook.send(visits(1)[0])
        receiver.secret.unlink()
        with pytest.raises(NotSent, match="WEBHOOK_SECRET_FILE: No such file"):
            receiver.webhook.send(visits(1)[0])
        receiver.secret.write_text(SECRET)
        receiver.webhook.send(visits(1)[0])
        assert len(receiver.keys) == 1


def test_the_signature_equals_the_published_example() -> None:
    """Of Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks, tests of its libraries."""
    example = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    assert signature(parse_secret(SECRET), *example) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_corrected_visit_has_a_key_of_its_own() -> None:
    """A repeat has the same key. An alert's key is its id."""
    one, corrected, alert = (*visits(1, 2), some_results()[-1])
    assert idempotency_key(one) == idempotency_key(visits(1)[0]) != idempotency_key(corrected)
    assert idempotency_key(one).startswith(f"{one.id}-")
    assert idempotency_key(alert) == alert.id


URLS: dict[str, bool] = {
    "https://example.com/hook?token=hidden": True,
    "https://[2001:db8::1]:8443/": True,
    "http://127.0.0.1:8000/hidden": True,
    "http://[::1]/hidden": True,
    "http://192.168.1.7/hidden": True,
    "http://10.0.0.1/hidden": True,
    "http://[fd00::1]/hidden": True,
    "http://localhost/hidden": True,
    "http://node-red:1880/hidden": True,
    "http://homeassistant.local:8123/api/webhook/hidden": True,
    "http://example.com/hidden": False,
    "http://8.8.8.8/hidden": False,
    "http://134744072/hidden": False,
    "http://0x08080808/hidden": False,
    "http://0.0.0.0/hidden": False,
    "http://[::]/hidden": False,
    "http://evil.local.example.com/hidden": False,
    "ftp://127.0.0.1/hidden": False,
    "https://user:hidden@example.com/": False,
    "https:///hidden": False,
    "https://example.com:0/hidden": False,
    "https://example.com:99999/hidden": False,
    "https://exam ple.com/hidden": False,
    "https://example.com/hidden\r\nX: y": False,
    "https://bücher.example/hidden": False,
    "hidden": False,
}


@pytest.mark.parametrize("url", URLS)
def test_addresses_that_are_allowed(url: str) -> None:
    """https, or http in the local network. The reason does not have the token."""
    if URLS[url]:
        assert load(Settings, webhook_url=url).webhook_url is not None
        return
    with pytest.raises(InvalidSetting, match=r"^WEBHOOK_URL=.*must") as caught:
        load(Settings, webhook_url=url)
    assert url == "hidden" or "hidden" not in str(caught.value)


def test_settings_that_are_missing_or_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bridge does not start without an address and a secret, and tells what is wrong with them."""
    secret, nothing = tmp_path / "secret", cast(Any, None)
    context = Context(load(Settings), nothing, nothing, nothing)
    secret.write_text("short")
    with pytest.raises(InvalidSetting, match="WEBHOOK_URL and WEBHOOK_SECRET_FILE must be set"):
        check()
    with pytest.raises(InvalidSetting, match="must be set"):
        open_sink("webhook", context)
    with pytest.raises(InvalidSetting, match=r"WEBHOOK_SECRET_FILE=.*at least 24 bytes"):
        load(Settings, webhook_secret_file=str(secret))
    with pytest.raises(InvalidSetting, match=r"WEBHOOK_CA_FILE=.*PEM"):
        load(Settings, webhook_ca_file=str(secret))
    monkeypatch.setenv("WEBHOOK_URL", "https://example.com/")
    with pytest.raises(InvalidSetting, match="'webhook': WEBHOOK_SECRET_FILE must be set"):
        check()
