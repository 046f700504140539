"""Questions to the counter, and its answers."""

from typing import Annotated

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from bus import topics
from bus.message import JsonMessage
from bus.messages import UNKNOWN_IGNORED, ByHour, Counted, Day, Flag, Name, Request, Seconds, Totals, Visit

Identity = Annotated[str, Strict(), Field(max_length=64)]
Zone = Annotated[str, Strict(), Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$")]


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Question(Request):
    """What was counted on a day of the site, by default today? `id` stands in the answer again.

    A day that there is not is no invalid message, so that the answer can say so.
    """

    asker: Name
    id: Identity = ""
    day: Annotated[str, Strict(), Field(max_length=64)] | None = None

    @property
    def topic(self) -> str:
        return topics.question(self.asker)

    @classmethod
    def _fields_in(cls, topic: str) -> dict[str, str]:
        return {"asker": topics.third_level(topic)}


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class CameraDay:
    """Visits begun at one camera on a day, as in `bus.DayCounts`."""

    totals: Totals
    visits: ByHour
    counted: Counted = Field(default_factory=dict)
    demo: Flag = False


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class DayReport:
    """What was counted on a day of the site, by camera, and its last `visits`, newest first.

    It takes 23 or 25 hours where clocks change. `zone` is the IANA name of the site's time zone, such as Europe/Berlin.
    `demo` when all cameras that counted have the demo's visits. When it is false, a sum over cameras leaves out those of which
    `demo` is true.
    """

    day: Day
    begins_at: Seconds
    ends_at: Seconds
    zone: Zone
    cameras: dict[Name, CameraDay]
    visits: tuple[Visit, ...]
    demo: Flag = False


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Answer(JsonMessage):
    """To the question of that `asker` and `id`: the report, or else the `problem` why there is none, which is empty otherwise."""

    LIMIT = 1024 * 1024
    QOS = 1  # unlike a picture, it is not out of date when the next one comes
    RETAINED = False

    asker: Name
    id: Identity
    problem: Annotated[str, Strict(), Field(max_length=1024)]
    report: DayReport | None

    @property
    def topic(self) -> str:
        return topics.answer(self.asker)
