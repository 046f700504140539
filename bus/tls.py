"""TLS connections to a broker: the authority that is trusted, and the client's own certificate."""

import ssl
from pathlib import Path


class Tls:
    """The options of TLS connections. `reload` reads the client's certificate again, because it may have been renewed."""

    def __init__(self, ca_file: Path | None = None, cert_file: Path | None = None, key_file: Path | None = None) -> None:
        """Without `ca_file`, the system's authorities are trusted; without `key_file`, the key is in `cert_file`.

        Raises `OSError` if a file cannot be read, and its subclass `ssl.SSLError` if it is not PEM or the key is not the
        certificate's.
        """
        self.context = ssl.create_default_context(cafile=ca_file)
        self._cert_file = cert_file
        self._key_file = key_file
        self.reload()

    def reload(self) -> None:
        """Reads the client's certificate and key, for connections from now on. Raises as the constructor does."""
        if self._cert_file is not None:
            self.context.load_cert_chain(self._cert_file, self._key_file, password=lambda: "")  # otherwise OpenSSL asks for it


def describe_failure(error: OSError) -> str:
    """Returns why a connection failed, without a path."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'unknown error'}"
    return error.strerror or str(error) or type(error).__name__
