"""Which user may read or write which topic, as designed: written by hand, not derived from any file."""

from typing import NamedTuple

GUEST = "guest"
USERS = (
    *("capture", "capture-back", "classifier", "classifier-2", "counter", "bridge", "dashboard", "display", "display-hall"),
    *("operator", "reader"),
)
"""Of a broker with the cameras door and back and the displays matrix and hall."""

UNKNOWN = "other"
"""A camera, display, module and asker that the broker does not know."""


class Row(NamedTuple):
    """One kind of topic: roles that may write it where its name is one of `names`, and roles that may read it everywhere."""

    topic: str
    names: tuple[str, ...]
    writers: str
    readers: str


CAMERAS = ("door", "back")
TABLE = (
    Row("footfall/{}/frame", CAMERAS, "capture", "classifier dashboard"),
    Row("footfall/{}/prediction", CAMERAS, "classifier", "guest counter bridge dashboard display operator reader"),
    Row("footfall/{}/visit", CAMERAS, "counter", "guest bridge dashboard operator reader"),
    Row("footfall/{}/summary", CAMERAS, "counter", "guest bridge operator reader"),
    Row("footfall/{}/label", CAMERAS, "counter operator", "guest counter bridge dashboard operator reader"),
    Row("footfall/{}/counts", CAMERAS, "counter operator", "guest bridge dashboard operator reader"),
    Row("footfall/{}/command", CAMERAS, "bridge operator", ""),
    Row("footfall/{}/model", ("classifier",), "bridge operator", ""),
    Row("footfall/display/{}/pixels", ("matrix", "hall"), "display", "guest dashboard operator reader"),
    Row("footfall/status/{}", USERS, "operator", "guest capture counter bridge dashboard operator reader"),
    Row("footfall/query/{}/question", (), "", "counter"),
    Row("footfall/query/{}/answer", ("bridge", "dashboard", "operator", "reader"), "counter", ""),
)
"""The functions below add each user's own topics, and who reads commands and the wanted model."""

ELSEWHERE = (
    *(
        "footfall",
        "footfall/door",
        "footfall/door/frame/more",
        "footfall/door/other",
        "footfall/status",
        "footfall/status/capture/more",
    ),
    *("footfall/display/matrix", "footfall/query/reader", "other", "other/door/frame", "/footfall/door/frame", "door/frame"),
    *("$footfall/door/frame", "$SYS/broker/version", "$SYS/other"),
)
VERSION = "$SYS/broker/version"
MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
ROLES = (*MODULES, "operator", "reader")
ASKERS = ("bridge", "dashboard", "operator", "reader")


def role_of(user: str) -> str:
    """A user called role-something has that role."""
    return user.partition("-")[0]


def _all_names(row: Row) -> tuple[str, ...]:
    """Those that may be written, those of everybody else, and one that nobody has."""
    others = USERS if "status" in row.topic or "query" in row.topic else ()
    return tuple(dict.fromkeys((*row.names, *others, UNKNOWN)))


TOPICS = tuple(row.topic.format(name) for row in TABLE for name in _all_names(row)) + ELSEWHERE


def written_by(user: str) -> set[str]:
    """The topics that this user may write."""
    role = role_of(user)
    topics = {row.topic.format(name) for row in TABLE if role in row.writers.split() for name in row.names}
    if role in MODULES:
        topics.add(f"footfall/status/{user}")
    if role == "operator":
        topics |= {f"footfall/status/{UNKNOWN}", f"footfall/{UNKNOWN}/label", f"footfall/{UNKNOWN}/counts"}
    if role in ASKERS:
        topics.add(f"footfall/query/{user}/question")
    return topics


def read_by(user: str) -> set[str]:
    """The topics that this user may read, $SYS apart."""
    role = role_of(user)
    topics = {row.topic.format(name) for row in TABLE if role in row.readers.split() for name in _all_names(row)}
    if role in ("capture", "counter", "operator"):
        topics |= {f"footfall/{camera}/command" for camera in CAMERAS}
    if role == "capture":
        topics |= {f"footfall/{camera}/prediction" for camera in CAMERAS}
    if role in ("classifier", "operator"):
        topics.add("footfall/classifier/model")
    if role in ASKERS:
        topics.add(f"footfall/query/{user}/answer")
    return topics
