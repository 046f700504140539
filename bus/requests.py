"""What people and other programs ask for, and the answers."""

from typing import Annotated, Literal

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass
from typing_extensions import Self

from bus import topics
from bus.fields import Day, Flag, Items, Map, Name, RequestId, Seconds, TimeZone
from bus.message import VERSION, JsonMessage
from bus.reports import Page
from bus.results import DayCounts, Visit

MAX_PARAMETER = 1024
"""Characters of a parameter of a query."""
Parameter = Annotated[str, Strict(), Field(max_length=MAX_PARAMETER)]


class Request(JsonMessage):
    """A request, possibly typed by hand. Its version is optional, and the topic sets the camera or asker.

    A retained request is refused, because it would run again at each start.
    """

    __slots__ = ()
    LIMIT = 1024
    RETAINED = False

    @classmethod
    def from_topic(cls, topic: str, payload: bytes | bytearray) -> Self:
        """Returns the request in a payload, with the field from its topic. Raises `InvalidMessage`."""
        return cls._validate({"v": VERSION} | cls._decode_map(payload) | cls.TOPIC.fields_in(topic))


@dataclass(frozen=True, slots=True)
class Command(Request):
    """A command to a camera."""

    TOPIC = topics.command
    QOS = 1

    camera: Name
    """The camera; the topic says it."""
    do: Literal["pause", "resume", "snapshot"]
    """`pause`, `resume` or `snapshot`."""


@dataclass(frozen=True, slots=True)
class WantedModel(Request):
    """The model that classifiers should serve."""

    TOPIC = topics.wanted_model
    LIMIT = 8 * 1024
    QOS = 1

    url: Annotated[str, Strict(), Field(min_length=1, max_length=4096)] | None = None
    """Address of the export's zip."""
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    """SHA-256 of the zip. Without both, a download in progress is cancelled."""
    rollback: Flag = False
    """Whether to serve the previous model again."""


@dataclass(frozen=True, slots=True)
class Question(Request):
    """A question for the counts of a day, by default today, or with `query` for a page of a report. The answer repeats its `id`.

    Any short text is a valid `day` or parameter of a query, so that the answer can explain what is wrong with it.
    """

    TOPIC = topics.question
    LIMIT = 4 * 1024

    asker: Name
    """Who asks; the topic says it."""
    id: RequestId = ""
    """Any text of up to 64 characters; the answer repeats it."""
    day: Annotated[str, Strict(), Field(max_length=64)] | None = None
    """The day, such as 2026-11-22; today, without one."""
    query: Map[Annotated[str, Strict(), Field(max_length=64)], Parameter] | None = None
    """Asks for a page of a report instead of a day: texts by the options of the report, and the last page's `cursor`."""


@dataclass(frozen=True, slots=True)
class DayReport:
    """The counts of a day by camera, and its last visits."""

    day: Day
    """The day, in the site's time zone."""
    begins_at: Seconds
    """Begin of the day."""
    ends_at: Seconds
    """End of the day; it has 23 or 25 hours when clocks change."""
    zone: TimeZone
    """The site's time zone, by its IANA name."""
    cameras: Map[Name, DayCounts]
    """The counts by camera."""
    visits: Items[Visit]
    """The last 50 visits, newest first."""
    demo: Flag = False
    """Whether all cameras with counts have visits of the demo. If not, totals over cameras exclude those whose `demo` is true."""


@dataclass(frozen=True, slots=True)
class Answer(JsonMessage):
    """The answer to a question: a report or a page, or neither with the reason."""

    TOPIC = topics.answer
    LIMIT = 1024 * 1024
    QOS = 1  # unlike a frame, no newer one replaces it
    RETAINED = False

    asker: Name
    """Who asked."""
    id: RequestId
    """The id of the question."""
    problem: Annotated[str, Strict(), Field(max_length=1024)]
    """Why there is neither a report nor a page; empty otherwise."""
    report: DayReport | None
    """The report of a day; null if there is none."""
    page: Page | None = None
    """The page of a report; null if there is none."""
    refused: Flag = False
    """Whether the question itself is wrong, so that it would be refused again."""
