"""Home Assistant: describes the suite's devices to it, by MQTT discovery.

This is no sink: it sends no results. Home Assistant reads them on the broker.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from bridge.homeassistant.devices import (
    SUITE,
    VISITS,
    Camera,
    Config,
    describe_camera,
    describe_suite,
    read_entities,
    with_removals,
)
from bus import (
    UNDECIDED,
    AlertRule,
    Alerts,
    Bus,
    CurrentLabel,
    DayCounts,
    Discovery,
    HomeAssistantStatus,
    Occupancy,
    Status,
    topics,
)

log = logging.getLogger(__name__)

MAX_CAMERAS = 128
MAX_MODULES = 160
"""Upper bounds; more than this indicates spoofed names."""
MAX_LABELS = 100
"""Labels of a camera that get an entity. Of a model with more, only labels with visits today get one."""

T = TypeVar("T")


class HomeAssistant:
    """The retained descriptions of all devices, renewed when cameras, labels, zones, alerts or modules change.

    Switched off, it removes descriptions that an earlier run has left. All its methods run on the network thread.
    """

    def __init__(self, bus: Bus, is_on: bool) -> None:
        """Subscribes, so `bus` must not be connected yet."""
        self._bus = bus
        self._is_on = is_on
        self._connection = 0
        """The connection whose messages are below. Messages that were deleted meanwhile are not received again."""
        self._is_settled = False
        self._captures: dict[str, str] = {}
        """By module, the camera that it captures; empty for other modules."""
        self._labels: dict[str, tuple[str, ...]] = {}
        """By module, the labels of its model."""
        self._current: dict[str, None] = {}
        """Cameras with a current label, even if it is none."""
        self._counted: dict[str, frozenset[str]] = {}
        """By camera, labels with visits today."""
        self._areas: dict[str, tuple[tuple[str, ...], bool]] = {}
        """By camera, its zones, and whether it has lines."""
        self._rules: dict[str, tuple[AlertRule, ...]] = {}
        """By camera, the rules of its alerts."""
        self._retained: dict[str, dict[str, Config]] = {}
        """By device, the entities of the description on the broker."""
        self._published: dict[str, Config] = {}
        """By device, the description that was published last."""
        self._removed: set[str] = set()
        """Devices that were removed, while Home Assistant may have been away."""
        bus.subscribe(topics.discovery(), Discovery, self._on_discovery, on_cleared=self._on_removed, on_invalid=self._on_invalid)
        bus.subscribe(topics.homeassistant(), HomeAssistantStatus, self._on_home_assistant)
        bus.on_settled(self._on_settled)
        if is_on:
            bus.subscribe(topics.status(), Status, self._on_status, on_cleared=self._on_status_cleared)
            bus.subscribe(topics.label(), CurrentLabel, self._on_label, on_cleared=self._forgets(topics.label, self._current))
            bus.subscribe(topics.counts(), DayCounts, self._on_counts, on_cleared=self._forgets(topics.counts, self._counted))
            areas = self._forgets(topics.occupancy, self._areas)
            bus.subscribe(topics.occupancy(), Occupancy, self._on_occupancy, on_cleared=areas)
            bus.subscribe(topics.alerts(), Alerts, self._on_alerts, on_cleared=self._forgets(topics.alerts, self._rules))

    def _on_discovery(self, discovery: Discovery) -> None:
        self._begin()
        self._retained[discovery.device] = read_entities(discovery.config)

    def _on_invalid(self, topic: str) -> None:
        self._begin()
        self._retained[topics.discovery.name_in(topic)] = {}

    def _on_removed(self, topic: str) -> None:
        """A user can delete a device in Home Assistant. It returns at Home Assistant's next start."""
        self._retained.pop(topics.discovery.name_in(topic), None)

    def _on_home_assistant(self, status: HomeAssistantStatus) -> None:
        """Publishes all descriptions again, and removals, when Home Assistant has started or is connected again."""
        if status.state == "online" and self._is_settled:
            for device in self._removed - {*self._published}:
                self._bus.clear(topics.discovery(device))
            self._removed.clear()
            for device, config in self._published.items():
                self._bus.publish(Discovery(device, config))

    def _on_status(self, status: Status) -> None:
        self._begin()
        if status.about.labels:  # the last will of a classifier can lack them
            self._put(self._labels, status.module, status.about.labels, MAX_MODULES)
        self._put(self._captures, status.module, status.about.camera or "", MAX_MODULES)

    def _on_status_cleared(self, topic: str) -> None:
        module = topics.status.name_in(topic)
        self._labels.pop(module, None)
        self._captures.pop(module, None)
        self._publish_changes()

    def _on_label(self, label: CurrentLabel) -> None:
        self._begin()
        self._put(self._current, label.camera, None, MAX_CAMERAS)

    def _on_counts(self, counts: DayCounts) -> None:
        self._begin()
        self._put(self._counted, counts.camera, frozenset(counts.totals), MAX_CAMERAS)

    def _on_occupancy(self, occupancy: Occupancy) -> None:
        self._begin()
        self._put(self._areas, occupancy.camera, (tuple(occupancy.zones), occupancy.inside is not None), MAX_CAMERAS)

    def _on_alerts(self, alerts: Alerts) -> None:
        self._begin()
        self._put(self._rules, alerts.camera, alerts.rules, MAX_CAMERAS)

    def _forgets(self, topic: topics.Topic, known: dict[str, T]) -> Callable[[str], None]:
        """Returns a callback for a deleted message of a camera."""

        def on_cleared(received_on: str) -> None:
            known.pop(topic.name_in(received_on), None)
            self._publish_changes()

        return on_cleared

    def _put(self, known: dict[str, T], name: str, value: T, most: int) -> None:
        if (name not in known and len(known) < most) or (name in known and known[name] != value):
            known[name] = value
            self._publish_changes()

    def _begin(self) -> None:
        """Forgets the messages of an earlier connection, at the first message of a new one."""
        if self._connection != self._bus.connection:
            self._connection, self._is_settled = self._bus.connection, False
            for known in (self._captures, self._labels, self._current, self._counted, self._areas, self._rules, self._retained):
                known.clear()

    def _on_settled(self) -> None:
        """Publishes what has changed while there was no connection."""
        self._begin()
        self._is_settled = True
        self._publish_changes()

    def _publish_changes(self) -> None:
        self._begin()
        if not self._is_settled:
            return
        wanted = self._describe() if self._is_on else {}
        for device in sorted({*self._retained, *self._published} - {*wanted}):
            log.info("removed %s from Home Assistant", device)
            self._bus.clear(topics.discovery(device))
            self._published.pop(device, None)
            self._retained.pop(device, None)
            self._removed.add(device)
        for device, described in wanted.items():
            config = with_removals(described, self._previous(device))
            if config != self._published.get(device):
                self._bus.publish(Discovery(device, config))
                self._published[device] = config

    def _previous(self, device: str) -> dict[str, Config]:
        """Returns the entities that the device had so far."""
        published = self._published.get(device)
        return self._retained.get(device, {}) if published is None else published["components"]

    def _describe(self) -> dict[str, Config]:
        """Returns the description of each device. The suite comes first, because cameras refer to it."""
        modules = {camera: module for module, camera in sorted(self._captures.items()) if camera}
        others = tuple(sorted(module for module, camera in self._captures.items() if not camera))
        cameras = sorted({*modules, *self._current, *self._counted, *self._areas, *self._rules} - {SUITE})
        described = {SUITE: describe_suite(others)}
        for name in cameras:
            zones, has_lines = self._areas.get(name, ((), False))
            labels, rules = self._labels_of(name), self._rules.get(name, ())
            described[name] = describe_camera(Camera(name, modules.get(name), labels, zones, has_lines, rules))
        return described

    def _labels_of(self, camera: str) -> tuple[str, ...]:
        """Returns the labels that get an entity: those of the models, and others with visits today.

        While no model is known, those of before stay. `UNDECIDED`, which models do not list, always stays.
        """
        models = {label for labels in self._labels.values() for label in labels}
        before = {
            key.removeprefix(VISITS) for key, one in self._previous(camera).items() if key.startswith(VISITS) and len(one) > 1
        }
        found = {*self._counted.get(camera, ()), *(before & {UNDECIDED} if models else before)}
        return tuple(sorted(found | models if len(found | models) <= MAX_LABELS else found)[:MAX_LABELS])
