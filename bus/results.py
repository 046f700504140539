"""What the counter says: visits, crossings, counts, and who is there now."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from bus import topics
from bus.fields import (
    ByHour,
    Count,
    Counted,
    Crossings,
    Day,
    Direction,
    Duration,
    Flag,
    Fraction,
    Hour,
    Name,
    Seconds,
    Text,
    Totals,
)
from bus.message import JsonMessage
from bus.pictures import Box


@dataclass(frozen=True, slots=True)
class Visit(JsonMessage):
    """A visit that has ended; `peak` is the highest probability among its `frames` predictions.

    `label` is `UNDECIDED` if the model could not tell it. `direction` and `zones` are those of a detected visitor: the lines that
    they crossed, in minus out, and the seconds that they were in each zone.

    `demo` is true for the demo's drawn visitors. A visit that is published again with the same `id` and different times replaces
    the earlier one, because the clock was wrong when it was counted.
    """

    TOPIC = topics.visit
    QOS = 1
    RETAINED = False

    id: Text
    camera: Name
    label: Text
    started_at: Seconds
    ended_at: Seconds
    peak: Fraction
    frames: Count
    demo: Flag = False
    direction: Direction | None = None
    zones: dict[Text, Duration] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Crossing(JsonMessage):
    """A visitor has crossed a line. `visit` is the id of their visit, which is published when they have left.

    `label` is what is known at that time. The visit may have another one, which has the evidence of all frames.
    """

    TOPIC = topics.crossing
    QOS = 1
    RETAINED = False

    id: Text
    camera: Name
    visit: Text
    line: Text
    direction: Direction
    label: Text
    at: Seconds
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class ZoneTotals:
    """The visits in a zone by label, and the seconds that all of them were in it."""

    visits: Totals
    seconds: Duration


@dataclass(frozen=True, slots=True)
class ZoneHours:
    """The visits in a zone by label and hour, and the seconds that all of them were in it by hour."""

    visits: ByHour
    seconds: dict[Hour, Duration]


@dataclass(frozen=True, slots=True)
class Summary(JsonMessage):
    """The visits that began at a camera in one hour, by label; published after the hour.

    `crossings` of that hour are by line, direction and label. `zones` are those of the visits that began in it.

    `day` and `hour` (``"09"``) are in the site's time zone; `began_at` and `ended_at` are Unix seconds.
    """

    TOPIC = topics.summary
    QOS = 1
    RETAINED = False

    id: Text
    camera: Name
    day: Day
    hour: Hour
    began_at: Seconds
    ended_at: Seconds
    visits: Totals
    demo: Flag = False
    crossings: dict[Text, dict[Direction, Totals]] = Field(default_factory=dict)
    zones: dict[Text, ZoneTotals] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CurrentLabel(JsonMessage):
    """The label of the current visitor; `label`, `probability` and `since` are None if nobody is there.

    `at` is the time of the frame that changed the label. It is None if the counter no longer knows, as after it stops.
    """

    TOPIC = topics.label

    camera: Name
    label: Text | None
    probability: Fraction | None
    since: Seconds | None
    at: Seconds | None = None
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class DayCounts(JsonMessage):
    """The visits that began on one day, by label and hour: `visits["woman"]["09"]`. Day and hours are in the site's time zone.

    `counted` distinguishes hours without data from hours without visitors. `demo` is true for visits of the demo, which count
    only on days on which the camera used no other model.
    """

    TOPIC = topics.counts
    LIMIT = 1024 * 1024

    camera: Name
    day: Day
    totals: Totals
    visits: ByHour
    counted: Counted = Field(default_factory=dict)
    demo: Flag = False
    crossings: Crossings = Field(default_factory=dict)
    zones: dict[Text, ZoneHours] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occupancy(JsonMessage):
    """How many visitors are at a place now: in each zone, and `inside` by the lines, which is None without lines.

    `inside` is `entered` minus `left` plus `drift`. They count from `since`, the last reset. `drift` is how many left while
    nobody was inside: they had entered unseen. `at` is the time of the last change.
    """

    TOPIC = topics.occupancy

    camera: Name
    zones: dict[Text, Count] = Field(default_factory=dict)
    inside: Count | None = None
    entered: Count = 0
    left: Count = 0
    drift: Count = 0
    since: Seconds | None = None
    at: Seconds | None = None
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class VisitorInView:
    """A visitor in view, with their `number`, which no other visitor at this camera gets."""

    number: Count
    box: Box
    label: Text
    since: Seconds


@dataclass(frozen=True, slots=True)
class Tracks(JsonMessage):
    """The visitors in view, in the frame with this session and sequence number; published for each frame with visitors.

    One without visitors follows the last frame with them.
    """

    TOPIC = topics.tracks
    RETAINED = False

    camera: Name
    session: Text
    sequence: Count
    captured_at: Seconds
    visitors: tuple[VisitorInView, ...] = ()
    demo: Flag = False
