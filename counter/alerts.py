"""The alerts of one camera: each is raised once when its measure exceeds its limit, and cleared once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

from bus import ActiveAlert, Alert, AlertRule
from bus.alerts import Measured
from bus.fields import Seconds
from counter.ids import result_id
from counter.timeline import MIN_TIME, shifted

CLEAR_AFTER = 10.0
"""Seconds for which a measure must be low before its alert is cleared: who trembles at the border of a zone changes nothing."""
CLEAR_MARGIN = 0.1
"""Part of the limit by which a measure must fall below it. Numbers of visitors below ten must reach the limit only."""
TIMED_KINDS = frozenset({"lost_minutes", "uncounted_minutes"})
"""Kinds whose measure falls to zero at once, so that the alert is cleared at once. The others are measured at frames."""
UNKNOWN = nan
"""A measure that is not known, so that nothing changes."""
DIGITS = 3  # of measures and times

Measure = Callable[[AlertRule], float | None]
"""Returns the measure of a rule; `UNKNOWN`, or None if the rule does not apply now."""


@dataclass(slots=True)
class RaisedAlert:
    """An alert that is raised: its rule and its measure at that time, and since when the measure is low again."""

    id: str
    rule: AlertRule
    value: Measured
    since: Seconds
    low_since: Seconds | None = None
    demo: bool = False

    def is_over(self, value: float, at: float) -> bool:
        """Returns whether the measure has been low for long enough."""
        limit = self.rule.limit
        margin = limit * CLEAR_MARGIN
        if not value <= limit - (int(margin) if self.rule.kind in ("inside", "people") else margin):
            self.low_since = None
            return False
        self.low_since = at if self.low_since is None else min(at, self.low_since)  # the clock may have been set back
        return self.rule.kind in TIMED_KINDS or at - self.low_since >= CLEAR_AFTER

    @property
    def active(self) -> ActiveAlert:
        """The alert as other programs see it."""
        return ActiveAlert(self.rule.name, self.rule.kind, self.rule.zone, self.rule.limit, self.value, self.since)


class AlertBoard:
    """The alerts of one camera. `raised` is its state: the raised alerts, oldest first."""

    def __init__(self, camera: str, raised: list[RaisedAlert]) -> None:
        self._camera = camera
        self.raised = raised

    def update(self, rules: Sequence[AlertRule], measure: Measure, at: float, now: float, is_demo: bool) -> list[Alert]:
        """Returns the alerts that are raised or cleared.

        `at` is the time of the latest frame, by which visitors are measured; `now` is the wall clock's. An alert is cleared at
        once if its rule was changed or does not apply, and when the demo begins or ends.
        """
        if not rules and not self.raised:
            return []
        at, now = max(MIN_TIME, round(at, DIGITS)), max(MIN_TIME, round(now, DIGITS))
        values = {rule: measure(rule) for rule in rules}
        events = list[Alert]()
        for one in list(self.raised):
            value, when = values.get(one.rule), now if one.rule.kind in TIMED_KINDS else at
            if value is None or one.demo != is_demo or one.is_over(value, when):
                self.raised.remove(one)
                events.append(self._event(one, result_id(self._camera, "", "alert", one.id, "cleared"), False, when))
        known = {one.rule.name for one in self.raised}
        for rule, value in values.items():
            if value is not None and value > rule.limit and rule.name not in known:
                when = now if rule.kind in TIMED_KINDS else at
                alert_id = result_id(self._camera, "", "alert", rule.name, when)
                one = RaisedAlert(alert_id, rule, round(value, DIGITS), when, demo=is_demo)
                self.raised.append(one)
                events.append(self._event(one, alert_id, True, when))
        return events

    def shift(self, by: float) -> None:
        """Shifts the times of frames by a number of seconds, because the camera's clock was set."""
        for one in self.raised:
            if one.rule.kind not in TIMED_KINDS:
                one.since = shifted(one.since, by)
                one.low_since = None if one.low_since is None else shifted(one.low_since, by)

    def _event(self, one: RaisedAlert, event_id: str, is_active: bool, at: float) -> Alert:
        alert = one.active
        what = alert.rule, alert.kind, alert.zone, alert.limit, alert.value, alert.since
        return Alert(event_id, self._camera, one.id, is_active, *what, at, one.demo)


class Timer:
    """The seconds since something last happened, by a clock that is never set, while the counter listens.

    After a start, or a time in which the counter did not listen, it begins again, and it is `UNKNOWN` whether the thing happened.
    """

    def __init__(self, steady: float) -> None:
        self.restart(steady)

    def restart(self, steady: float) -> None:
        """Begins again without a sign of the thing."""
        self._since, self._has_happened = steady, False

    def happened(self, steady: float) -> None:
        self._since, self._has_happened = steady, True

    def minutes(self, steady: float, limit: float) -> float:
        """Returns the minutes; `UNKNOWN` if they may be more, up to a limit in minutes."""
        minutes = (steady - self._since) / 60
        return minutes if self._has_happened or minutes > limit else UNKNOWN
