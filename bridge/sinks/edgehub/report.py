"""The reported properties: policy, model, and the state of each module."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel

from bridge.policy import Policy
from bus import Status
from runtime.address import public_address

MAX_MODULES = 24
MAX_METRICS = 24
MAX_TEXT = 256
"""Characters of one text."""
MAX_ABOUT = 64
"""Characters of a state, a camera or a model."""
MAX_LABELS = 20
METRIC = r"[A-Za-z0-9_]{1,64}"
LARGEST = 2**52
"""A twin's whole numbers are smaller."""


def describe_policy(policy: Policy) -> dict[str, Any]:
    """The policy by the names of the desired properties."""
    labels = [label[:MAX_TEXT] for label in policy.labels[:MAX_LABELS]]
    return {to_camel(name): value for name, value in asdict(policy).items()} | {"labels": labels}


def describe_model(classifier: Status | None, is_wanted: bool) -> dict[str, Any]:
    """What became of the wanted model, as the classifier says; of its address scheme, host and port only."""
    update = classifier.about.update if classifier else None
    if update is None:
        return {"state": "waiting", "detail": "the classifier has not answered"} if is_wanted else {}
    return {
        "state": update.state,
        "url": update.url and public_address(update.url)[:MAX_TEXT],
        "sha256": update.sha256,
        "detail": update.detail[:MAX_TEXT],
        "previous": update.previous,
    }


def describe_modules(statuses: Mapping[str, Status]) -> dict[str, Any]:
    """The state of each module by name, with its metrics."""
    modules: dict[str, dict[str, Any]] = {}
    for name, status in sorted(statuses.items())[:MAX_MODULES]:
        about = {"camera": status.about.camera, "model": status.about.model}
        modules[name] = {
            "state": status.state[:MAX_ABOUT],
            "detail": status.detail[:MAX_TEXT],
            "since": status.since,
            **{key: value[:MAX_ABOUT] for key, value in about.items() if value is not None},
            "metrics": _metrics(status.metrics),
        }
    return modules


def _metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that a twin accepts: not too large, under names without dots, dollars and blanks."""
    accepted = {name: value for name, value in metrics.items() if re.fullmatch(METRIC, name) and abs(value) < LARGEST}
    return dict(sorted(accepted.items())[:MAX_METRICS])
