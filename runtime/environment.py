"""Environment variables: the names of all settings, and detection of those that look like misspelt ones."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

_NAMES = """
ALERTS BACKGROUND_LABELS CAMERA CAMERAS CAMERA_FORMAT CAMERA_RATE CAMERA_SIZE CONVERT_TO_GRAY CROPS CROP_MARGIN DELEGATE
DETECTOR DISPLAY_NAME FAST_DECODE FORWARD FRAME_RATE HEALTH_FILE HEARTBEAT_SECONDS HOLD_SECONDS HOMEASSISTANT HTTP_HOST
HTTP_PORT ICONS INTERVAL_SECONDS IOTEDGE_MODULEID JPEG_QUALITY KEEP_DAYS LABELS LINES LOG_FORMAT LOG_RESULTS LOOP_VIDEO
MATRIX MAX_FRAME_AGE METRICS_HOST METRICS_PORT MIN_CROP MIN_PROBABILITY MODEL MODULE_NAME MOTION MOTION_HOLD MQTT_CA_FILE
MQTT_CERT_FILE MQTT_HOST MQTT_KEY_FILE MQTT_PASSWORD MQTT_PASSWORD_FILE MQTT_PORT MQTT_SINK_CA_FILE MQTT_SINK_CERT_FILE
MQTT_SINK_CLIENT_ID MQTT_SINK_HOST MQTT_SINK_KEY_FILE MQTT_SINK_PASSWORD MQTT_SINK_PASSWORD_FILE MQTT_SINK_PORT
MQTT_SINK_STATE MQTT_SINK_TLS MQTT_SINK_USERNAME MQTT_USERNAME NUM_THREADS OCCUPANCY_RESET OPENING_HOURS OUTBOX_MAX
PERSON_MODEL_URL REGION RESIZE_HEIGHT RESIZE_WIDTH ROTATE RUNTIMELOGLEVEL SHARE SHOW SINKS SOURCE_MODULES SOURCE_TIMEOUT
STATE_DIR THRESHOLD TOPIC_ROOT TZ URL_HOSTS VERBOSE VIDEO_PATH VISITORS VISIT_FRAMES VISIT_GAP_SECONDS WEBHOOK_CA_FILE
WEBHOOK_SECRET_FILE WEBHOOK_URL WEB_HOST WEB_NAMES WEB_PASSWORD WEB_PASSWORD_FILE WEB_PORT WEB_PUBLISHED WEB_TLS_CERT
WEB_TLS_KEY XNNPACK ZONES
"""
SETTINGS = frozenset(_NAMES.split())
"""The settings of all modules, because a container has the code of one module only. `CAMERAS` is then not taken for `CAMERA`."""
MIN_SIMILARITY = 0.8
"""Minimum similarity of a misspelt name to the setting; 1 is equal."""
MIN_LENGTH = 5
"""Minimum length in characters; shorter names resemble others by chance."""


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Returns the setting that each misspelt name resembles, by name.

    The first letter must match: others are prefixes of other programs, as in ``OMP_NUM_THREADS``.
    """
    found = {}
    for name in sorted(names):
        candidates = [one for one in SETTINGS if one[0] == name[:1].upper() and len(one) >= MIN_LENGTH]
        close = get_close_matches(name.upper(), candidates, 1, MIN_SIMILARITY)
        if close and name.upper() not in SETTINGS and len(name) >= MIN_LENGTH:
            found[name] = close[0]
    return found


def warnings(names: Iterable[str]) -> list[str]:
    """Returns a log line for each misspelt name."""
    return [f"{name} is not a setting and is ignored; did you mean {close}?" for name, close in misspelt(names).items()]


def without(environment: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Returns an environment without the variables of these names, in upper or lower case, as settings can be."""
    dropped = {name.upper() for name in names}
    return {name: value for name, value in environment.items() if name.upper() not in dropped}
