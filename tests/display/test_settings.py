"""What the display takes as settings of its dashboard."""

from pathlib import Path

import pytest
import trustme

from bus import InvalidSetting
from display.settings import Settings
from runtime.settings import load


def test_the_dashboard_is_for_this_machine_unless_told_otherwise() -> None:
    """Loopback, without a password."""
    settings = load(Settings)
    assert settings.web_address == "http://127.0.0.1:9001"
    assert settings.web_secret is None


def test_other_machines_need_a_password(tmp_path: Path) -> None:
    """Without one, nothing but loopback is served; it comes from the environment or from a file."""
    for host in ("0.0.0.0", "192.168.1.2", "::", "shop.local"):
        with pytest.raises(InvalidSetting, match="WEB_PASSWORD: missing"):
            load(Settings, web_host=host)
    for host in ("::1", "127.0.0.2", "localhost"):
        assert load(Settings, web_host=host).web_host == host
    assert load(Settings, web_host="0.0.0.0", web_port=0).web_port == 0
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    settings = load(Settings, web_host="0.0.0.0", web_password_file=secret)
    assert settings.web_secret == "open sesame"
    assert settings.web_address == "http://127.0.0.1:9001"
    assert load(Settings, web_host="::1").web_address == "http://[::1]:9001"
    assert load(Settings, web_host="192.0.2.2", web_password="open sesame").web_address == "http://192.0.2.2:9001"
    assert load(Settings, web_host="::", web_password="open sesame").web_address == "http://127.0.0.1:9001"


def test_a_port_that_is_published_on_loopback_needs_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container it listens at all addresses; what counts is where the host has the port."""
    monkeypatch.setenv("WEB_HOST", "0.0.0.0")
    for published in ("127.0.0.1", "::1", "localhost"):
        monkeypatch.setenv("WEB_PUBLISHED", published)
        assert load(Settings).web_host == "0.0.0.0"
    monkeypatch.setenv("WEB_PUBLISHED", "127.0.0.1")
    assert load(Settings).web_address == "http://127.0.0.1:9001"
    for published in ("0.0.0.0", "192.0.2.2", "127.0.0.1:9001"):
        monkeypatch.setenv("WEB_PUBLISHED", published)
        with pytest.raises(InvalidSetting, match="WEB_PASSWORD: missing; without one, WEB_PUBLISHED can be 127"):
            load(Settings)
    assert load(Settings, web_published="192.0.2.2", web_password="open sesame").web_address == "http://192.0.2.2:9001"
    monkeypatch.setenv("WEB_PUBLISHED", "0.0.0.0")
    with pytest.raises(InvalidSetting, match="WEB_PASSWORD: missing"):
        load(Settings, web_host="127.0.0.1")
    monkeypatch.setenv("WEB_PUBLISHED", "")
    with pytest.raises(InvalidSetting, match="without one, WEB_HOST can be"):
        load(Settings)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    """A short password, two of them, a missing file, a certificate without its key or with another's; no secret is shown."""
    ours, other = (trustme.CA().issue_cert("shop.local") for _ in range(2))
    files = {}
    for name, blob in (("cert", ours.cert_chain_pems[0]), ("key", ours.private_key_pem), ("other", other.private_key_pem)):
        files[name] = tmp_path / name
        blob.write_to_path(files[name])
    wrong: list[tuple[dict[str, object], str]] = [
        ({"web_password": "sesame"}, "WEB_PASSWORD: at least 8 characters"),
        ({"web_password": "open sesame", "web_password_file": files["key"]}, "WEB_PASSWORD and WEB_PASSWORD_FILE"),
        ({"web_password_file": tmp_path / "none"}, "WEB_PASSWORD_FILE=.*cannot be read"),
        ({"web_tls_cert": files["cert"]}, "WEB_TLS_CERT and WEB_TLS_KEY: one needs the other"),
        ({"web_tls_cert": files["cert"], "web_tls_key": files["other"]}, "no certificate and its key"),
        ({"web_tls_cert": files["key"], "web_tls_key": files["key"]}, "no certificate and its key"),
        ({"web_port": -1}, "WEB_PORT=-1"),
    ]
    for values, reason in wrong:
        with pytest.raises(InvalidSetting, match=reason) as refused:
            load(Settings, **values)
        assert "sesame" not in str(refused.value)
    settings = load(Settings, web_tls_cert=files["cert"], web_tls_key=files["key"])
    assert settings.web_address == "https://127.0.0.1:9001"
