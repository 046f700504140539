"""Tests of connections to a broker over TLS, where the client's certificate is its user."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from bus import Bus, InvalidSetting, metric_names
from bus.settings import BusSettings
from runtime.settings import load
from tests.support import samples
from tests.support.tls_broker import Certificate, TlsBroker
from tests.support.wait import until

RULES = ("user classifier", "topic write footfall/door/prediction", "user reader", "topic read #")
PREDICTIONS = "footfall/door/prediction"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[TlsBroker]:
    with TlsBroker(tmp_path / "broker", RULES) as running:
        yield running


def connect(broker: TlsBroker, own: Certificate | None) -> Bus:
    files = {} if own is None else {"mqtt_cert_file": own.certificate, "mqtt_key_file": own.key}
    settings = {"MODULE_NAME": "classifier", "mqtt_port": broker.port, "mqtt_ca_file": broker.ca_file}
    return Bus(BusSettings.model_validate(settings | files), startup_time=0)


@pytest.mark.broker
def test_a_module_signs_in_with_its_certificate(broker: TlsBroker) -> None:
    """The access list's rules for the certificate's common name apply."""
    with broker.listener("reader", PREDICTIONS) as reader, connect(broker, broker.issue("classifier")) as bus:
        until(lambda: bus.connected)
        bus.publish(samples.prediction())
        reader.wait_for("/prediction")


@pytest.mark.broker
@pytest.mark.parametrize(("given", "problem"), [(None, "CERTIFICATE_REQUIRED"), ("another authority's", "UNKNOWN_CA")])
def test_a_refused_certificate_is_logged_and_a_renewed_one_is_used(
    broker: TlsBroker, given: str | None, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The line has the reason. Files that are replaced are read at the next connection, without a restart."""
    caplog.set_level(logging.INFO)
    own = broker.issue("classifier", trustme.CA()) if given else None
    with connect(broker, own) as bus:
        until(lambda: problem in caplog.text.upper().replace(" ", "_"), what=problem)
        assert not bus.connected
        assert bus.metrics.snapshot()[metric_names.CONNECT_FAILED] > 0
        assert str(broker.folder) not in caplog.text
        if given:
            broker.issue("classifier")
            until(lambda: bus.connected)


@pytest.mark.broker
def test_a_broker_with_an_unknown_certificate_is_not_trusted(broker: TlsBroker, caplog: pytest.LogCaptureFixture) -> None:
    trustme.CA().cert_pem.write_to_path(broker.ca_file)
    with connect(broker, broker.issue("classifier")) as bus:
        until(lambda: f"no broker at 127.0.0.1:{broker.port}: its certificate is not trusted" in caplog.text)
        assert not bus.connected


PAIR = "MQTT_CERT_FILE, MQTT_KEY_FILE: must be a certificate and its key in PEM format, without a passphrase"


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        ("a", "a", None),
        ("both", None, None),
        ("a", "b", PAIR),
        ("a", None, PAIR),
        ("a", "locked", PAIR),
        (None, "a", "MQTT_KEY_FILE needs MQTT_CERT_FILE"),
    ],
)
def test_a_certificate_needs_its_key(tmp_path: Path, certificate: str | None, key: str | None, problem: str | None) -> None:
    """The key can be in the same file. A key with a passphrase is refused: nobody is there to type it."""
    authority = trustme.CA()
    for name in ("a", "b"):
        issued = authority.issue_cert(common_name=name)
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    (tmp_path / "both.pem").write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    (tmp_path / "locked.key").write_text(LOCKED)
    files = {"mqtt_cert_file": certificate and tmp_path / f"{certificate}.pem", "mqtt_key_file": key and tmp_path / f"{key}.key"}
    given = {name: file for name, file in files.items() if file}
    if problem is None:
        assert load(BusSettings, **given).mqtt_cert_file == files["mqtt_cert_file"]
    else:
        with pytest.raises(InvalidSetting, match=f"^{problem}$"):
            load(BusSettings, **given)


LOCKED = """-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgqWUyLga/UAgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKUrmQKRxvpwr0f+EKMfC/sEgZB0
VJstRs1f2p6j3jUU5lh4Vb548HtkkToZphYzUL10/30G4Y2yiAOUSFTm6i/t+DIT
0D/7n+8sRwTb6kfsmLow9fWza5bqplyew/8WmQy2wURl4Oqc4zFIQB0kM2pnPGmS
U5UJbGCgTV3+GoiJyq1L5L2cMqHxjn0RomzUSFgV2h1T+ycnAYlie4SOtsCAGPo=
-----END ENCRYPTED PRIVATE KEY-----
"""
