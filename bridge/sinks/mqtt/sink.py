"""The sink: one message for each result."""

from bridge.results import Result
from bridge.sinks import NotSent, Sink
from bridge.sinks.mqtt.connection import Connection, Outgoing


class MqttSink(Sink):
    """A sink that publishes results as ``<topic root>/<camera>/<type>``."""

    def __init__(self, connection: Connection, topic_root: str) -> None:
        self._connection = connection
        self._topic_root = topic_root

    def start(self) -> None:
        self._connection.start()

    def maintain(self) -> None:
        self._connection.resend()

    def send(self, result: Result) -> None:
        topic = f"{self._topic_root}/{result.properties['camera']}/{result.properties['type']}"
        try:
            self._connection.publish(Outgoing(topic, result.body.encode()))
        except NotSent as error:
            raise NotSent(f"{error} ({topic})") from None

    def close(self) -> None:
        self._connection.close()
