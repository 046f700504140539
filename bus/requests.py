"""What people and other programs ask for, and the answers."""

from typing import Annotated, Literal

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass
from typing_extensions import Self

from bus import topics
from bus.fields import Day, Flag, Name, RequestId, Seconds, TimeZone
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
    do: Literal["pause", "resume", "snapshot"]


@dataclass(frozen=True, slots=True)
class WantedModel(Request):
    """The model that classifiers should serve: the `url` of the export's zip and its `sha256`.

    Without both, a download in progress is cancelled. With `rollback`, the previous model is served again.
    """

    TOPIC = topics.wanted_model
    LIMIT = 8 * 1024
    QOS = 1

    url: Annotated[str, Strict(), Field(min_length=1, max_length=4096)] | None = None
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    rollback: Flag = False


@dataclass(frozen=True, slots=True)
class Question(Request):
    """A question for the counts of a day, by default today, or with `query` for a page of a report. The answer repeats its `id`.

    Any short text is a valid `day` or parameter of a query, so that the answer can explain what is wrong with it.
    """

    TOPIC = topics.question
    LIMIT = 4 * 1024

    asker: Name
    id: RequestId = ""
    day: Annotated[str, Strict(), Field(max_length=64)] | None = None
    query: dict[Annotated[str, Strict(), Field(max_length=64)], Parameter] | None = None


@dataclass(frozen=True, slots=True)
class DayReport:
    """The counts of a day by camera, and its last `visits`, newest first.

    A day has 23 or 25 hours when clocks change. `zone` is the IANA name of the site's time zone, such as Europe/Berlin. `demo` is
    true if all cameras with counts have visits of the demo. If it is false, totals over cameras exclude those whose `demo` is
    true.
    """

    day: Day
    begins_at: Seconds
    ends_at: Seconds
    zone: TimeZone
    cameras: dict[Name, DayCounts]
    visits: tuple[Visit, ...]
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class Answer(JsonMessage):
    """The answer to a question with this `asker` and `id`: a report or a page, or neither with the reason in `problem`.

    `refused` is true if the question itself is wrong, so that it would be refused again.
    """

    TOPIC = topics.answer
    LIMIT = 1024 * 1024
    QOS = 1  # unlike a frame, no newer one replaces it
    RETAINED = False

    asker: Name
    id: RequestId
    problem: Annotated[str, Strict(), Field(max_length=1024)]
    report: DayReport | None
    page: Page | None = None
    refused: Flag = False
