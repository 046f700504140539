"""The state of the cameras and modules, retained at the other broker."""

from dataclasses import replace

from bridge.sinks.mqtt.connection import Connection, Outgoing
from bus import Bus, CurrentLabel, DayCounts, Message, Occupancy, Status, states, topics


class StateForwarder:
    """Copies retained messages from the site's broker. ``footfall`` in their topics becomes the topic root."""

    def __init__(self, bus: Bus, connection: Connection, topic_root: str) -> None:
        """Subscribes, so `bus` must not be connected yet."""
        self._connection = connection
        self._topic_root = topic_root
        self._statuses: dict[str, Status] = {}
        """By topic, the last one published."""
        bus.subscribe(topics.label(), CurrentLabel, self._put, on_cleared=self._clear)
        bus.subscribe(topics.counts(), DayCounts, self._put, on_cleared=self._clear)
        bus.subscribe(topics.occupancy(), Occupancy, self._put, on_cleared=self._clear)
        bus.subscribe(topics.status(), Status, self._put_status, on_cleared=self._clear)
        stopped, lost = (self._copy(Status(bus.name, states.OFFLINE, detail=one)) for one in ("stopped", "connection lost"))
        connection.set_last_state(stopped, will=lost)

    def _put(self, message: Message) -> None:
        self._connection.put_state(self._copy(message))

    def _put_status(self, status: Status) -> None:
        """Publishes changes only: each module reports its metrics every ten seconds."""
        essence = replace(status, at=None, metrics={}, rates={})
        if self._statuses.get(status.topic) != essence:
            self._statuses[status.topic] = essence
            self._put(essence)

    def _clear(self, topic: str) -> None:
        self._statuses.pop(topic, None)
        self._connection.put_state(Outgoing(self._topic_there(topic), b""))

    def _copy(self, message: Message) -> Outgoing:
        return Outgoing(self._topic_there(message.topic), message.pack())

    def _topic_there(self, topic: str) -> str:
        return f"{self._topic_root}/{topic.partition('/')[2]}"
