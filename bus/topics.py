"""The topics of the suite; no other file spells one.

Each function returns the topic of one camera, asker, display or module; without an argument, the filter for all of them.
"""

from typing import Protocol

RESERVED_CAMERAS = frozenset({"classifier", "display", "query", "status"})
"""Second levels that are no cameras."""


class _Topic(Protocol):
    def __call__(self, name: str = "+", /) -> str: ...


def _topic(template: str) -> _Topic:
    def topic(name: str = "+", /) -> str:
        return template.format(name)

    return topic


# Of a camera
frame = _topic("footfall/{}/frame")
prediction = _topic("footfall/{}/prediction")
visit = _topic("footfall/{}/visit")
summary = _topic("footfall/{}/summary")
label = _topic("footfall/{}/label")
counts = _topic("footfall/{}/counts")
command = _topic("footfall/{}/command")
# Of an asker
question = _topic("footfall/query/{}/question")
answer = _topic("footfall/query/{}/answer")
# Of a display
pixels = _topic("footfall/display/{}/pixels")
# Of a module
status = _topic("footfall/status/{}")


def wanted_model() -> str:
    return "footfall/classifier/model"


def second_level(topic: str) -> str:
    """The camera in a topic of the form footfall/<camera>/..."""
    return topic.split("/")[1]


def third_level(topic: str) -> str:
    """The asker or module in a topic of the form footfall/query/<asker>/... or footfall/status/<module>."""
    return topic.split("/")[2]


def shared(topic: str, share: str) -> str:
    """The filter by which the members of a share divide a topic among them."""
    return f"$share/{share}/{topic}"
