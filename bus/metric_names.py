"""The names of all metrics, as in a module's status.

Beside them, every module counts each kind of message that it receives and publishes, as ``frames_in`` and ``visits_out``.
"""

# Every module
INVALID = "invalid"
"""Messages or pictures that are not as declared."""
FAILED = "failed"
"""Messages that could not be handled because of an error in Footfall."""
TOO_LARGE = "too_large"
DROPPED_QUEUE_FULL = "dropped_queue_full"
DROPPED_OFFLINE = "dropped_offline"
DROPPED_UNSENT = "dropped_unsent"
CONNECT_FAILED = "connect_failed"
DISCONNECTED = "disconnected"
REVIVED = "revived"
"""Restarts of the connection's thread."""
HEALTH_FAILED = "health_failed"
"""Times that the health file could not be written."""

# Capture
UNPREDICTED = "unpredicted"
"""Frames of a recording for which no prediction came."""
UNUSABLE = "unusable"
CLOCK_STEPPED = "clock_stepped"
"""Seconds by which the wall clock was last set."""
CLOCK_STEPS = "clock_steps"

# Classifier
DROPPED_FOR_NEWER = "dropped_for_newer"
DROPPED_OLD = "dropped_old"
DROPPED_AHEAD = "dropped_ahead"
INFERENCE_MS = "inference_ms"
FRAME_AGE_MS = "frame_age_ms"

# Counter
INVALID_STATE = "invalid_state"
"""Saved states of a camera that could not be read."""
TOO_FAR_APART = "too_far_apart"
DROPPED_LATE = "dropped_late"
"""Predictions that were repeated, or came after a newer one of their session."""
DROPPED_PAUSED = "dropped_paused"
DROPPED_CAMERA = "dropped_camera"
LEDGER_FAILED = "ledger_failed"
LEDGERS_REPLACED = "ledgers_replaced"
CLOCK_JUMP_SECONDS = "clock_jump_seconds"
DROPPED_QUESTIONS = "dropped_questions"
UNANSWERED = "unanswered"

# Bridge
OUTBOX = "outbox"
"""Messages that wait for a sink."""
OUTBOX_FAILED = "outbox_failed"
OUTBOXES_REPLACED = "outboxes_replaced"
DROPPED_RESULTS = "dropped_results"
"""Of an outbox that is full."""
SINK_SENT = "sink_sent"
SINK_FAILED = "sink_failed"
EDGEHUB_CLIENTS = "edgehub_clients"
EDGEHUB_STUCK = "edgehub_stuck"
