"""The names that people gave to the place and to labels, and how its dates are written."""

from typing import Annotated

from pydantic import AfterValidator, Field, Strict
from pydantic.dataclasses import dataclass

from bus import topics
from bus.fields import GivenName, Items, Text
from bus.requests import Request

_LOCALE = {"allowed": "must be a language and a region, such as de-CH"}
Locale = Annotated[str, Strict(), Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|[0-9]{3})$", json_schema_extra=_LOCALE)]
"""A language tag by BCP 47 (RFC 5646): language, perhaps a script, and region."""
_COLOUR = {"allowed": "must be a colour such as #c2255c"}
Colour = Annotated[str, Strict(), Field(pattern=r"^#[0-9a-f]{6}$", json_schema_extra=_COLOUR)]
"""Red, green and blue, two hexadecimal digits each."""


@dataclass(frozen=True, slots=True)
class SiteLabel:
    """How a label is shown."""

    label: Text
    """The label, as models and messages call it."""
    name: GivenName | None = None
    """What people read instead; null: the label."""
    colour: Colour | None = None
    """Its colour, such as `#c2255c`; null: one that the page chooses."""


def _check_labels(labels: tuple[SiteLabel, ...]) -> tuple[SiteLabel, ...]:
    texts = [one.label for one in labels]
    if double := sorted({text for text in texts if texts.count(text) > 1}):
        raise ValueError(f"{double[0]!r} occurs twice; each label may occur once")
    return labels


@dataclass(frozen=True, slots=True)
class Site(Request):
    """How the place and its labels are shown to people. Messages and files keep the labels of the model."""

    TOPIC = topics.site
    LIMIT = 64 * 1024
    QOS = 1
    RETAINED = True

    name: GivenName | None = None
    """The name of the place; null: none."""
    locale: Locale | None = None
    """Language and region in which dates and numbers are written, such as `de-CH`; null: as each browser says."""
    labels: Annotated[Items[SiteLabel], Field(max_length=64), AfterValidator(_check_labels)] = ()
    """At most 64 labels with a name or a colour of their own, each label once."""
