"""A tracker of several visitors: which boxes of successive frames are the same visitor.

Each track predicts where its visitor is; the negative logarithm of a box's likelihood there is the cost of giving it to the
track. Of all ways to give boxes to tracks, the one with the least total cost is taken.

- First, likely boxes are given to all tracks; then unlikely ones to confirmed tracks whose prediction they overlap, as
  ByteTrack does (Zhang et al., ECCV 2022). Each likely box that is left begins a track.
- A track is confirmed by enough sightings: fewer if they fit well, or if there are only few, because the frames are far apart.
  Then its earlier ones count as well.
- A track ends when its visitor has not been seen for a time.
- While nothing moves, capture holds frames back. Until the next one, the visitors of the last frame are where they were. So is a
  visitor whom that frame missed, if they had been seen shortly before: nobody has left. Another miss after the pause ends that.
  A pause adds no evidence: it confirms no track.

Rules are in seconds, so the frame rate may change at any time. `MAX_COST` was found as the constants of `motion` were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

from counter.timeline import JUST_SEEN, shifted
from counter.tracking.assignment import assign
from counter.tracking.motion import Motion
from counter.tracking.things import Area, Sighting, Thing, is_double
from counter.tracking.track import SLOW, Track

THRESHOLD = 0.5  # default of the confidence from which a box can begin a track: that of the setting THRESHOLD
UNLIKELY = 0.5  # part of the threshold from which a box can continue a confirmed track
MAX_COST = -2.2  # cost from which a box is rather another visitor's, see `Motion.gains`
CERTAINTY = log(20)  # how much less than `MAX_COST` a box costs that is certain to be the same visitor's: 20 times likelier
MIN_OVERLAP = 0.3  # intersection over union of an unlikely box with its track's prediction
UNCONFIRMED_TIMEOUT = 0.45  # seconds without a sighting after which a track that was not confirmed is dropped, but at least
UNCONFIRMED_INTERVALS = 2.5  # times between two frames, so that it may miss one at any rate
LOST_TIMEOUT = 2.0  # seconds without a sighting after which a confirmed track ends
MAX_TRACKS = 128  # tracks at a time; bounds the time for a frame


@dataclass(slots=True)
class TrackerState:
    """The state on which future tracks depend. Ids count up from 1, and none is used twice."""

    tracks: list[Track] = field(default_factory=list)
    next_id: int = 1
    last_at: float | None = None

    def shift(self, by: float) -> None:
        """Shifts all times by a number of seconds, because the clock was set."""
        self.last_at = None if self.last_at is None else shifted(self.last_at, by)
        for track in self.tracks:
            track.shift(by)


class Update(NamedTuple):
    """The effects of a frame: the confirmed tracks that were seen, and those that ended before.

    Each comes with its new sightings in order of time. The last one is in this frame; if it has confirmed the track, the earlier
    ones come before. `interval` is the time since the last frame in seconds.
    """

    seen: list[tuple[Track, list[Sighting]]]
    ended: list[Track]
    interval: float = 0.0


class Tracker:
    """A tracker of the visitors at one camera, which continues from `state`.

    A box whose confidence is at least `threshold` is likely; one of at least half of it is unlikely, and others are left out.
    """

    def __init__(self, state: TrackerState | None = None, threshold: float = THRESHOLD) -> None:
        self.state = state or TrackerState()
        self._threshold = threshold

    def process(self, at: float, things: Sequence[Thing], origin: str = "") -> Update:
        """Processes the things in the frame of a time in seconds, as `things_in` returns them.

        A frame that is not newer than the last one changes nothing. `origin` is session and sequence number of the frame.
        """
        at = round(at, 3)
        if self.state.last_at is not None and at <= self.state.last_at:
            return Update([], [])
        interval = 0.0 if self.state.last_at is None else at - self.state.last_at
        ended = self._drop_lost(at, interval)
        self.state.last_at = at
        numbers, certain = self._assign(at, things)
        seen = []
        for track in self.state.tracks:
            if track.id in numbers:
                new = track.add(at, things[numbers[track.id]], interval >= SLOW or track.id in certain)
                if new:
                    seen.append((track, new))
        owned = [things[number].area for number in numbers.values()]
        for number in sorted(set(range(len(things))) - set(numbers.values())):
            thing = things[number]
            if thing.confidence >= self._threshold and not any(is_double(thing.area, one) for one in owned):
                self._begin(at, thing, origin)
        return Update(seen, ended, interval)

    def hold(self, until: float, interval: float) -> Update:
        """Keeps who is there where they are until a time, because capture held back frames `interval` seconds apart."""
        last, until = self.state.last_at, round(until, 3)
        if last is None or until <= last:
            return Update([], [])
        self.state.last_at = until
        held = []
        for track in self.state.tracks:
            is_seen = track.seen_at == last
            is_there = is_seen or (track.is_confirmed and round(last - track.seen_at, 3) < JUST_SEEN)
            at = until if is_seen else round(until - JUST_SEEN, 3)
            if is_there and at > track.seen_at:
                track.hold(at, interval)
                held.append(track)
        seen = [(track, track.sightings[-1:]) for track in held if track.is_confirmed]
        return Update(seen, self._drop_lost(until, interval), interval)

    def end_all(self) -> list[Track]:
        """Ends all tracks, for example because the camera is lost. Returns the confirmed ones."""
        ended = [track for track in self.state.tracks if track.is_confirmed]
        self.state.tracks, self.state.last_at = [], None
        return ended

    def _drop_lost(self, at: float, interval: float) -> list[Track]:
        """Drops the tracks that were not seen for too long. Returns the confirmed ones."""
        kept, ended = [], []
        doubted = min(LOST_TIMEOUT, max(UNCONFIRMED_TIMEOUT, UNCONFIRMED_INTERVALS * interval))
        for track in self.state.tracks:
            timeout = LOST_TIMEOUT if track.is_confirmed else doubted
            if round(at - track.seen_at, 3) <= timeout:
                kept.append(track)
            elif track.is_confirmed:
                ended.append(track)
        self.state.tracks = kept
        return ended

    def _assign(self, at: float, things: Sequence[Thing]) -> tuple[dict[int, int], set[int]]:
        """Returns the number of the thing that each track has in this frame, by the track's id, and which of them are certain."""
        likely = {n: one.area for n, one in enumerate(things) if one.confidence >= self._threshold}
        unlikely = {n: one.area for n, one in enumerate(things) if UNLIKELY <= one.confidence / self._threshold < 1}
        expected = {track.id: track.motion.after(at - track.seen_at) for track in self.state.tracks}
        gains = {one: motion.gains(likely, MAX_COST) for one, motion in expected.items()}
        numbers = assign(gains)
        certain = {one for one, number in numbers.items() if gains[one][number] <= -CERTAINTY}
        missed = {track.id: expected[track.id] for track in self.state.tracks if track.is_confirmed and track.id not in numbers}
        return numbers | assign({one: _overlapping(motion, unlikely) for one, motion in missed.items()}), certain

    def _begin(self, at: float, thing: Thing, origin: str) -> None:
        """Begins a track, if there is room or one that was not confirmed can be dropped."""
        tracks = self.state.tracks
        if len(tracks) >= MAX_TRACKS:
            doubtful = min((one for one in tracks if not one.is_confirmed), key=lambda one: (one.seen_at, one.id), default=None)
            if doubtful is None:
                return
            tracks.remove(doubtful)
        tracks.append(Track.begin(self.state.next_id, origin, at, thing))
        self.state.next_id += 1


def _overlapping(motion: Motion, areas: Mapping[int, Area]) -> dict[int, float]:
    area = motion.area
    overlapping = {number: one for number, one in areas.items() if area.iou(one) >= MIN_OVERLAP}
    return motion.gains(overlapping, MAX_COST)
