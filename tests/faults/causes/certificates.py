"""Certificates that have expired, and are renewed: those of the broker, of the hub and of the page."""

import signal
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme

from tests.faults.fault import BROKER_LIMIT, Fault, Settings
from tests.faults.rig import Rig
from tests.support.broker import free_port
from tests.support.module import Module
from tests.support.wait import limit, until

SECONDS = 5.0
ADDRESS = "127.0.0.1"
EXPIRED = "certificate has expired"


class _Certificate:
    """A server's certificate with its authority, in three files."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.authority, self.chain, self.key = (folder / f"{name}.pem" for name in ("authority", "chain", "key"))
        self._authority.cert_pem.write_to_path(self.authority)
        self.issue()

    def issue(self, is_expired: bool = False) -> None:
        """Replaces the files by those of a new certificate, which may have expired a day ago."""
        now = datetime.now(timezone.utc)
        days = (timedelta(-2), timedelta(-1)) if is_expired else (timedelta(-1), timedelta(1))
        issued = self._authority.issue_cert(ADDRESS, not_before=now + days[0], not_after=now + days[1])
        issued.private_key_pem.write_to_path(self.key)
        issued.cert_chain_pems[0].write_to_path(self.chain)


class OfBroker(Fault):
    """The broker's. Counter and bridge connect over TLS; the broker is restarted with the expired one, and with the new one."""

    is_long = True
    name = "broker's certificate expired, and renewed"
    holds = "the log of each program says why"
    limit = BROKER_LIMIT

    def prepare(self, folder: Path, stack: ExitStack) -> Settings:
        self._certificate, port = _Certificate(folder), free_port()
        tls: dict[str, object] = {"MQTT_PORT": port, "MQTT_CA_FILE": self._certificate.authority}
        broker = {"TLS_PORT": port, "TLS_CERT": self._certificate.chain, "TLS_KEY": self._certificate.key}
        return {"broker": broker, "counter": tls, "bridge": tls}

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self._certificate.issue(is_expired=True)
        rig.signal("broker", signal.SIGTERM)
        time.sleep(SECONDS)
        self._certificate.issue()
        rig.signal("broker", signal.SIGTERM)
        yield

    def problems(self, rig: Rig) -> Iterable[str]:
        return [f"{name} does not log why" for name, module in rig.modules.items() if EXPIRED not in module.log]


class OfHub(Fault):
    """The hub's. Its connection is lost meanwhile."""

    is_long = True
    name = "hub's certificate expired, and renewed"

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        rig.hub.end()
        rig.hub.renew_certificate(timedelta(-1))
        rig.hub.start()
        time.sleep(SECONDS)
        rig.hub.renew_certificate(timedelta(1))
        yield


class OfPage(Fault):
    """The page's."""

    is_long = True
    name = "page's certificate expired, and renewed"

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        self._certificate = _Certificate(rig.folder)
        password = rig.broker.secrets / "dashboard" / "password"
        files = {"WEB_TLS_CERT": self._certificate.chain, "WEB_TLS_KEY": self._certificate.key}
        page = Module("dashboard", rig.broker.port, MQTT_PASSWORD_FILE=password, WEB_PORT=rig.page_port, **files)
        rig.modules["dashboard"] = rig.enter_context(page)
        until(lambda: self._is_trusted(rig), 20, "the page")
        self._certificate.issue(is_expired=True)
        time.sleep(SECONDS)
        self._was_refused = not self._is_trusted(rig)
        self._certificate.issue()
        yield

    def has_recovered(self, rig: Rig, began: float) -> bool:
        return self._is_trusted(rig)

    def problems(self, rig: Rig) -> Iterable[str]:
        return [] if self._was_refused else ["the expired certificate was not in use"]

    def _is_trusted(self, rig: Rig) -> bool:
        trust = ssl.create_default_context(cafile=self._certificate.authority)
        with suppress(OSError), socket.create_connection((ADDRESS, rig.page_port), limit(2)) as client:
            return bool(trust.wrap_socket(client, server_hostname=ADDRESS).version())
        return False


FAULTS: tuple[Fault, ...] = (OfBroker(), OfHub(), OfPage())
