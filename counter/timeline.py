"""When frames were captured: in the order and the time of their session, on the date of the wall clock as it is set now."""

from dataclasses import dataclass, field
from typing import NamedTuple

from bus import Prediction

CLOCK_SET = 1.0  # seconds by which wall clock and session must differ to count as a clock that was set
EARLIEST = 1_577_836_800.0  # 2020-01-01: a clock that shows an earlier time was never set
TRUSTED_AFTER = 86400.0
"""Seconds of a session after which its clock is believed, whatever an earlier one showed, unless it was never set."""
MAX_SESSIONS = 16  # sessions whose last sequence number is remembered
EPOCH = 0.001  # the first time that a message can hold


class Correction(NamedTuple):
    """The last `number` visits of a camera were dated by a clock that read at most `until` and was set `by` so many seconds.

    So were all frames that it dated from `counted_from` to before `counted_until`.
    """

    camera: str
    number: int
    until: float
    by: float
    counted_from: float
    counted_until: float


class Moment(NamedTuple):
    """When a frame was captured, and how many seconds after the one before; less than 0 when a session's clock shows less.

    `set_by` is by how many seconds the wall clock was set in between.
    """

    at: float
    elapsed: float
    set_by: float
    correction: Correction | None


@dataclass(slots=True)
class Timeline:
    """The time of one camera, over its sessions and restarts of the counter."""

    last_at: float | None = None  # when the last frame was captured, by the clock as it is set now
    session: str | None = None
    sequences: dict[str, int] = field(default_factory=dict)  # the number of the last frame in each of the last sessions
    offset: float = 0.0  # what the clock shows at the begin of the session
    known: float = EARLIEST  # the last time that is believed: a clock that shows an earlier one is in doubt
    doubtful: int = 0  # how many of the last visits were dated by a clock that is in doubt
    doubted_from: float | None = None  # the time of the first of the last frames that were dated by such a clock

    def is_late(self, prediction: Prediction) -> bool:
        """Whether it is a repeated one, or comes after a newer one of its session."""
        return prediction.sequence <= self.sequences.get(prediction.session, -1)

    def take(self, prediction: Prediction, gap: float) -> Moment | None:
        """When the frame was captured; None for a late prediction. `gap` as in `visits.Rules`."""
        if self.is_late(prediction):
            return None
        is_same = prediction.session == self.session
        by = self._check_clock(prediction) if is_same else self._change_session(prediction, gap)
        before = None if self.last_at is None else moved(self.last_at, by)
        self.last_at = at = moved(prediction.session_time, self.offset)
        self._remember(prediction)
        elapsed = 0.0 if before is None else at - before
        correction = None
        if by and self.doubted_from is not None:
            until = at - by
            correction = Correction(prediction.camera, self.doubtful, until - elapsed, by, self.doubted_from, until)
        if elapsed < 0:
            self._end_doubt()
        if at >= self.known or (at >= EARLIEST and prediction.session_time > TRUSTED_AFTER):
            self.known = at
            self._end_doubt()
        elif self.doubted_from is None:
            self.doubted_from = at
        elif by:
            self.doubted_from = moved(self.doubted_from, by)
        return Moment(at, elapsed, by, correction)

    def _end_doubt(self) -> None:
        """Visits and frames so far keep their dates."""
        self.doubtful, self.doubted_from = 0, None

    def _change_session(self, prediction: Prediction, gap: float) -> float:
        """Visits stay in doubt only if the clock was never set; when it is, they are dated as if they had just ended."""
        self.session, self.offset = prediction.session, prediction.captured_at - prediction.session_time
        if self.last_at is None or self.last_at >= EARLIEST:
            self._end_doubt()
        elif prediction.captured_at >= EARLIEST:
            return prediction.captured_at - self.last_at - gap
        return 0.0

    def _check_clock(self, prediction: Prediction) -> float:
        """By how much the wall clock was set since the last frame; 0 where it was not."""
        by = prediction.captured_at - prediction.session_time - self.offset
        if abs(by) <= CLOCK_SET:
            return 0.0
        self.offset += by
        if by < 0 and prediction.captured_at >= EARLIEST:  # whoever set it back knows better
            self.known = min(self.known, prediction.captured_at - CLOCK_SET)
        return by

    def _remember(self, prediction: Prediction) -> None:
        self.sequences.pop(prediction.session, None)
        self.sequences[prediction.session] = prediction.sequence
        while len(self.sequences) > MAX_SESSIONS:
            del self.sequences[next(iter(self.sequences))]

    def dated(self) -> None:
        """Notes that a visit has ended, dated by the clock as it is set now."""
        if self.last_at is not None and self.last_at < self.known:
            self.doubtful += 1


def moved(at: float, by: float) -> float:
    """A time on a clock that is set by so many seconds, to the millisecond."""
    return max(EPOCH, round(at + by, 3))
