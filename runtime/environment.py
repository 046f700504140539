"""Environment variables that look like a setting with a typing error."""

from collections.abc import Iterable
from difflib import get_close_matches

SETTINGS = frozenset(
    [
        "BACKGROUND_LABELS",
        "CAMERA",
        "CAMERAS",
        "CONVERT_TO_GRAY",
        "DELEGATE",
        "DISPLAY_NAME",
        "FORWARD",
        "FRAME_RATE",
        "HEALTH_FILE",
        "HOLD_SECONDS",
        "HTTP_HOST",
        "HTTP_PORT",
        "ICONS",
        "INTERVAL_SECONDS",
        "IOTEDGE_MODULEID",
        "JPEG_QUALITY",
        "KEEP_DAYS",
        "LABELS",
        "LOG_FORMAT",
        "LOG_RESULTS",
        "LOOP_VIDEO",
        "MATRIX",
        "MAX_FRAME_AGE",
        "MIN_PROBABILITY",
        "MODEL",
        "MODEL_STORE",
        "MODULE_NAME",
        "MQTT_CA_FILE",
        "MQTT_HOST",
        "MQTT_PASSWORD",
        "MQTT_PASSWORD_FILE",
        "MQTT_PORT",
        "MQTT_USERNAME",
        "NUM_THREADS",
        "OUTBOX_MAX",
        "RESIZE_HEIGHT",
        "RESIZE_WIDTH",
        "ROTATE",
        "RUNTIMELOGLEVEL",
        "SHARE",
        "STATE_DIR",
        "THRESHOLD",
        "TZ",
        "UPSTREAM",
        "URL_HOSTS",
        "VERBOSE",
        "VIDEO_PATH",
        "VISIT_FRAMES",
        "VISIT_GAP_SECONDS",
        "WEB_HOST",
        "WEB_NAMES",
        "WEB_PASSWORD",
        "WEB_PASSWORD_FILE",
        "WEB_PORT",
        "WEB_PUBLISHED",
        "WEB_TLS_CERT",
        "WEB_TLS_KEY",
        "XNNPACK",
    ]
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
