"""The topics of the suite; no other file spells one.

Called with the name of a camera, asker, display or module, each gives its topic; without a name, the filter for all of them.
"""

RESERVED_CAMERAS = frozenset({"classifier", "display", "query", "status"})
"""Second levels that are no cameras."""


class Topic:
    """A topic with a message's field in it: ``footfall/{camera}/frame``."""

    def __init__(self, template: str) -> None:
        self._before, _, rest = template.partition("{")
        self._field, _, self._after = rest.partition("}")

    def __call__(self, name: str = "+", /) -> str:
        return f"{self._before}{name}{self._after}" if self._field else self._before

    def of(self, message: object) -> str:
        """The topic of a message."""
        return self(getattr(message, self._field)) if self._field else self._before

    def name_in(self, topic: str) -> str:
        """The name of the camera, asker, display or module in a topic of this form."""
        return topic.split("/")[self._before.count("/")]

    def fields_in(self, topic: str) -> dict[str, str]:
        """The field that a topic contains."""
        return {self._field: self.name_in(topic)} if self._field else {}


# Of a camera
frame = Topic("footfall/{camera}/frame")
prediction = Topic("footfall/{camera}/prediction")
visit = Topic("footfall/{camera}/visit")
summary = Topic("footfall/{camera}/summary")
label = Topic("footfall/{camera}/label")
counts = Topic("footfall/{camera}/counts")
command = Topic("footfall/{camera}/command")
# Of an asker
question = Topic("footfall/query/{asker}/question")
answer = Topic("footfall/query/{asker}/answer")
# Of a display
pixels = Topic("footfall/display/{name}/pixels")
# Of a module
status = Topic("footfall/status/{module}")
# Of all classifiers
wanted_model = Topic("footfall/classifier/model")


def shared(topic: str, share: str) -> str:
    """The filter by which the members of a share divide a topic among them."""
    return f"$share/{share}/{topic}"
