"""Pairs of frames and predictions."""

from dataclasses import replace

import pytest

from bus import Box, Frame, Label, Prediction, Tracks, VisitorInView
from dashboard.pictures import (
    CLASSIFIER_TIMEOUT,
    COUNTER_TIMEOUT,
    LEASE,
    MAX_BYTES,
    PREDICTION_TIMEOUT,
    TRACKS_TIMEOUT,
    Picture,
    Pictures,
)
from tests.support import samples


class Watched(Pictures):
    """Pictures of requested cameras, with the list of subscriptions. The time is 1000 until a test advances it."""

    def __init__(self, *cameras: str) -> None:
        self.now = 1000.0
        self.subscribed: list[str] = []
        self.changes: list[None] = []
        super().__init__(self.subscribed.append, self.subscribed.remove, lambda: self.changes.append(None), lambda: self.now)
        for camera in cameras:
            self.want(camera)

    def frame(self, sequence: int, camera: str = "door", **values: object) -> Frame:
        frame = replace(samples.frame(camera, sequence, 1000.0 + sequence), **values)  # type: ignore[arg-type]
        self.on_frame(frame)
        return frame

    def predict(self, frame: Frame, is_detector: bool = False) -> Prediction:
        sample = samples.detected(Label("person", 0.9)) if is_detector else samples.prediction(captured_at=frame.captured_at)
        prediction = replace(sample, camera=frame.camera)
        prediction = replace(prediction, session=frame.session, sequence=frame.sequence)
        self.on_prediction(prediction)
        return prediction

    def track(self, frame: Frame, visitors: int = 1) -> Tracks:
        found = tuple(VisitorInView(one, Box(0.1, 0.2, 0.3, 0.4), "person", 1000.0) for one in range(visitors))
        self.on_tracks(tracks := Tracks(frame.camera, frame.session, frame.sequence, frame.captured_at, found))
        return tracks


def test_a_picture_has_its_own_prediction() -> None:
    """A prediction of an unknown frame, or of one older than the newest picture, changes nothing."""
    watched = Watched("door")
    first, second, _ = (watched.frame(number) for number in range(3))
    assert watched.newest("door") is None
    shown = Picture(second, watched.predict(second))
    for frame in (first, samples.frame("door", 7, 1007.0), replace(second, session="other")):
        watched.predict(frame)
    assert watched.newest("door") == shown
    assert len(watched.changes) == 1


def test_a_detectors_picture_has_its_own_visitors() -> None:
    """The first visitors are added to their picture; later pictures wait for theirs, until the counter says that all have left.

    Visitors can arrive before their prediction. A classifier of whole pictures waits for nothing.
    """
    watched = Watched("door")
    frames = [watched.frame(number) for number in range(7)]

    def shows(number: int, prediction: Prediction, tracks: Tracks | None = None) -> bool:
        return watched.newest("door") == Picture(frames[number], prediction, tracks)

    first = watched.predict(frames[0], is_detector=True)
    assert shows(0, first)
    tracks = watched.track(frames[0])
    assert shows(0, first, tracks)
    second = watched.predict(frames[1], is_detector=True)
    watched.predict(frames[2], is_detector=True)
    assert shows(0, first, tracks)
    tracks = watched.track(frames[1], 2)
    assert shows(1, second, tracks)
    watched.track(frames[0])  # is late
    assert shows(1, second, tracks)
    tracks = watched.track(frames[3])  # is early
    assert shows(3, watched.predict(frames[3], is_detector=True), tracks)
    last = watched.predict(frames[4], is_detector=True)
    tracks = watched.track(frames[4], 0)
    assert shows(4, last, tracks)
    found = watched.predict(frames[5], is_detector=True)
    assert shows(5, found)
    watched.track(frames[5])
    found = watched.predict(frames[6])
    assert shows(6, found)


def test_a_detectors_picture_does_not_wait_for_long() -> None:
    """A late counter delays it by `TRACKS_TIMEOUT`, one that has stopped by nothing."""
    watched = Watched("door")
    watched.predict(first := watched.frame(0), is_detector=True)
    watched.track(first)
    second, third = watched.frame(1), watched.frame(2)
    found = watched.predict(second, is_detector=True)
    watched.now += TRACKS_TIMEOUT + 0.1
    watched.predict(third, is_detector=True)
    watched.apply_timeouts()
    assert watched.newest("door") == Picture(second, found)
    watched.now += COUNTER_TIMEOUT
    last = watched.frame(3)
    found = watched.predict(last, is_detector=True)
    assert watched.newest("door") == Picture(last, found)


def test_frames_are_subscribed_to_only_while_someone_watches() -> None:
    watched = Watched("door", "door")
    for _ in range(2):
        assert watched.subscribed == ["door"]
        watched.now += LEASE - 0.1
        watched.want("door")
        watched.apply_timeouts()
    watched.predict(watched.frame(1))
    watched.now += LEASE + 0.1
    watched.apply_timeouts()
    assert watched.subscribed == []
    watched.frame(2)
    assert watched.newest("door") is None


def test_without_a_classifier_frames_are_shown_without_predictions() -> None:
    """After a timeout, but not while a slow model is active."""
    watched = Watched("door")
    shown = watched.frame(0)
    watched.predict(shown)
    unpredicted = watched.frame(1)
    watched.now += PREDICTION_TIMEOUT + 0.1
    watched.apply_timeouts()
    assert watched.newest("door") == Picture(shown, watched.predict(shown))
    watched.now += CLASSIFIER_TIMEOUT + 0.1
    watched.want("door")
    watched.frame(2)
    for _ in range(2):
        watched.apply_timeouts()
        assert watched.newest("door") == Picture(unpredicted, None)
        assert len(watched.changes) == 2


@pytest.mark.parametrize("session", ["session", "next"])
def test_setting_the_clock_back_does_not_stop_pictures(session: str) -> None:
    """In the same session of capture or in a new one."""
    watched = Watched("door")
    watched.predict(watched.frame(100))
    for number in (101, 102):
        frame = watched.frame(number, captured_at=900.0 + number, session=session)
        shown = Picture(frame, watched.predict(frame))
        assert watched.newest("door") == shown


def test_memory_is_bounded() -> None:
    """The camera with the most pending bytes drops its oldest frames."""
    watched = Watched("door", "back")
    size = 2 * 1024 * 1024
    small = watched.frame(0, "back")
    frames = [watched.frame(number, jpeg=bytes(size)) for number in range(MAX_BYTES // size + 3)]
    watched.predict(frames[3])
    assert watched.newest("door") is None
    watched.predict(frames[4])
    assert watched.newest("door")
    watched.predict(small)
    assert watched.newest("back")


def test_while_nothing_moves_a_picture_is_kept_although_nobody_watches() -> None:
    """Whoever opens the page sees it at once. A slow classifier has more time for a frame after a pause."""
    watched = Watched()
    watched.set_still("back", False)
    watched.set_still("door", True)
    assert watched.subscribed == ["door"]
    frame = watched.frame(1, held=4.9)
    watched.now += CLASSIFIER_TIMEOUT - 0.1
    watched.apply_timeouts()
    assert watched.newest("door") is None
    shown = Picture(frame, watched.predict(frame))
    for _ in range(12):
        watched.now += 10.0
        watched.set_still("door", True)
        watched.apply_timeouts()
    assert watched.newest("door") == shown
    watched.set_still("door", False)
    watched.now += LEASE + 0.1
    watched.apply_timeouts()
    assert watched.subscribed == []
