"""Who may do what on which topic, as the design means it: written by hand, and compared with no file."""

from typing import NamedTuple

GUEST = "guest"
USERS = (
    *("capture", "capture-back", "classifier", "classifier-2", "display", "display-hall"),
    *("bridge", "operator", "reader"),
)
"""Of a broker with the cameras door and back and the displays matrix and hall."""

UNKNOWN = "other"
"""A camera, display, module and asker that the broker was not told of."""


class Row(NamedTuple):
    """One kind of topic: the roles that may write it where its name is one of `names`, and those that may read it anywhere."""

    topic: str
    names: tuple[str, ...]
    writers: str
    readers: str


TABLE = (
    Row("footfall/{}/frame", ("door", "back"), "capture", "classifier display"),
    Row("footfall/{}/prediction", ("door", "back"), "classifier", "guest display bridge operator reader"),
    Row("footfall/{}/visit", ("door", "back"), "bridge", "guest display operator reader"),
    Row("footfall/{}/label", ("door", "back"), "bridge operator", "guest display bridge operator reader"),
    Row("footfall/{}/counts", ("door", "back"), "bridge operator", "guest display operator reader"),
    Row("footfall/{}/command", ("door", "back"), "bridge operator", ""),
    Row("footfall/display/{}/pixels", ("matrix", "hall"), "display", "guest display operator reader"),
    Row("footfall/status/{}", USERS, "operator", "guest capture display bridge operator reader"),
    Row("footfall/query/{}/question", (), "", "bridge"),
    Row("footfall/query/{}/answer", ("display", "display-hall", "operator", "reader"), "bridge", ""),
)
"""Besides, what is a user's own, and the commands that are read: in the functions below."""

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
MODULES = ("capture", "classifier", "display", "bridge")
ASKERS = ("display", "operator", "reader")


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
    if role in ("capture", "bridge", "operator"):
        topics |= {"footfall/door/command", "footfall/back/command"}
    if role == "capture":
        topics |= {"footfall/door/prediction", "footfall/back/prediction"}
    if role in ASKERS:
        topics.add(f"footfall/query/{user}/answer")
    return topics
