"""TLS: for who is on another machine, by a certificate of the broker's own or one that is given."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from bus import Bus
from bus.settings import BusSettings
from tests.support.broker import ROOT
from tests.support.guarded_broker import GuardedBroker, environment_of, run_script
from tests.support.wait import limit, until

NAMES = "footfall.example,127.0.0.1,::1"
FILES = ("certificate.pem", "key.pem")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """With a certificate of its own."""
    with GuardedBroker(tmp_path_factory.mktemp("tls"), has_tls=True, TLS_NAMES=NAMES) as running:
        yield running


def certificate_of(broker: GuardedBroker) -> Path:
    """What is handed to other machines."""
    return broker.secrets / "tls" / "certificate.pem"


def handshake(broker: GuardedBroker, authority: Path, name: str) -> str:
    """By Python's rules at their strictest, with one who expects this name; the version of TLS."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", broker.tls), limit(5)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return str(secure.version())


@pytest.mark.parametrize("name", NAMES.split(","))
def test_its_own_certificate_is_good_for_its_names_and_addresses(broker: GuardedBroker, name: str) -> None:
    """Who is given the certificate trusts the broker by it."""
    assert handshake(broker, certificate_of(broker), name) in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("name", ["localhost", "other.example", "sub.footfall.example", "127.0.0.2"])
def test_its_own_certificate_is_good_for_no_other_name(broker: GuardedBroker, name: str) -> None:
    """It is not even what the defaults would have."""
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        handshake(broker, certificate_of(broker), name)


def test_who_does_not_know_the_certificate_does_not_trust_it(broker: GuardedBroker, tmp_path: Path) -> None:
    """Nor who trusts another authority."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(broker, tmp_path / "other.pem", "127.0.0.1")


def test_a_module_connects_with_certificate_and_password(broker: GuardedBroker) -> None:
    """MQTT_CA_FILE is all that it needs besides."""
    settings = {
        "MODULE_NAME": "bridge",
        "mqtt_port": broker.tls,
        "mqtt_ca_file": certificate_of(broker),
        "mqtt_password_file": broker.secrets / "bridge" / "password",
    }
    with Bus(BusSettings.model_validate(settings)) as bus, broker.listener(None, "footfall/status/bridge") as guest:
        until(lambda: bus.connected)
        guest.wait_for("status/bridge")


@pytest.mark.parametrize(("user", "password", "code"), [("reader", None, 0), ("reader", "guess", 5), (None, None, 5)])
def test_tls_is_no_way_around_a_password(broker: GuardedBroker, user: str | None, password: str | None, code: int) -> None:
    """Guests have their own port or none."""
    client = broker.client(user, password)
    client.tls_set_context(ssl.create_default_context(cafile=certificate_of(broker)))
    assert broker.answer(None, port=broker.tls, client=client) == code


def test_a_certificate_that_is_given_is_served(tmp_path: Path) -> None:
    """And none is made."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    given = authority.issue_cert("127.0.0.1")
    given_file = tmp_path / "given.pem"
    given.private_key_and_cert_chain_pem.write_to_path(given_file)
    with GuardedBroker(tmp_path, has_tls=True, TLS_CERT=given_file, TLS_KEY=given_file) as broker:
        assert handshake(broker, tmp_path / "authority.pem", "127.0.0.1")
        assert not (broker.secrets / "tls").exists()


def made_by(folder: Path, **settings: object) -> list[bytes]:
    """Certificate and key, after secrets.sh has run with these settings."""
    assert run_script(ROOT / "mosquitto" / "secrets.sh", environment_of(folder, TLS_PORT=8883, **settings)) == (0, "")
    return [(folder / "secrets" / "tls" / name).read_bytes() for name in FILES]


def test_a_certificate_is_kept_until_its_names_change(tmp_path: Path) -> None:
    """Other machines trust just this one."""
    first = made_by(tmp_path, TLS_NAMES="a.example")
    assert made_by(tmp_path, TLS_NAMES="a.example") == first
    second = made_by(tmp_path, TLS_NAMES="a.example,192.0.2.1")
    assert all(one != other for one, other in zip(first, second, strict=True))
    assert made_by(tmp_path) == second, "where no names are given any more, as in another shell, those of before count"
    code, _ = run_script(ROOT / "mosquitto" / "secrets.sh", environment_of(tmp_path, TLS_PORT=8883, TLS_NAMES="1.2.3"))
    assert code == 2
    third = made_by(tmp_path, TLS_NAMES="a.example,192.0.2.1")
    certificate, key = (tmp_path / "secrets" / "tls" / name for name in FILES)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert third[1] != second[1], "what a failure has left is made anew: certificate and key go together"
