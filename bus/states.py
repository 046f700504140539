"""The states of a module, as in its status."""

STARTING = "starting"
RUNNING = "running"
PAUSED = "paused"
"""A camera that was commanded to pause."""
ENDED = "ended"
"""A recording that is played once is at its end, and all of its predictions have come."""
OFFLINE = "offline"
"""Stopped, or without a connection to the broker."""
CAMERA_LOST = "camera-lost"
MODEL_REFUSED = "model-refused"
"""The model's files were changed and cannot be served; the last good model is."""
LEDGER_UNAVAILABLE = "ledger-unavailable"
OUTBOX_UNAVAILABLE = "outbox-unavailable"
MATRIX_LOST = "matrix-lost"

HEALTHY = frozenset({STARTING, RUNNING, PAUSED, ENDED, OFFLINE})
"""States that are no reason for a warning."""
