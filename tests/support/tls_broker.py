"""A real Mosquitto that accepts only clients with a certificate. The certificate's common name is the user."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import trustme
from paho.mqtt import client as mqtt

from bus.tls import Tls
from tests.support.broker import Broker, find_mosquitto
from tests.support.listener import Listener

ADDRESS = "127.0.0.1"


class Certificate(NamedTuple):
    """The files of a client's certificate and its key."""

    certificate: Path
    key: Path


class TlsBroker(Broker):
    """A broker with its own authority. Without `rules` (lines of an access list), every user may do everything."""

    def __init__(
        self, folder: Path, rules: Sequence[str] = ("pattern readwrite #",), authority: trustme.CA | None = None
    ) -> None:
        super().__init__(folder)
        self._authority = authority or trustme.CA()
        self.ca_file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.ca_file)
        own = self._write("broker", self._authority.issue_cert(ADDRESS))
        (folder / "access.acl").write_text("\n".join(rules) + "\n")
        (folder / "mosquitto.conf").write_text(
            f"user root\npersistence true\nautosave_interval 1\nmax_queued_messages 100000\nlistener {self.port} {ADDRESS}\n"
            f"cafile {self.ca_file}\ncertfile {own.certificate}\nkeyfile {own.key}\nacl_file {folder}/access.acl\n"
            "require_certificate true\nuse_identity_as_username true\n"
        )

    def start(self) -> None:
        """Starts the broker and waits until it accepts connections."""
        self._start([find_mosquitto(), "-c", str(self.folder / "mosquitto.conf")], os.environ, self.port)

    def issue(self, user: str, authority: trustme.CA | None = None) -> Certificate:
        """Writes a certificate for a user; again for the same user, it replaces the files. `authority` may be another's."""
        return self._write(user, (authority or self._authority).issue_cert(common_name=user))

    def _write(self, name: str, issued: trustme.LeafCert) -> Certificate:
        files = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        files.certificate.write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(files.key)
        return files

    def client(self, user: str, **options: object) -> mqtt.Client:
        """Returns a client with a certificate for the user."""
        client = mqtt.Client(**options)  # type: ignore[arg-type]  # paho's own arguments
        client.tls_set_context(Tls(self.ca_file, *self.issue(user)).context)
        return client

    def listener(self, user: str, *filters: str, **options: object) -> Listener:
        """Returns a listener for the user."""
        return Listener(self.port, *filters, client=self.client(user, **options))
