"""TLS for other machines, with the broker's own certificate or a given one."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from bus import Bus
from bus.settings import BusSettings
from tests.support.guarded_broker import SECRETS, GuardedBroker, environment_of, run_script
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker

NAMES = "footfall.example,127.0.0.1,::1"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """With its own certificate."""
    with GuardedBroker(tmp_path_factory.mktemp("tls"), has_tls=True, TLS_NAMES=NAMES) as running:
        yield running


def certificate(broker: GuardedBroker) -> Path:
    return broker.secrets / "tls" / "certificate.pem"


def handshake(broker: GuardedBroker, authority: Path, name: str = "127.0.0.1") -> str:
    """The version of TLS, by Python's strictest rules, for a client that expects this name."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", broker.tls), limit(5)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return str(secure.version())


def test_its_certificate_is_valid_for_its_names_only(broker: GuardedBroker) -> None:
    for name in NAMES.split(","):
        assert handshake(broker, certificate(broker), name) in ("TLSv1.2", "TLSv1.3")
    for name in ("localhost", "other.example", "sub.footfall.example", "127.0.0.2"):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
            handshake(broker, certificate(broker), name)


def test_a_module_connects_with_certificate_and_password(broker: GuardedBroker) -> None:
    """Without the password nobody does."""
    settings = {"MODULE_NAME": "bridge", "mqtt_port": broker.tls, "mqtt_ca_file": certificate(broker)}
    settings |= {"mqtt_password_file": broker.secrets / "bridge" / "password"}
    with Bus(BusSettings.model_validate(settings)) as bus, broker.listener(None, "footfall/status/bridge") as guest:
        until(lambda: bus.connected)
        guest.wait_for("status/bridge")
    for user, password, code in (("reader", None, 0), ("reader", "guess", 5), (None, None, 5)):
        client = broker.client(user, password)
        client.tls_set_context(ssl.create_default_context(cafile=certificate(broker)))
        assert broker.answer(None, port=broker.tls, client=client) == code


def test_a_given_certificate_is_used(broker: GuardedBroker, tmp_path: Path) -> None:
    """Another authority does not vouch for the broker's own."""
    authority, given_file = trustme.CA(), tmp_path / "given.pem"
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(given_file)
    with GuardedBroker(tmp_path / "broker", has_tls=True, TLS_CERT=given_file, TLS_KEY=given_file) as given:
        assert handshake(given, tmp_path / "authority.pem")
        assert not (given.secrets / "tls").exists()
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(broker, tmp_path / "authority.pem")


def test_the_certificate_stays_until_its_names_change(tmp_path: Path) -> None:
    """Other machines trust exactly this one."""
    files = [tmp_path / "secrets" / "tls" / name for name in ("certificate.pem", "key.pem")]

    def make(code: int = 0, **settings: object) -> list[bytes]:
        assert run_script(SECRETS, environment_of(tmp_path, TLS_PORT=8883, **settings))[0] == code
        return [file.read_bytes() for file in files]

    first = make(TLS_NAMES="a.example")
    assert make(TLS_NAMES="a.example") == first
    second = make(TLS_NAMES="a.example,192.0.2.1")
    assert all(one != other for one, other in zip(first, second, strict=True))
    assert make() == second, "without TLS_NAMES, as in another shell, the last names count"
    make(2, TLS_NAMES="1.2.3")
    third = make(TLS_NAMES="a.example,192.0.2.1")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files[0], files[1])
    assert third[1] != second[1], "after a failure, certificate and key are replaced together"
