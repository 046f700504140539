"""The sink `webhook`: each result as a signed HTTP POST, by the scheme of Standard Webhooks (https://www.standardwebhooks.com)."""

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.results import Result
from bridge.sinks import Context, NotSent, Sink
from bridge.sinks.webhook.poster import NoResponse, Poster, Response
from bridge.sinks.webhook.signing import parse_secret, signature
from bus import InvalidSetting, metric_names
from runtime.metrics import Metrics
from runtime.settings import load
from runtime.steady import steady

if TYPE_CHECKING:
    from bridge.settings import Settings

log = logging.getLogger(__name__)

ENDPOINT_PATIENCE = 86400.0
"""Seconds for which results are kept while the receiver refuses all of them, so that a wrong address can be corrected."""
MOMENTARY_ERRORS = frozenset({408, 425, 429})
"""Client errors that are about the moment (RFC 9110, RFC 8470, RFC 6585)."""
ENDPOINT_ERRORS = frozenset({401, 402, 403, 404, 405, 407, 410, 421, 426, 451})
"""Client errors that are about the address, the secret or the method, and not about the result."""
VERSION_DIGITS = 8


def create(context: Context) -> Sink:
    """Creates the sink, see `bridge.sinks`."""
    settings = context.settings
    url, secret_file = _receiver(settings)
    return Webhook(Poster(url, settings.webhook_ca_file), secret_file, context.bus.metrics)


def check() -> None:
    """Raises `InvalidSetting` if a variable is missing."""
    from bridge.settings import Settings  # noqa: PLC0415  # it imports this package

    _receiver(load(Settings))


def _receiver(settings: "Settings") -> tuple[str, Path]:
    """Returns the address, and the file with the secret. Raises `InvalidSetting`."""
    url, secret_file = settings.webhook_url, settings.webhook_secret_file
    if url is None or secret_file is None:
        given = {"WEBHOOK_URL": url, "WEBHOOK_SECRET_FILE": secret_file}
        missing = " and ".join(name for name, value in given.items() if value is None)
        raise InvalidSetting(f"SINKS='webhook': {missing} must be set")
    return url.get_secret_value(), secret_file


class Webhook(Sink):
    """A sink that posts results to one address. The secret is read for each result, so that it can be replaced."""

    def __init__(self, poster: Poster, secret_file: Path, metrics: Metrics, clock: Callable[[], float] = steady) -> None:
        """`clock` returns steady seconds."""
        self._poster = poster
        self._secret_file = secret_file
        self._metrics = metrics
        self._clock = clock
        self._refused_since: float | None = None
        """Steady time of the first of consecutive refusals that are about the address; None after a response about a result."""

    def send(self, result: Result) -> None:
        """Posts a result. Returns when the receiver has taken it, or refused it for good. Raises `NotSent`."""
        body = result.body.encode()
        try:
            response = self._poster.post(body, self._headers(result, body))
        except NoResponse as error:
            raise NotSent(str(error)) from None
        status = response.status
        if status in ENDPOINT_ERRORS or 300 <= status < 400:
            self._refuse(result, response)
        elif status < 200 or status in MOMENTARY_ERRORS or status >= 500:
            raise NotSent(f"the receiver responded with {status}", response.retry_after)
        else:
            self._refused_since = None
            if status >= 400:
                self._drop(result, status)

    def _headers(self, result: Result, body: bytes) -> dict[str, str]:
        key, timestamp = idempotency_key(result), str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "User-Agent": "Footfall",
            "Idempotency-Key": key,
            "webhook-id": key,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._secret(), key, timestamp, body),
        }

    def _secret(self) -> bytes:
        try:
            return parse_secret(self._secret_file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise NotSent(f"WEBHOOK_SECRET_FILE: {reason}") from None

    def _refuse(self, result: Result, response: Response) -> None:
        """Raises `NotSent` as long as the address may be corrected, then drops the result."""
        now, status = self._clock(), response.status
        if self._refused_since is None:
            self._refused_since = now
        if now - self._refused_since < ENDPOINT_PATIENCE:
            hint = "redirects are not followed" if status < 400 else "check WEBHOOK_URL and the secret"
            raise NotSent(f"the receiver responded with {status}; {hint}", response.retry_after)
        self._drop(result, status)

    def _drop(self, result: Result, status: int) -> None:
        self._metrics.add(metric_names.SINK_REFUSED)
        log.warning("webhook: the receiver refused %s %s with %d; it is dropped", result.kind.name.lower(), result.id, status)

    def close(self) -> None:
        self._poster.close()


def idempotency_key(result: Result) -> str:
    """Returns the id of a result, with a suffix if it has a version: a corrected result is no repeat of the earlier one."""
    if not result.version:
        return result.id
    return f"{result.id}-{hashlib.sha256(result.version.encode()).hexdigest()[:VERSION_DIGITS]}"
