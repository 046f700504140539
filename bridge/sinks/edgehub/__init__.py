"""The sink `edgehub`: results to IoT Edge's edgeHub; the module twin and direct methods from the cloud."""

import os

from bridge.sinks import Context, Sink
from bridge.sinks.edgehub.client import EdgeHubSink
from bridge.sinks.edgehub.control import Control
from runtime.errors import InvalidSetting

_EDGE_VARIABLES = (
    "IOTEDGE_IOTHUBHOSTNAME",
    "IOTEDGE_DEVICEID",
    "IOTEDGE_MODULEID",
    "IOTEDGE_GATEWAYHOSTNAME",
    "IOTEDGE_MODULEGENERATIONID",
    "IOTEDGE_WORKLOADURI",
    "IOTEDGE_APIVERSION",
)
_DEBUG_VARIABLES = ("EdgeHubConnectionString", "EdgeModuleCACertificateFile")
_CONNECTION_KEYS = ("HostName", "GatewayHostName", "DeviceId", "ModuleId", "SharedAccessKey")


def create(context: Context) -> Sink:
    """Creates the sink, see `bridge.sinks`. Raises `InvalidSetting` when the environment lacks a variable."""
    check()
    return EdgeHubSink(Control(context.bus, context.forwarder, context.outbox), context.bus.metrics)


def check() -> None:
    """Raises `InvalidSetting` if a variable or a part of the connection string is missing. Does not show the key."""
    if not all(os.environ.get(name) for name in _DEBUG_VARIABLES):
        if not all(os.environ.get(name) for name in _EDGE_VARIABLES):
            needed = f"the variables of IoT Edge ({', '.join(_EDGE_VARIABLES)}), or else {' and '.join(_DEBUG_VARIABLES)}"
            raise InvalidSetting(f"SINKS='edgehub' needs {needed}")
        return
    parts = dict(part.partition("=")[::2] for part in os.environ[_DEBUG_VARIABLES[0]].split(";"))
    if missing := [key for key in _CONNECTION_KEYS if not parts.get(key)]:
        raise InvalidSetting(f"EdgeHubConnectionString: {', '.join(missing)} missing; use {'=...;'.join(_CONNECTION_KEYS)}=...")
