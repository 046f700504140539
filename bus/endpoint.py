"""Starts the server of a module's metrics, if there is one."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from bus.settings import BusSettings
from bus.status import Status
from runtime.metrics import Metrics


def create_endpoint(settings: BusSettings, metrics: Metrics, status: Callable[[], Status]) -> AbstractContextManager[object]:
    """Returns the server, which binds METRICS_PORT, or nothing to enter if that is not set. Raises `InvalidSetting`.

    Without a port, neither the library nor the server is imported, so they take no memory.
    """
    if settings.metrics_port is None:
        return nullcontext()
    from bus.exposition import Exposition  # noqa: PLC0415
    from runtime.endpoint import Endpoint  # noqa: PLC0415

    exposition = Exposition(metrics, status, getattr(settings, "state_dir", None))
    return Endpoint(settings.metrics_host, settings.metrics_port, exposition.render)
