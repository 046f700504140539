"""Settings of the dashboard."""

import ipaddress
import re
import ssl
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, model_validator
from typing_extensions import Self

from bus.settings import SetupSettings
from runtime.settings import CommaSeparated, ReadableFile

MIN_PASSWORD, MAX_PASSWORD = 8, 256
"""Characters. A sign-in form with the longest password, percent-encoded, is smaller than 4 kB."""

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def _host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Normalises host names to what browsers send: lower case, with Punycode for non-ASCII letters."""
    try:
        plain = tuple(name.encode("idna").decode("ascii").lower().removesuffix(".") for name in names)
    except UnicodeError:
        plain = ("",)
    if not all(map(_HOST_NAME.fullmatch, plain)):
        raise ValueError("not a host name; use names such as footfall.example, separated by commas")
    return plain


class Settings(SetupSettings):
    """Settings of the dashboard. By default it listens on loopback; any other address requires a password."""

    web_port: Annotated[int, Field(ge=0, le=65535)] = Field(default=9001, description="port of the page; 0 turns the page off")
    web_host: Annotated[str, Field(min_length=1)] = Field(
        default="127.0.0.1", description="address to listen on; 0.0.0.0 means all addresses, and requires a password"
    )
    web_published: str | None = Field(
        default=None,
        description="in a container: the host's address where the port is published; decides, instead of WEB_HOST,"
        " whether a password is required",
    )
    web_names: Annotated[CommaSeparated, AfterValidator(_host_names)] = Field(
        default=(), description="additional host names of the page, separated by commas, such as dashboard.example"
    )
    web_password: SecretStr | None = Field(default=None, description=f"password of the page; at least {MIN_PASSWORD} characters")
    web_password_file: ReadableFile | None = Field(default=None, description="file with the password; replaces WEB_PASSWORD")
    web_tls_cert: ReadableFile | None = Field(
        default=None, description="certificate for HTTPS (PEM, with its chain); a renewed one is used without a restart"
    )
    web_tls_key: ReadableFile | None = Field(default=None, description="private key of the certificate (PEM)")

    @model_validator(mode="after")
    def _check_password(self) -> Self:
        if self.web_password is not None and self.web_password_file is not None:
            raise ValueError("WEB_PASSWORD and WEB_PASSWORD_FILE: set only one of them")
        secret = self.web_secret
        if secret is None:
            if self.web_port and not _is_loopback(self.web_published or self.web_host):
                name = "WEB_PUBLISHED" if self.web_published else "WEB_HOST"
                raise ValueError(f"WEB_PASSWORD: missing; without a password, {name} must be 127.0.0.1 or ::1")
        elif not MIN_PASSWORD <= len(secret) <= MAX_PASSWORD:
            raise ValueError(f"WEB_PASSWORD: must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        return self

    @model_validator(mode="after")
    def _check_certificate(self) -> Self:
        if (self.web_tls_cert is None) != (self.web_tls_key is None):
            raise ValueError("WEB_TLS_CERT and WEB_TLS_KEY: set both or neither")
        if self.web_tls_cert is not None:
            try:
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.web_tls_cert, self.web_tls_key, "")
            except (ssl.SSLError, ValueError):
                raise ValueError("WEB_TLS_CERT and WEB_TLS_KEY: not a PEM certificate and its unencrypted private key") from None
        return self

    @property
    def web_secret(self) -> str | None:
        """The password from either setting; None if neither is set."""
        if self.web_password_file is not None:
            return self.web_password_file.read_text("utf-8").strip()
        return self.web_password.get_secret_value() if self.web_password else None

    @property
    def web_address(self) -> str:
        """The URL of the page for a browser on this machine."""
        scheme = "http" if self.web_tls_cert is None else "https"
        shown = self.web_published or self.web_host
        host = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(shown, shown)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.web_port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
