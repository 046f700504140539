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
    Items,
    Map,
    Name,
    Seconds,
    Text,
    Totals,
)
from bus.message import JsonMessage
from bus.pictures import Box


@dataclass(frozen=True, slots=True)
class Visit(JsonMessage):
    """A visit that has ended."""

    TOPIC = topics.visit
    QOS = 1
    RETAINED = False

    id: Text
    """The same at each repeat. With other times it replaces the earlier visit, because the clock was wrong."""
    camera: Name
    """The camera."""
    label: Text
    """The visitor's label; `undecided` if the model could not tell it."""
    started_at: Seconds
    """Begin of the visit."""
    ended_at: Seconds
    """End of the visit."""
    peak: Fraction
    """The highest probability among its predictions."""
    frames: Count
    """How many predictions had this label; of a detected visitor, how many they were seen in."""
    demo: Flag = False
    """Whether it is a visit of the demo."""
    direction: Direction | None = None
    """Of a detected visitor: `in` or `out` by the lines that they crossed; null if neither."""
    zones: Map[Text, Duration] = Field(default_factory=dict)
    """Of a detected visitor: seconds in each zone."""


@dataclass(frozen=True, slots=True)
class Crossing(JsonMessage):
    """A visitor has crossed a line."""

    TOPIC = topics.crossing
    QOS = 1
    RETAINED = False

    id: Text
    """The same at each repeat."""
    camera: Name
    """The camera."""
    visit: Text
    """The id of the visitor's visit, which is published when they have left."""
    line: Text
    """The line's name."""
    direction: Direction
    """`in` or `out`."""
    label: Text
    """What was known at that time; the visit has the evidence of all frames."""
    at: Seconds
    """When the visitor crossed."""
    demo: Flag = False
    """Whether it is a visitor of the demo."""


@dataclass(frozen=True, slots=True)
class ZoneTotals:
    """The visits in a zone, and how long they were there."""

    visits: Totals
    """Visits by label."""
    seconds: Duration
    """The seconds that all of them were in the zone."""


@dataclass(frozen=True, slots=True)
class ZoneHours:
    """The visits in a zone by hour, and how long they were there."""

    visits: ByHour
    """Visits by label and hour."""
    seconds: Map[Hour, Duration]
    """By hour, the seconds that all of them were in the zone."""


@dataclass(frozen=True, slots=True)
class Summary(JsonMessage):
    """The visits that began at a camera in one hour; published after the hour."""

    TOPIC = topics.summary
    QOS = 1
    RETAINED = False

    id: Text
    """The same at each repeat."""
    camera: Name
    """The camera."""
    day: Day
    """Day of the hour, in the site's time zone."""
    hour: Hour
    """The hour, such as "09"."""
    began_at: Seconds
    """Begin of the hour."""
    ended_at: Seconds
    """End of the hour."""
    visits: Totals
    """Visits that began in this hour, by label."""
    demo: Flag = False
    """Whether they are visits of the demo."""
    crossings: Map[Text, Map[Direction, Totals]] = Field(default_factory=dict)
    """Crossings in this hour, by line, direction and label."""
    zones: Map[Text, ZoneTotals] = Field(default_factory=dict)
    """Of the visits that began in this hour, by zone."""


@dataclass(frozen=True, slots=True)
class CurrentLabel(JsonMessage):
    """The label of the current visitor."""

    TOPIC = topics.label

    camera: Name
    """The camera."""
    label: Text | None
    """The visitor's label; of several, of who came last; null when nobody is there."""
    probability: Fraction | None
    """Its probability; null when nobody is there."""
    since: Seconds | None
    """Since when the visitor is there; null when nobody is there."""
    at: Seconds | None = None
    """Time of the frame that changed the label; null when the counter no longer knows."""
    demo: Flag = False
    """Whether it is the demo."""


@dataclass(frozen=True, slots=True)
class DayCounts(JsonMessage):
    """The visits that began on one day.

    `counted` distinguishes hours without data from hours without visitors. `demo` is true for visits of the demo, which count
    only on days on which the camera used no other model.
    """

    TOPIC = topics.counts
    LIMIT = 1024 * 1024

    camera: Name
    """The camera."""
    day: Day
    """The day, in the site's time zone."""
    totals: Totals
    """Visits by label."""
    visits: ByHour
    """Visits by label and hour: `visits["woman"]["09"]`."""
    counted: Counted = Field(default_factory=dict)
    """By hour, the part in which the camera was counting; null: no data."""
    demo: Flag = False
    """Whether they are visits of the demo."""
    crossings: Crossings = Field(default_factory=dict)
    """Crossings by line, direction, label and hour."""
    zones: Map[Text, ZoneHours] = Field(default_factory=dict)
    """By zone, its visits and seconds."""


@dataclass(frozen=True, slots=True)
class Occupancy(JsonMessage):
    """How many visitors are at a place now: in each zone, and inside by the lines."""

    TOPIC = topics.occupancy

    camera: Name
    """The camera."""
    zones: Map[Text, Count] = Field(default_factory=dict)
    """How many visitors are in each zone now."""
    inside: Count | None = None
    """How many are inside by the lines: `entered` minus `left` plus `drift`; null without lines."""
    entered: Count = 0
    """Crossings in since the last reset."""
    left: Count = 0
    """Crossings out since the last reset."""
    drift: Count = 0
    """How many left while nobody was inside: they had entered unseen."""
    since: Seconds | None = None
    """Time of the last reset."""
    at: Seconds | None = None
    """Time of the last change."""
    demo: Flag = False
    """Whether they are visitors of the demo."""


@dataclass(frozen=True, slots=True)
class VisitorInView:
    """A visitor in view."""

    number: Count
    """The visitor's number, which no other visitor at this camera gets."""
    box: Box
    """Left, top, width and height, in 0..1 of the picture."""
    label: Text
    """The visitor's label."""
    since: Seconds
    """Since when the visitor is in view."""


@dataclass(frozen=True, slots=True)
class Tracks(JsonMessage):
    """The visitors in view, in the frame with this session and sequence number; published for each frame with visitors.

    One without visitors follows the last frame with them.
    """

    TOPIC = topics.tracks
    RETAINED = False

    camera: Name
    """The camera."""
    session: Text
    """Session of the frame."""
    sequence: Count
    """Number of the frame."""
    captured_at: Seconds
    """Time of the frame."""
    visitors: Items[VisitorInView] = ()
    """The visitors in view."""
    demo: Flag = False
    """Whether they are visitors of the demo."""
