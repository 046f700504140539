"""The topics of the suite; no other file spells one.

Each function returns the topic of one camera, display, asker or module; with its default, ``+``, the filter for all of them.
"""

ROOT = "footfall"
RESERVED_CAMERAS = frozenset({"classifier", "display", "query", "status"})
"""Second levels that are no cameras."""


def shared(topic: str, share: str) -> str:
    """The filter by which the members of a share divide a topic among them."""
    return f"$share/{share}/{topic}"


def frame(camera: str = "+") -> str:
    return f"{ROOT}/{camera}/frame"


def prediction(camera: str = "+") -> str:
    return f"{ROOT}/{camera}/prediction"


def visit(camera: str = "+") -> str:
    return f"{ROOT}/{camera}/visit"


def summary(camera: str = "+") -> str:
    return f"{ROOT}/{camera}/summary"


def label(camera: str = "+") -> str:
    return f"{ROOT}/{camera}/label"


def counts(camera: str = "+") -> str:
    return f"{ROOT}/{camera}/counts"


def command(camera: str = "+") -> str:
    return f"{ROOT}/{camera}/command"


def second_level(topic: str) -> str:
    """The camera that a topic of the form footfall/<camera>/... is about."""
    return topic.split("/")[1]


def question(asker: str = "+") -> str:
    return f"{ROOT}/query/{asker}/question"


def answer(asker: str = "+") -> str:
    return f"{ROOT}/query/{asker}/answer"


def third_level(topic: str) -> str:
    """The asker or module that a topic of the form footfall/query/<asker>/... or footfall/status/<module> is about."""
    return topic.split("/")[2]


def pixels(display: str = "+") -> str:
    return f"{ROOT}/display/{display}/pixels"


def status(module: str = "+") -> str:
    return f"{ROOT}/status/{module}"


def wanted_model() -> str:
    return f"{ROOT}/classifier/model"
