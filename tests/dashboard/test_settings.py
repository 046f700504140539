"""Settings: where a password is needed, and what is refused."""

from pathlib import Path

import pytest
import trustme

from bus import InvalidSetting
from dashboard.settings import Settings
from runtime.settings import load

PASSWORD = {"web_password": "open sesame"}


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
    """In a container it listens at all addresses; the address at which the host publishes the port decides."""
    assert load(Settings, **values).web_address == address


@pytest.mark.parametrize(
    ("values", "name"),
    [({"web_host": host}, "WEB_HOST") for host in ("0.0.0.0", "192.168.1.2", "::", "shop.local")]
    + [({"web_published": host}, "WEB_PUBLISHED") for host in ("0.0.0.0", "192.0.2.2", "127.0.0.1:9001")],
)
def test_other_machines_need_a_password(values: dict[str, object], name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"WEB_PASSWORD: missing; without one, {name} can be 127.0.0.1"):
        load(Settings, **values)


def test_names_are_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_NAMES", "Shop.Example., münchen.example,pi")
    assert load(Settings).web_names == ("shop.example", "xn--mnchen-3ya.example", "pi")
    for name in ("https://shop.example", "shop example", "a..b", "x" * 300, "*.example", "pi:9001"):
        monkeypatch.setenv("WEB_NAMES", name)
        with pytest.raises(InvalidSetting, match=r"WEB_NAMES=.*not a host name"):
            load(Settings)


def test_invalid_settings_are_explained(tmp_path: Path) -> None:
    """Passwords, certificates and ports; no secret is shown."""
    ours, other = (trustme.CA().issue_cert("shop.local") for _ in range(2))
    files = {name: tmp_path / name for name in ("cert", "key", "other", "none")}
    ours.cert_chain_pems[0].write_to_path(str(files["cert"]))
    ours.private_key_pem.write_to_path(str(files["key"]))
    other.private_key_pem.write_to_path(str(files["other"]))
    table: list[tuple[dict[str, object], str]] = [
        ({"web_password": "sesame"}, "WEB_PASSWORD: at least 8 characters"),
        ({"web_password": "sesame" * 50}, "at most 256"),
        ({"web_password": "open sesame", "web_password_file": files["key"]}, "WEB_PASSWORD and WEB_PASSWORD_FILE"),
        ({"web_password_file": files["none"]}, "WEB_PASSWORD_FILE=.*cannot be read"),
        ({"web_tls_cert": files["cert"]}, "WEB_TLS_CERT and WEB_TLS_KEY: one needs the other"),
        ({"web_tls_cert": files["cert"], "web_tls_key": files["other"]}, "no certificate and its key"),
        ({"web_tls_cert": files["key"], "web_tls_key": files["key"]}, "no certificate and its key"),
        ({"web_port": -1}, "WEB_PORT=-1"),
    ]
    for values, reason in table:
        with pytest.raises(InvalidSetting, match=reason) as refused:
            load(Settings, **values)
        assert "sesame" not in str(refused.value)
    files["none"].write_text("open sesame\n")
    assert load(Settings, web_host="0.0.0.0", web_password_file=files["none"]).web_secret == "open sesame"
    settings = load(Settings, web_tls_cert=files["cert"], web_tls_key=files["key"])
    assert settings.web_address == "https://127.0.0.1:9001"
