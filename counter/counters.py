"""What the counter counts in its metrics, by camera and label."""

from collections.abc import Iterable

from bus import Crossing, Prediction, Visit
from bus import metric_names as names
from runtime.metrics import Metrics


def on_prediction(metrics: Metrics, prediction: Prediction, now: float) -> None:
    """Counts a prediction's age; `now` is in Unix seconds.

    Adds its labels of visitors with 0 visits, because the growth of a counter can only be seen from its second value on.
    """
    metrics.observe(names.PREDICTION_AGE_MS, round((now - prediction.captured_at) * 1000, 1), camera=prediction.camera)
    for labels in [one.labels for one in prediction.detections] or [prediction.labels]:
        for label in labels[:1]:
            if label.visitor:
                metrics.add(names.VISITS, 0, camera=prediction.camera, label=label.name)


def on_commit(metrics: Metrics, results: Iterable[Visit | Crossing]) -> None:
    """Counts visits and crossings that were committed to the ledger for the first time."""
    for one in results:
        match one:
            case Visit():
                metrics.add(names.VISITS, camera=one.camera, label=one.label)
            case Crossing():
                metrics.add(names.CROSSINGS, camera=one.camera, label=one.label, line=one.line, direction=one.direction)
