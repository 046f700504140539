"""A real Azurite, Microsoft's emulator of Azure Blob Storage, with TLS and signed addresses."""

import base64
import hashlib
import hmac
import os
import re
import ssl
import time
from pathlib import Path
from urllib.parse import urlencode

import httpx
import trustme

from tests.support.broker import free_port
from tests.support.npm import NpmProgram
from tests.support.wait import limit

ACCOUNT, CONTAINER = "shop", "models"
VERSION = "2021-06-08"
"""Version of the signature."""
_REQUEST = re.compile(rf'"GET /{ACCOUNT}/{CONTAINER}/\S+ HTTP/1.1" (\d+) (\d+|-)')


class Azurite(NpmProgram):
    """An Azurite on loopback with an account, and a container for models. All data are in memory."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        super().__init__("azurite", "dist/src/blob/main.js", folder / "azurite.log")
        self.port = free_port()
        self._certificate, self._key_file = folder / "azurite.pem", folder / "azurite.key"
        issued = authority.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(self._certificate)
        issued.private_key_pem.write_to_path(self._key_file)
        context = ssl.create_default_context()
        authority.configure_trust(context)
        self._client = httpx.Client(verify=context, timeout=limit(10), trust_env=False)
        self._key = os.urandom(32)

    def start(self) -> None:
        """Starts it, and creates the container."""
        options = ["--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--inMemoryPersistence", "--disableTelemetry"]
        options += ["--cert", str(self._certificate), "--key", str(self._key_file)]
        account = f"{ACCOUNT}:{base64.b64encode(self._key).decode()}"
        self._start(*options, ready="successfully listens", AZURITE_ACCOUNTS=account)
        try:
            self._put(f"{CONTAINER}?restype=container&{self.sign('w')}")
        except BaseException:
            self.end()
            raise

    def sign(self, permissions: str, seconds: float = 3600) -> str:
        """Returns the query of a shared access signature for the account, which expires after these seconds.

        https://learn.microsoft.com/rest/api/storageservices/create-account-sas
        """
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        fields = {
            "sp": permissions,
            "ss": "b",
            "srt": "co",
            "st": "",
            "se": end,
            "sip": "",
            "spr": "https",
            "sv": VERSION,
            "ses": "",
        }
        text = "".join(f"{value}\n" for value in (ACCOUNT, *fields.values()))
        signature = base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()
        return urlencode({name: value for name, value in fields.items() if value} | {"sig": signature})

    def address(self, name: str, query: str, port: int | None = None) -> str:
        """Returns the address of a blob, for another port of a link to this server."""
        return f"https://127.0.0.1:{port or self.port}/{ACCOUNT}/{CONTAINER}/{name}?{query}"

    def upload(self, name: str, content: bytes) -> None:
        """Creates or replaces a blob."""
        self._put(f"{CONTAINER}/{name}?{self.sign('w')}", content, {"x-ms-blob-type": "BlockBlob"})

    def _put(self, path: str, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        answer = self._client.put(f"https://127.0.0.1:{self.port}/{ACCOUNT}/{path}", content=content, headers=headers)
        answer.raise_for_status()

    @property
    def answers(self) -> list[tuple[int, int]]:
        """The status of each answer to a download of a blob, and the bytes that it announced."""
        found = _REQUEST.findall(self.log)
        return [(int(status), 0 if size == "-" else int(size)) for status, size in found]
