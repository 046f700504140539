"""The state of tracks as few bytes, which a counter writes at every prediction.

Times are milliseconds before the last frame, lengths are hundred-thousandths of the picture's height. Tracks and paths are
rounded to that at all times, so a restart changes nothing.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Annotated, Any, Literal

import msgpack
from pydantic import Field, Strict, TypeAdapter

from bus import UNDECIDED, Box, VisitorInView
from bus.fields import Count, Flag, GivenName, Text
from counter.tracking.lines import Path, Paths
from counter.tracking.motion import Motion
from counter.tracking.things import Area, Sighting
from counter.tracking.track import Evidence, Track
from counter.tracking.tracker import TrackerState
from counter.tracking.zones import Stay, Stays

VERSION = 1
_LENGTH = 100_000
_PART = 1000
_Number = Annotated[int, Strict(), Field(gt=-(10**12), lt=10**12)]
_Time = Annotated[int, Strict(), Field(ge=0, lt=10**14)]
_Ago = Annotated[int, Strict(), Field(gt=-(10**14), lt=10**14)]
_Part = Annotated[int, Strict(), Field(ge=0, le=_PART)]
_PACKED = TypeAdapter(
    tuple[
        Literal[1],  # VERSION
        Annotated[Count, Field(ge=1)],
        _Time | None,
        list[
            tuple[
                Count,
                Annotated[str, Strict()],
                Annotated[bytes, Strict()],
                Count,
                Flag,
                dict[Text, tuple[Count, _Part, Count]],
                _Ago,
                _Ago,
                list[tuple[_Ago, _Number, _Number, _Number, _Number]],
            ]
        ],
        list[tuple[GivenName, Count, _Ago, _Number, _Number, Literal[-1, 0, 1], Count, tuple[_Ago, _Number, _Number] | None]],
        list[tuple[GivenName, Count, _Ago | None, _Ago | None, _Ago | None, _Time]],
        list[tuple[Count, _Number]],
    ]
)
"""The fields as `pack` writes them. SQLite does not notice a damaged cell of the ledger."""


@dataclass(slots=True)
class SavedTracks:
    """The state of a tracker, of its line counter and of its zone counter; `balance` is crossings in minus out by track."""

    tracker: TrackerState = field(default_factory=TrackerState)
    paths: Paths = field(default_factory=dict)
    stays: Stays = field(default_factory=dict)
    balance: Counter[int] = field(default_factory=Counter)


def pack(saved: SavedTracks) -> bytes:
    """Returns the state as bytes."""
    last = _milliseconds(saved.tracker.last_at or 0.0)
    fields = [
        VERSION,
        saved.tracker.next_id,
        None if saved.tracker.last_at is None else last,
        [_from_track(track, last) for track in saved.tracker.tracks],
        [_from_path(key, path, last) for key, path in saved.paths.items()],
        [_from_stay(key, stay, last) for key, stay in saved.stays.items()],
        list(saved.balance.items()),
    ]
    return bytes(msgpack.packb(fields))


def unpack(data: bytes) -> SavedTracks:
    """Returns the state that was packed. Raises `ValueError` if there is none."""
    try:
        _, next_id, at, tracks, paths, stays, balance = _PACKED.validate_python(msgpack.unpackb(data))
        last = at or 0
        return SavedTracks(
            TrackerState([_checked(_to_track(one, last)) for one in tracks], next_id, None if at is None else at / 1000),
            dict(_to_path(one, last) for one in paths),
            dict(_to_stay(one, last) for one in stays),
            Counter(dict(balance)),
        )
    except (ValueError, struct.error, msgpack.UnpackException) as error:
        raise ValueError(f"the state of the tracks cannot be read: {error}") from None


def _milliseconds(at: float) -> int:
    return round(at * 1000)


def _from_track(track: Track, last: int) -> list[Any]:
    evidence = {name: [round(total * _PART), round(peak * _PART), n] for name, (total, peak, n) in track.evidence.items()}
    return [
        *(track.id, track.origin, track.motion.pack(), track.frames, track.is_confirmed, evidence),
        *(last - _milliseconds(at) for at in (track.started_at, track.seen_at)),
        [[last - _milliseconds(at), *(round(length * _LENGTH) for length in area)] for at, area in track.sightings],
    ]


def _to_track(fields: Sequence[Any], last: int) -> Track:
    number, origin, motion, frames, is_confirmed, evidence, started, seen, sightings = fields
    return Track(
        number,
        origin,
        Motion.unpack(motion),
        started_at=(last - started) / 1000,
        seen_at=(last - seen) / 1000,
        frames=frames,
        is_confirmed=is_confirmed,
        evidence={name: Evidence(total / _PART, peak / _PART, n) for name, (total, peak, n) in evidence.items()},
        sightings=[Sighting((last - ago) / 1000, Area(*(length / _LENGTH for length in box))) for ago, *box in sightings],
    )


def _checked(track: Track) -> Track:
    """Returns the track. Raises `ValueError` if it can be none: SQLite does not notice a damaged cell of the ledger."""
    for label in (UNDECIDED, *track.evidence):
        VisitorInView(track.id, Box(0.0, 0.0, 1.0, 1.0), label, track.started_at)
    lengths = [*track.motion, *(length for one in track.sightings for length in one.area)]
    if not all(map(isfinite, lengths)) or track.motion.h <= 0 or track.seen_at < track.started_at:
        raise ValueError(f"track {track.id} is damaged")
    return track


def _from_path(key: tuple[str, int], path: Path, last: int) -> list[Any]:
    crossed = path.crossed and [last - _milliseconds(path.crossed_at), *(round(length * _LENGTH) for length in path.crossed)]
    return [
        *key,
        last - _milliseconds(path.at),
        *(round(one * _LENGTH) for one in path.point),
        path.side,
        path.crossings,
        crossed,
    ]


def _to_path(fields: Sequence[Any], last: int) -> tuple[tuple[str, int], Path]:
    line, track, ago, x, y, side, crossings, crossed = fields
    path = Path((last - ago) / 1000, (x / _LENGTH, y / _LENGTH), side, crossings)
    if crossed:
        path.crossed_at, path.crossed = (last - crossed[0]) / 1000, (crossed[1] / _LENGTH, crossed[2] / _LENGTH)
    return (line, track), path


def _from_stay(key: tuple[str, int], stay: Stay, last: int) -> list[Any]:
    times = [None if at is None else last - _milliseconds(at) for at in (stay.entered_at, stay.inside_at, stay.turned_at)]
    return [*key, *times, _milliseconds(stay.seconds)]


def _to_stay(fields: Sequence[Any], last: int) -> tuple[tuple[str, int], Stay]:
    zone, track, *ago, seconds = fields
    entered_at, inside_at, turned_at = (None if one is None else (last - one) / 1000 for one in ago)
    return (zone, track), Stay(entered_at, inside_at or 0.0, turned_at, seconds / 1000)
