"""The unmodified SDK, of whose calls some never return."""

import logging
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from unittest.mock import patch

from azure.iot.device import IoTHubModuleClient, Message
from typing_extensions import Self

from bridge.cloud.call import in_time
from tests.support.wait import limit

log = logging.getLogger(__name__)

SECONDS = limit(10)


class Module:
    """A module client made from an environment; it tries again every second; shut down when left."""

    def __init__(self, environment: Mapping[str, str], **options: Any) -> None:
        """Raises what the SDK raises, which asks the workload API for certificate and signature here."""
        others = {name: value for name, value in os.environ.items() if not name.startswith(("IOTEDGE_", "EdgeHub"))}
        settings: dict[str, Any] = {"connection_retry_interval": 1, **options}
        with patch.dict(os.environ, {**others, **environment}, clear=True):
            self.client: Any = in_time(lambda: IoTHubModuleClient.create_from_edge_environment(**settings), SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            in_time(self.client.shutdown, limit(20))
        except Exception as failed:
            log.warning("shutdown: %s", failed)

    def connect(self, seconds: float = SECONDS) -> None:
        """Connects."""
        in_time(self.client.connect, seconds)

    def send(self, body: str, seconds: float = SECONDS) -> None:
        """Sends JSON text from the output `visits`, and waits until the hub has it."""
        message: Any = Message(body.encode(), "id-1", "utf-8", "application/json")  # type: ignore[no-untyped-call]
        in_time(lambda: self.client.send_message_to_output(message, "visits"), seconds)

    def twin(self, seconds: float = SECONDS) -> Any:
        """The twin document."""
        return in_time(self.client.get_twin, seconds)

    def report(self, changes: dict[str, Any], seconds: float = SECONDS) -> None:
        """Patches the reported properties, and waits for the hub's word."""
        in_time(lambda: self.client.patch_twin_reported_properties(changes), seconds)
