"""All topics. No other file spells a topic.

Each is callable. With the name of a camera, asker, display or module it returns a topic; without a name, the wildcard filter.
"""

RESERVED_CAMERAS = frozenset({"classifier", "display", "query", "status"})
"""Second topic levels that are not cameras."""


class Topic:
    """A topic template with one field of the message: ``footfall/{camera}/frame``."""

    def __init__(self, template: str) -> None:
        self._before, _, rest = template.partition("{")
        self._field, _, self._after = rest.partition("}")

    def __call__(self, name: str = "+", /) -> str:
        return f"{self._before}{name}{self._after}" if self._field else self._before

    def of(self, message: object) -> str:
        """Returns the topic of a message."""
        return self(getattr(message, self._field)) if self._field else self._before

    def name_in(self, topic: str) -> str:
        """Returns the name of the camera, asker, display or module in a topic of this form."""
        return topic.split("/")[self._before.count("/")]

    def fields_in(self, topic: str) -> dict[str, str]:
        """Returns the template's field with its value in a topic; empty if the template has no field."""
        return {self._field: self.name_in(topic)} if self._field else {}


# Of a camera
frame = Topic("footfall/{camera}/frame")
prediction = Topic("footfall/{camera}/prediction")
visit = Topic("footfall/{camera}/visit")
crossing = Topic("footfall/{camera}/crossing")
summary = Topic("footfall/{camera}/summary")
label = Topic("footfall/{camera}/label")
counts = Topic("footfall/{camera}/counts")
occupancy = Topic("footfall/{camera}/occupancy")
alert = Topic("footfall/{camera}/alert")
alerts = Topic("footfall/{camera}/alerts")
tracks = Topic("footfall/{camera}/tracks")
setup = Topic("footfall/{camera}/setup")
command = Topic("footfall/{camera}/command")
# Of an asker
question = Topic("footfall/query/{asker}/question")
answer = Topic("footfall/query/{asker}/answer")
# Of a display
pixels = Topic("footfall/display/{name}/pixels")
# Of a module
status = Topic("footfall/status/{module}")
# Of the place
site = Topic("footfall/site")
# Of all classifiers
wanted_model = Topic("footfall/classifier/model")
# Of Home Assistant
discovery = Topic("homeassistant/device/footfall/{device}/config")
homeassistant = Topic("homeassistant/status")


def shared(topic: str, share: str) -> str:
    """Returns the filter of a shared subscription, whose members divide the messages of a topic."""
    return f"$share/{share}/{topic}"
