"""IoT Edge's edgeHub: results upstream, and the module twin and direct methods of the cloud."""

import os

from bridge.sinks import Context, Sink
from bridge.sinks.edgehub.client import EdgeHubSink
from bridge.sinks.edgehub.control import Control
from runtime.errors import InvalidSetting

_EDGE = (
    "IOTEDGE_IOTHUBHOSTNAME",
    "IOTEDGE_DEVICEID",
    "IOTEDGE_MODULEID",
    "IOTEDGE_GATEWAYHOSTNAME",
    "IOTEDGE_MODULEGENERATIONID",
    "IOTEDGE_WORKLOADURI",
    "IOTEDGE_APIVERSION",
)
_DEBUG = ("EdgeHubConnectionString", "EdgeModuleCACertificateFile")
_CONNECTION = ("HostName", "GatewayHostName", "DeviceId", "ModuleId", "SharedAccessKey")


def create(context: Context) -> Sink:
    """Created by name, see `bridge.sinks`. Raises `InvalidSetting` when the environment names no edgeHub."""
    check_environment()
    return EdgeHubSink(Control(context.bus, context.forwarder, context.outbox), context.bus.metrics)


def check_environment() -> None:
    """Raises `InvalidSetting` where a retry cannot help; the key of a connection string is not shown."""
    if not all(os.environ.get(name) for name in _DEBUG):
        if not all(os.environ.get(name) for name in _EDGE):
            needed = f"what IoT Edge sets ({', '.join(_EDGE)}) or else {' and '.join(_DEBUG)}"
            raise InvalidSetting(f"SINKS='edgehub': the environment must have {needed}")
        return
    given = dict(part.partition("=")[::2] for part in os.environ[_DEBUG[0]].split(";"))
    if missing := [name for name in _CONNECTION if not given.get(name)]:
        raise InvalidSetting(f"EdgeHubConnectionString: {', '.join(missing)} missing; {'=...;'.join(_CONNECTION)}=... is needed")
