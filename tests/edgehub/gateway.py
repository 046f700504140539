"""What all stand-ins share: who the module is, and where it finds its edgeHub."""

import base64
import itertools
import os
import socket
from pathlib import Path
from typing import Protocol

PORT = 8883
"""Fixed in the SDK: whatever runs at once needs an address each."""
HUB = "hub.example"
DEVICE = "pi"
MODULE = "bridge"

_numbers = itertools.count()


class Gateway(Protocol):
    """An edgeHub, as whoever leads a module to it sees it."""

    @property
    def host(self) -> str:
        """Its address."""

    @property
    def authority(self) -> Path:
        """The certificate, in PEM, of the authority that vouches for it."""


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


def connection_string(gateway: Gateway) -> dict[str, str]:
    """The environment that signs a module in by connection string."""
    key = base64.b64encode(b"no secret").decode()
    return {
        "EdgeHubConnectionString": f"HostName={HUB};GatewayHostName={gateway.host};DeviceId={DEVICE};ModuleId={MODULE}"
        f";SharedAccessKey={key}",
        "EdgeModuleCACertificateFile": str(gateway.authority),
    }
