"""Counts the visitors of one camera by their tracks: predictions to crossings and ended tracks."""

from collections.abc import Sequence
from typing import NamedTuple

from bus import Prediction
from counter.timeline import Correction, Timeline
from counter.tracking.lines import Crossing, Line, LineCounter
from counter.tracking.packing import pack, unpack
from counter.tracking.things import things_in
from counter.tracking.track import Track
from counter.tracking.tracker import LOST_TIMEOUT, Tracker


class Events(NamedTuple):
    """What a prediction settles: crossings with the tracks that made them, oldest first, and confirmed tracks that ended."""

    crossings: list[tuple[Track, Crossing]]
    ended: list[Track]


class TrackCounter:
    """A counter of several visitors at once; `aspect` is the width of the camera's picture divided by its height.

    It continues from a timeline and from the packed state of its tracks. Raises `ValueError` if that cannot be read.
    """

    def __init__(
        self, lines: Sequence[Line] = (), aspect: float = 16 / 9, timeline: Timeline | None = None, packed: bytes | None = None
    ) -> None:
        state, paths = (None, None) if packed is None else unpack(packed)
        self._aspect = aspect
        self._tracker = Tracker(state)
        self._lines = LineCounter(lines, paths)
        self.timeline = timeline or Timeline()
        self.correction: Correction | None = None  # of tracks that ended before the last prediction

    @property
    def tracks(self) -> list[Track]:
        """The confirmed tracks in view, and those lost a moment ago."""
        return [track for track in self._tracker.state.tracks if track.is_confirmed]

    def pack(self) -> bytes:
        """Returns the state, except the timeline."""
        return pack(self._tracker.state, self._lines.paths)

    def process(self, prediction: Prediction) -> Events:
        """Processes the next prediction. One that is repeated, or older than the last one, changes nothing."""
        self.correction = None
        moment = self.timeline.process(prediction, LOST_TIMEOUT)
        if moment is None:
            return Events([], [])
        self.correction = moment.correction
        if moment.clock_shift:
            self._tracker.state.shift(moment.clock_shift)
            self._lines.shift(moment.clock_shift)
        ended = self.end_all() if moment.elapsed < 0 else []
        things = things_in(prediction.detections, self._aspect)
        update = self._tracker.process(moment.at, things, f"{prediction.session} {prediction.sequence}")
        self._forget(update.ended)
        crossings = [(track, one) for track, new in update.seen for one in self._lines.process(track.id, new)]
        return Events(sorted(crossings, key=lambda one: one[1].at), ended + update.ended)

    def end_all(self) -> list[Track]:
        """Ends all tracks, for example because the camera is lost. Returns the confirmed ones."""
        ended = self._tracker.end_all()
        self._forget(ended)
        return ended

    def _forget(self, tracks: Sequence[Track]) -> None:
        for track in tracks:
            self._lines.forget(track.id)
