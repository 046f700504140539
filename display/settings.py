"""What can be set about the display."""

import ipaddress
import ssl
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator
from typing_extensions import Self

from bus.settings import LabelSettings, SiteName
from runtime.settings import CommaSeparated, ReadableFile, Seconds, UserPath

LEAST_PASSWORD = 8
"""Characters."""


class Settings(LabelSettings):
    """One display shows the label of one camera, or the one that began first of all of them."""

    display_name: SiteName = Field(default="matrix", description="the display's name in topics")
    matrix: Literal["sensehat", "none"] = Field(
        default="none", description="where the pixels go besides the broker: sensehat or none"
    )
    camera: SiteName | None = Field(default=None, description="the camera to show; without one, all of them")
    icons: UserPath | None = Field(default=None, description="a folder of more icons, which go before those that come with it")
    hold_seconds: Seconds = Field(default=1.0, description="how long a label stays after it was last seen")
    max_frame_age: Seconds = Field(default=2.0, description="seconds after which a prediction is too old to be shown")
    web_port: Annotated[int, Field(ge=0, le=65535)] = Field(default=9001, description="port of the dashboard; 0: no dashboard")
    web_host: Annotated[str, Field(min_length=1)] = Field(
        default="127.0.0.1", description="address to serve it at; 0.0.0.0 is all of this machine's, and needs a password"
    )
    web_published: str | None = Field(
        default=None,
        description="in a container: the host's address at which the port is published, which then says in place of WEB_HOST"
        " whether a password is needed",
    )
    web_names: CommaSeparated = Field(
        default=(), description="more names under which browsers reach it (commas between), as dashboard.example"
    )
    web_password: SecretStr | None = Field(default=None, description="what the dashboard asks for; at least 8 characters")
    web_password_file: ReadableFile | None = Field(default=None, description="a file with that password, instead")
    web_tls_cert: ReadableFile | None = Field(default=None, description="certificate (PEM, with its chain) to serve it by https")
    web_tls_key: ReadableFile | None = Field(default=None, description="the certificate's private key (PEM)")

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.web_password is not None and self.web_password_file is not None:
            raise ValueError("WEB_PASSWORD and WEB_PASSWORD_FILE: set one of them")
        if self.web_secret is None and self.web_port and not _is_loopback(self.web_published or self.web_host):
            name = "WEB_PUBLISHED" if self.web_published else "WEB_HOST"
            raise ValueError(f"WEB_PASSWORD: missing; without one, {name} can be 127.0.0.1 or ::1 only")
        if self.web_secret is not None and len(self.web_secret) < LEAST_PASSWORD:
            raise ValueError(f"WEB_PASSWORD: at least {LEAST_PASSWORD} characters are needed")
        return self

    @model_validator(mode="after")
    def _certified(self) -> Self:
        if (self.web_tls_cert is None) != (self.web_tls_key is None):
            raise ValueError("WEB_TLS_CERT and WEB_TLS_KEY: one needs the other")
        if self.web_tls_cert is not None:
            try:
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.web_tls_cert, self.web_tls_key, "")
            except (ssl.SSLError, ValueError):
                raise ValueError(
                    "WEB_TLS_CERT and WEB_TLS_KEY: no certificate and its key, as PEM and without a password"
                ) from None
        return self

    @property
    def web_secret(self) -> str | None:
        """The dashboard's password."""
        if self.web_password_file is not None:
            return self.web_password_file.read_text("utf-8").strip()
        return self.web_password.get_secret_value() if self.web_password else None

    @property
    def web_address(self) -> str:
        """Where a browser finds the dashboard on this machine."""
        scheme = "http" if self.web_tls_cert is None else "https"
        shown = self.web_published or self.web_host
        host = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(shown, shown)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.web_port}"

    @property
    def own_name(self) -> str:
        """The second display on a broker needs a name of its own there."""
        default = type(self).model_fields["display_name"].default
        return "display" if self.display_name == default else f"display-{self.display_name}"[:64]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
