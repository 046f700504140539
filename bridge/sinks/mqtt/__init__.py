"""The sink `mqtt`: results, and on request the state of the cameras, to another broker."""

from bridge.settings import Settings
from bridge.sinks import Context, Sink
from bridge.sinks.mqtt.connection import Connection, Target
from bridge.sinks.mqtt.sink import MqttSink
from bridge.sinks.mqtt.state import StateForwarder
from bus.tls import Tls
from runtime.errors import InvalidSetting
from runtime.settings import load


def create(context: Context) -> Sink:
    """Creates the sink, see `bridge.sinks`. Raises `InvalidSetting` when the broker's address or the topic is missing."""
    target = _target(context.settings)
    connection = Connection(target)
    if context.settings.mqtt_sink_state:
        StateForwarder(context.bus, connection, target.topic_root)
    return MqttSink(connection, target.topic_root)


def check() -> None:
    """Raises `InvalidSetting` when the broker's address or the topic is missing."""
    _target(load(Settings))


def _target(settings: Settings) -> Target:
    host, root = settings.mqtt_sink_host, settings.topic_root
    if host is None or root is None:
        raise InvalidSetting("SINKS='mqtt' needs MQTT_SINK_HOST and TOPIC_ROOT")
    tls = Tls(settings.mqtt_sink_ca_file, settings.mqtt_sink_cert_file, settings.mqtt_sink_key_file)
    return Target(
        host=host,
        port=settings.mqtt_sink_port,
        client_id=settings.mqtt_sink_client_id or root.replace("/", "-"),
        topic_root=root,
        username=settings.mqtt_sink_username,
        password=settings.mqtt_sink_secret,
        tls=tls if settings.mqtt_sink_tls else None,
    )
