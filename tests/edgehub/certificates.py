"""Certificates for a stand-in, as its clients check them."""

from pathlib import Path
from typing import NamedTuple


class Certificates(NamedTuple):
    """Files in PEM: the authority's certificate, and the server's with its key."""

    authority: Path
    certificate: Path
    key: Path


def within(folder: Path) -> Certificates:
    """Where they are in a folder, whether or not they are there yet."""
    folder = folder.absolute()
    return Certificates(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")


def issue(folder: Path, host: str) -> Certificates:
    """Makes an authority and a server certificate with the address in it: the SDK checks the name."""
    import trustme  # slow, and not needed by a process that finds its certificates made

    folder.mkdir(parents=True, exist_ok=True)
    files = within(folder)
    authority = trustme.CA()
    server = authority.issue_cert(host)
    server.private_key_pem.write_to_path(str(files.key))
    server.cert_chain_pems[0].write_to_path(str(files.certificate))
    authority.cert_pem.write_to_path(str(files.authority))
    return files
