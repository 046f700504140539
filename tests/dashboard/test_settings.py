"""Settings: when a password is required, and which values are refused."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from bus import InvalidSetting
from dashboard.settings import Settings
from runtime.settings import load

PASSWORD = {"web_password": "open sesame"}
HOST, PUBLISHED = (f"WEB_PASSWORD: missing; without a password, WEB_{name} must be 127.0.0.1" for name in ("HOST", "PUBLISHED"))


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://127.0.0.1:9001"),
        ({"web_host": "::1"}, "http://[::1]:9001"),
        ({"web_host": "127.0.0.2", "web_port": 8080}, "http://127.0.0.2:8080"),
        ({"web_host": "0.0.0.0", "web_port": 0}, "http://127.0.0.1:0"),
        ({"web_host": "0.0.0.0", "web_published": "127.0.0.1"}, "http://127.0.0.1:9001"),
        ({"web_host": "0.0.0.0", **PASSWORD}, "http://127.0.0.1:9001"),
        ({"web_host": "192.0.2.2", **PASSWORD}, "http://192.0.2.2:9001"),
        ({"web_published": "192.0.2.2", **PASSWORD}, "http://192.0.2.2:9001"),
    ],
)
def test_the_address_of_the_page(values: dict[str, object], address: str) -> None:
    """In a container it listens on all addresses; the address where the host publishes the port decides."""
    assert load(Settings, **values).web_address == address


def test_host_names_are_normalised() -> None:
    names = load(Settings, web_names="Shop.Example., münchen.example,pi").web_names
    assert names == ("shop.example", "xn--mnchen-3ya.example", "pi")


def test_invalid_settings_are_explained(tmp_path: Path) -> None:
    """A page for other machines without a password; invalid names, passwords, certificates and ports. No message has a secret."""
    cert, key, other, none = (tmp_path / name for name in ("cert", "key", "other", "none"))
    ours, others = (trustme.CA().issue_cert("shop.local") for _ in range(2))
    ours.cert_chain_pems[0].write_to_path(str(cert))
    ours.private_key_pem.write_to_path(str(key))
    others.private_key_pem.write_to_path(str(other))
    table: list[tuple[dict[str, Any], str]] = [
        *[({"web_host": host}, HOST) for host in ("0.0.0.0", "192.168.1.2", "::", "shop.local")],
        *[({"web_published": host}, PUBLISHED) for host in ("0.0.0.0", "192.0.2.2", "127.0.0.1:9001")],
        *[
            ({"web_names": name}, r"WEB_NAMES=.*not a host name")
            for name in ("https://shop.example", "shop example", "a..b", "x" * 300, "*.example", "pi:9001")
        ],
        ({"web_password": "sesame"}, "WEB_PASSWORD: must have 8 to 256 characters"),
        ({"web_password": "sesame" * 50}, "8 to 256"),
        ({**PASSWORD, "web_password_file": key}, "WEB_PASSWORD and WEB_PASSWORD_FILE"),
        ({"web_password_file": none}, "WEB_PASSWORD_FILE=.*cannot be read"),
        ({"web_tls_cert": cert}, "WEB_TLS_CERT and WEB_TLS_KEY: set both or neither"),
        ({"web_tls_cert": cert, "web_tls_key": other}, "not a PEM certificate and its"),
        ({"web_tls_cert": key, "web_tls_key": key}, "not a PEM certificate and its"),
        ({"web_port": -1}, "WEB_PORT=-1"),
    ]
    for values, reason in table:
        with pytest.raises(InvalidSetting, match=reason) as refused:
            load(Settings, **values)
        assert "sesame" not in str(refused.value)
    none.write_text("open sesame\n")
    assert load(Settings, web_host="0.0.0.0", web_password_file=none).web_secret == "open sesame"
    assert load(Settings, web_tls_cert=cert, web_tls_key=key).web_address == "https://127.0.0.1:9001"
