"""A stand-in for IoT Edge's edgeHub: Mosquitto behind TLS on port 8883, to which the unmodified Azure SDK connects."""

import base64
import os
import ssl
from pathlib import Path
from urllib.parse import parse_qs, unquote

import trustme
from paho.mqtt import client as mqtt

from tests.support.broker import Broker
from tests.support.listener import Listener

PORT = 8883
"""Fixed in the SDK; tests that run at once need an address each."""
OUTPUTS = "devices/+/modules/+/messages/events/#"


class EdgeHub(Broker):
    """One on a loopback address of this process's own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        host = f"127.{os.getpid() % 250 + 1}.0.2"
        authority = trustme.CA()
        server = authority.issue_cert(host)
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        server.private_key_pem.write_to_path(str(folder / "key.pem"))
        server.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
        configuration = folder / "edgehub.conf"
        configuration.write_text(
            f"user root\nlistener {PORT} {host}\nallow_anonymous true\npersistence true\n"
            f"certfile {folder / 'certificate.pem'}\nkeyfile {folder / 'key.pem'}\n"
        )
        super().__init__(folder, configuration, PORT, host)

    @property
    def environment(self) -> dict[str, str]:
        """What signs a module in by connection string."""
        key = base64.b64encode(b"no secret").decode()
        return {
            "EdgeHubConnectionString": f"HostName=hub.example;GatewayHostName={self.host};DeviceId=pi;ModuleId=bridge"
            f";SharedAccessKey={key}",
            "EdgeModuleCACertificateFile": str(self.authority),
        }

    def listener(self, topic: str = OUTPUTS) -> Listener:
        """Hears what modules send."""
        client = mqtt.Client()
        client.tls_set_context(ssl.create_default_context(cafile=self.authority))
        return Listener(PORT, topic, host=self.host, client=client)


def properties(topic: str) -> dict[str, str]:
    """The properties that the SDK writes into the topic of a message."""
    return {unquote(key): values[0] for key, values in parse_qs(topic.rpartition("/")[2]).items()}
