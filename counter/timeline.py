"""Capture times of frames: order and intervals from their session, the date from the wall clock as it is set now.

All times are the frames' own, so predictions that come late, or all at once after an absence, give the same results as live
ones. In a session of capture, `sequence` gives the order of frames, and `session_time`, by a clock that nobody sets, their
intervals. The wall clock (`captured_at`) gives the date. When it is set, all remembered times shift with it: an open visit keeps
its duration and is dated by the newest reading. Past visits and crossings keep their dates, unless the clock read less than it
had before, for example after a boot without a battery; then they are corrected.
"""

from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from pydantic import Field

from bus import Prediction
from bus.fields import Count, Seconds

MIN_CLOCK_STEP = 1.0  # seconds by which wall clock and session time must diverge for the clock to count as set
EARLIEST = 1_577_836_800.0  # 2020-01-01: a clock that shows an earlier time was never set
TRUSTED_AFTER = 86400.0
"""Seconds of a session after which its clock is trusted even if an earlier one was ahead of it, unless it was never set."""
MAX_SESSIONS = 16  # sessions whose last sequence number is remembered
JUST_SEEN = 1.0  # seconds before the last frame of a pause of capture: who was seen then has not left
MIN_TIME = 0.001  # the first time that a message can hold


class Correction(NamedTuple):
    """A shift, in seconds, of a camera's last `visits` and `crossings`, which were dated by a clock that read at most `until`.

    It also applies to all frames dated from `counted_from` to before `counted_until`.
    """

    camera: str
    visits: int
    crossings: int
    until: float
    shift: float
    counted_from: float
    counted_until: float


class Moment(NamedTuple):
    """The time `at` which a frame was captured, and the seconds since the last one; negative if a new session's clock is behind.

    In between, the wall clock was set by `clock_shift` seconds. `is_measured` is whether so much time has passed: that is unknown
    if a new session's clock is behind, or if the clock of the session before was never set.
    """

    at: float
    elapsed: float
    clock_shift: float
    correction: Correction | None
    is_measured: bool


@dataclass(slots=True)
class Timeline:
    """The time at one camera, across its sessions and restarts of the counter."""

    last_at: Seconds | None = None  # capture time of the last frame, by the clock as it is set now
    session: str | None = None
    sequences: dict[str, Count] = field(default_factory=dict)  # last sequence number of each of the last sessions
    offset: Annotated[float, Field(gt=-1e11, lt=1e11, allow_inf_nan=False)] = (
        0.0  # the session's start by the clock as it is set now
    )
    known: Seconds = EARLIEST  # the latest trusted time: a clock that shows an earlier one is in doubt
    doubtful: Count = 0  # number of the last visits that were dated by a clock in doubt
    doubtful_crossings: Count = 0  # the same of crossings
    doubted_from: Seconds | None = None  # time of the first of the last frames that were dated by such a clock

    def is_late(self, prediction: Prediction) -> bool:
        """Returns whether a prediction is repeated, or comes after a newer one of its session."""
        return prediction.sequence <= self.sequences.get(prediction.session, -1)

    def elapsed(self, prediction: Prediction) -> float:
        """Returns the seconds from the last frame to that of a new prediction; 0 if others between them are missing."""
        is_next = prediction.sequence == self.sequences.get(prediction.session, -1) + 1
        if self.last_at is None or prediction.session != self.session or not is_next:
            return 0.0
        return shifted(prediction.session_time, self.offset) - self.last_at

    def process(self, prediction: Prediction, gap: float) -> Moment | None:
        """Returns when the frame was captured, or None for a late prediction. A visit ends after `gap` seconds alone."""
        if self.is_late(prediction):
            return None
        is_same = prediction.session == self.session
        by = self._clock_step(prediction) if is_same else self._start_session(prediction, gap)
        before = None if self.last_at is None else shifted(self.last_at, by)
        self.last_at = at = shifted(prediction.session_time, self.offset)
        self._remember_sequence(prediction)
        elapsed = 0.0 if before is None else at - before
        correction = None
        if by and self.doubted_from is not None:
            until = at - by
            counts = self.doubtful, self.doubtful_crossings
            correction = Correction(prediction.camera, *counts, until - elapsed, by, self.doubted_from, until)
        if elapsed < 0:
            self._settle_dates()
        if at >= self.known or (at >= EARLIEST and prediction.session_time > TRUSTED_AFTER):
            self.known = at
            self._settle_dates()
        elif self.doubted_from is None:
            self.doubted_from = at
        elif by:
            self.doubted_from = shifted(self.doubted_from, by)
        return Moment(at, elapsed, by, correction, elapsed >= 0 and (is_same or not by))

    def _settle_dates(self) -> None:
        """Settles the dates of all visits, crossings and frames so far."""
        self.doubtful, self.doubtful_crossings, self.doubted_from = 0, 0, None

    def _start_session(self, prediction: Prediction, gap: float) -> float:
        """Returns the shift for earlier dates: visits dated by a clock that was never set now count as just ended."""
        self.session, self.offset = prediction.session, prediction.captured_at - prediction.session_time
        if self.last_at is None or self.last_at >= EARLIEST:
            self._settle_dates()
        elif prediction.captured_at >= EARLIEST:
            return prediction.captured_at - self.last_at - gap
        return 0.0

    def _clock_step(self, prediction: Prediction) -> float:
        """Returns the seconds by which the wall clock was set since the last frame, or 0."""
        by = prediction.captured_at - prediction.session_time - self.offset
        if abs(by) <= MIN_CLOCK_STEP:
            return 0.0
        self.offset += by
        if by < 0 and prediction.captured_at >= EARLIEST:  # it was set back on purpose
            self.known = min(self.known, prediction.captured_at - MIN_CLOCK_STEP)
        return by

    def _remember_sequence(self, prediction: Prediction) -> None:
        self.sequences.pop(prediction.session, None)
        self.sequences[prediction.session] = prediction.sequence
        while len(self.sequences) > MAX_SESSIONS:
            del self.sequences[next(iter(self.sequences))]

    def on_results(self, visits: int, crossings: int) -> None:
        """Counts results that were dated by a clock in doubt."""
        if self.last_at is not None and self.last_at < self.known:
            self.doubtful += visits
            self.doubtful_crossings += crossings


def shifted(at: float, by: float) -> float:
    """Returns `at` shifted by `by` seconds, rounded to milliseconds; at least `MIN_TIME`."""
    return max(MIN_TIME, round(at + by, 3))
