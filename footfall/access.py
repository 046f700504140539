"""The broker's access list: which topics each user can read and publish."""

import re
from functools import cache

from footfall.state import ROOT
from runtime.errors import InvalidSetting

ACCESS = ROOT / "mosquitto" / "access.acl"
GUESTS = "guests"
"""The role of the rules before the first user in the access list."""
Rules = dict[str, dict[str, bool]]
"""By right, read or write: each filter, and whether the topic is the user's, or its camera's or display's."""


@cache
def access() -> dict[str, Rules]:
    """Returns the rules by user. Raises `InvalidSetting` without the access list, which is not in the Python package."""
    try:
        lines = ACCESS.read_text("utf-8").splitlines()
    except OSError as error:
        raise InvalidSetting(f"{ACCESS}: {error.strerror}; run it in Footfall's source folder") from None
    role = GUESTS
    rules: dict[str, Rules] = {}
    for line in lines:
        match line.split():
            case ["user", name]:
                role = name
            case ["topic", right, topic]:
                own = rules.setdefault(role, {"read": {}, "write": {}})
                for each_right in ("read", "write") if right == "readwrite" else (right,):
                    own[each_right][re.sub("<[a-z]+>", "+", topic)] = "<user>" in topic or "<own>" in topic
    return rules


def users(topic: str, right: str) -> list[str]:
    """Returns the users that have a right, read or write, for a topic's filter."""
    return [role for role, rules in access().items() if topic in rules[right]]
