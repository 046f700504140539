"""Who the module is, and where it finds a stand-in: address, certificates, connection string."""

import base64
import itertools
import os
import socket
from pathlib import Path
from typing import NamedTuple

PORT = 8883
"""Fixed in the SDK: what runs at the same time needs an address each."""
HUB = "hub.example"
DEVICE = "pi"
MODULE = "bridge"

_numbers = itertools.count()


class Certificates(NamedTuple):
    """Files in PEM: the authority's certificate, and the server's with its key."""

    authority: Path
    certificate: Path
    key: Path


def issue(folder: Path, host: str) -> Certificates:
    """The certificates in a folder, created if there are none: the SDK checks the server's name."""
    folder = folder.absolute()
    files = Certificates(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
    if not files.authority.exists():
        import trustme

        folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        server = authority.issue_cert(host)
        server.private_key_pem.write_to_path(str(files.key))
        server.cert_chain_pems[0].write_to_path(str(files.certificate))
        authority.cert_pem.write_to_path(str(files.authority))
    return files


def free_host() -> str:
    """A loopback address that nobody else in this process was given, with nobody on its port."""
    for _ in range(250):
        host = f"127.{os.getpid() % 250 + 1}.{next(_numbers) % 250 + 1}.2"
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, PORT))
            except OSError:
                continue
            return host
    raise OSError(f"no loopback address 127.{os.getpid() % 250 + 1}.*.2 has port {PORT} free")


def connection_string(host: str, authority: Path) -> dict[str, str]:
    """The environment that signs a module in by connection string."""
    key = base64.b64encode(b"no secret").decode()
    place = f"HostName={HUB};GatewayHostName={host};DeviceId={DEVICE};ModuleId={MODULE}"
    return {
        "EdgeHubConnectionString": f"{place};SharedAccessKey={key}",
        "EdgeModuleCACertificateFile": str(authority),
    }
