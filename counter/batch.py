"""The effects of some messages and timeouts, which are committed together."""

from dataclasses import dataclass, field
from math import inf

from bus import Alerts, Command, CurrentLabel, Occupancy, Tracks
from counter.camera import Camera
from counter.changes import Changes

MAX_WAIT = 0.5
"""Seconds for which a prediction waits for others, if it gives nothing to publish: each commit writes whole pages of 4 kB."""


@dataclass
class Batch:
    """The effects of some messages and timeouts: first committed, then published. Tracks are published at once."""

    changes: Changes = field(default_factory=Changes)
    cameras: dict[str, Camera] = field(default_factory=dict)  # cameras that may have changed
    labels: list[CurrentLabel] = field(default_factory=list)  # every change, in order
    occupancies: list[Occupancy] = field(default_factory=list)  # where it changed
    alerts: list[Alerts] = field(default_factory=list)  # where they changed
    tracks: list[Tracks] = field(default_factory=list)  # in the last frame of each camera
    commands: list[Command] = field(default_factory=list)
    commit_at: float = inf  # steady time at which its first prediction has waited long enough; without one, nothing waits

    def on_prediction(self, steady: float) -> None:
        """Notes that a prediction was counted."""
        self.commit_at = min(self.commit_at, steady + MAX_WAIT)

    def observe(self) -> None:
        """Adds the occupancies, alerts and tracks that have changed since the last call."""
        for camera in self.cameras.values():
            if (occupancy := camera.occupancy_if_changed()) is not None:
                self.occupancies.append(occupancy)
            if (alerts := camera.alerts_if_changed()) is not None:
                self.alerts.append(alerts)
            if (tracks := camera.tracks_if_any()) is not None:
                self.tracks.append(tracks)

    def can_wait(self, steady: float) -> bool:
        """Returns whether it may grow: it has predictions, and gives nothing to publish."""
        results = self.changes or self.labels or self.occupancies or self.alerts or self.commands
        return steady < self.commit_at < inf and not results

    def finish(self) -> Changes:
        """Returns the changes, with the new states of the cameras."""
        changed = {name: camera.state_if_changed() for name, camera in self.cameras.items()}
        self.changes.states.update({name: text for name, text in changed.items() if text is not None})
        return self.changes
