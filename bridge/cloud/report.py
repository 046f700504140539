"""What the bridge tells the cloud of itself and the other modules: the reported properties of its module twin."""

import re
from collections.abc import Mapping
from typing import Any

from bridge.policy import Policy
from bus import Status

MOST_MODULES = 32
MOST_FIGURES = 24
MOST_TEXT = 256
"""Characters of one text."""
MOST_LABELS = 20
FIGURE = r"[A-Za-z0-9_]{1,64}"
LARGEST = 2**52
"""A twin's whole numbers are smaller."""


def of_policy(policy: Policy) -> dict[str, Any]:
    """The policy by the names that the desired properties have."""
    return {
        "forward": policy.forward,
        "minProbability": policy.min_probability,
        "labels": [label[:MOST_TEXT] for label in policy.labels[:MOST_LABELS]],
        "intervalSeconds": policy.interval,
    }


def of_modules(statuses: Mapping[str, Status]) -> dict[str, Any]:
    """The state of each module by name, with its metrics."""
    told: dict[str, dict[str, Any]] = {}
    for name, status in sorted(statuses.items())[:MOST_MODULES]:
        told[name] = {
            "state": status.state[:MOST_TEXT],
            "detail": status.detail[:MOST_TEXT],
            "since": status.since,
            "metrics": _metrics(status.metrics),
        }
    return told


def _metrics(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a twin takes: numbers and short texts, under names without dots, dollars and blanks."""
    plain = {
        name: value[:MOST_TEXT] if isinstance(value, str) else value
        for name, value in metrics.items()
        if re.fullmatch(FIGURE, name) and (isinstance(value, str) or (isinstance(value, int | float) and abs(value) < LARGEST))
    }
    return dict(sorted(plain.items())[:MOST_FIGURES])


def difference(before: Any, now: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7396) that makes `now` of `before`."""
    before = before if isinstance(before, Mapping) else {}
    patch: dict[str, Any] = {name: None for name in before if name not in now and not name.startswith("$")}
    for name, value in now.items():
        if isinstance(value, Mapping):
            inner = difference(before.get(name), value)
            if inner or not isinstance(before.get(name), Mapping):
                patch[name] = inner
        elif before.get(name) != value:  # a twin has no null: it takes the name away
            patch[name] = value
    return patch


def merged(before: Any, patch: Mapping[str, Any]) -> dict[str, Any]:
    """What a merge patch makes of `before`."""
    now = dict(before) if isinstance(before, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            now.pop(name, None)
        else:
            now[name] = merged(now.get(name), value) if isinstance(value, Mapping) else value
    return now
