"""Environment variables that look like a setting with a typing error."""

from collections.abc import Iterable
from difflib import get_close_matches

SETTINGS = frozenset(
    {
        *("MODULE_NAME", "IOTEDGE_MODULEID", "MQTT_HOST", "MQTT_PORT", "MQTT_USERNAME", "MQTT_PASSWORD", "MQTT_PASSWORD_FILE"),
        *("MQTT_CA_FILE", "HEALTH_FILE", "VERBOSE", "LOG_FORMAT", "RUNTIMELOGLEVEL", "THRESHOLD", "BACKGROUND_LABELS"),
        *("CAMERA", "VIDEO_PATH", "LOOP_VIDEO", "FRAME_RATE", "RESIZE_WIDTH", "RESIZE_HEIGHT", "ROTATE", "CONVERT_TO_GRAY"),
        *("JPEG_QUALITY", "MODEL", "CAMERAS", "SHARE", "MAX_FRAME_AGE", "NUM_THREADS", "XNNPACK", "DELEGATE", "HTTP_PORT"),
        *("HTTP_HOST", "URL_HOSTS", "DISPLAY_NAME", "MATRIX", "ICONS", "HOLD_SECONDS", "WEB_PORT", "WEB_HOST", "WEB_PUBLISHED"),
        *("WEB_NAMES", "WEB_PASSWORD", "WEB_PASSWORD_FILE", "WEB_TLS_CERT", "WEB_TLS_KEY", "STATE_DIR", "KEEP_DAYS", "TZ"),
        *(
            "VISIT_FRAMES",
            "VISIT_GAP_SECONDS",
            "UPSTREAM",
            "LOG_RESULTS",
            "FORWARD",
            "MIN_PROBABILITY",
            "LABELS",
            "INTERVAL_SECONDS",
        ),
        *("OUTBOX_MAX", "MODEL_STORE"),
    }
)
"""Of all modules, in capitals: a module knows the others' too, as ``CAMERAS`` is no misspelt ``CAMERA``."""

CUTOFF = 0.8
"""Similarity from which on a name is taken for a misspelt one; 1 is equal."""
SHORTEST = 5
"""Characters; shorter names are too close to others by chance."""


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """The environment variables among `names` that are no setting, with the setting that each is close to.

    A first letter that differs is another program's prefix, as in ``OMP_NUM_THREADS``, and no typing error.
    """
    found = {}
    for name in sorted(names):
        alike = [one for one in SETTINGS if one[0] == name[:1].upper() and len(one) >= SHORTEST]
        close = get_close_matches(name.upper(), alike, 1, CUTOFF)
        if close and name.upper() not in SETTINGS and len(name) >= SHORTEST:
            found[name] = close[0]
    return found


def warnings(names: Iterable[str]) -> list[str]:
    """A line for each of those variables."""
    return [f"{name} is not a setting, so it changes nothing: is {close} meant?" for name, close in misspelt(names).items()]
