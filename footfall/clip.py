"""Counts a recording as fast as it can be processed, with the rules of a running suite."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import cv2

from bus import Crossing, Prediction, Setup, Visit
from bus.images import UnusablePicture
from capture.framer import RateLimiter
from capture.pictures.prepare import Preparation
from capture.settings import Settings as CaptureSettings
from capture.source import Recording, SourceOptions, display_name
from capture.sources import create_source
from classifier.decoders import UnusableOutput
from classifier.recogniser import Prepared, Recogniser
from counter.registry import FAR_APART_LIMIT
from counter.settings import Settings as CounterSettings
from counter.visitors import Result, VisitorCounter
from runtime.errors import InvalidSetting

BEGIN = 1_600_000_000.0
"""Unix time that stands for the start of a recording. Results do not depend on it."""
QUEUE_SIZE = 8
"""Prepared pictures that wait for the model at most."""
STOP_INTERVAL = 0.2
"""Seconds between two checks of whether the reader must stop."""
SHUTDOWN_TIMEOUT = 1.0
"""Seconds. A thread that hangs in a file system or a decoder is abandoned."""


class VirtualClock:
    """A clock that passes only in `sleep`, so that a source plays without waiting."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        """Returns the seconds slept so far."""
        return self._now

    def sleep(self, seconds: float, /) -> None:
        """Returns at once."""
        self._now += seconds


class ClipFrame(NamedTuple):
    """A frame of a recording: its number from 0, its time in seconds from the first frame, and the model's input.

    `aspect` is its width divided by its height.
    """

    number: int
    seconds: float
    prepared: Prepared
    aspect: float


class ClipResult(NamedTuple):
    """The visits and crossings in a recording, with times that begin at `BEGIN`, and the number of frames.

    `seconds` is the time of the last frame. `unusable` is the number of pictures that could not be processed. `is_too_slow` says
    that the frames are further apart than those of a visit may be.
    """

    visits: list[Visit]
    frames: int
    seconds: float
    unusable: int
    is_too_slow: bool
    crossings: list[Crossing]


class Clip:
    """A recording that is played once. `open` creates it from the settings of capture."""

    def __init__(self, recording: Recording, capture: CaptureSettings) -> None:
        self.recording = recording
        self.unusable = 0
        self._limiter = RateLimiter(capture.frame_rate)
        size = capture.resize_width, capture.resize_height
        self._preparation = Preparation(*size, capture.rotate, capture.convert_to_gray, region=capture.region)

    @classmethod
    def open(cls, settings: CaptureSettings) -> "Clip":
        """Returns the recording VIDEO_PATH. Raises `InvalidSetting` if it has no end, as a camera."""
        options = SourceOptions(settings.frame_rate, every_frame=True, clock=VirtualClock())
        source = create_source(settings.video_path, options, settings.source_modules)
        if not isinstance(source, Recording):
            raise InvalidSetting(f"CLIP={display_name(settings.video_path)!r}: must be a video file or a folder of pictures")
        return cls(source, settings)

    def frames(self, recogniser: Recogniser) -> Iterator[ClipFrame]:
        """Yields the frames at FRAME_RATE at most, prepared as capture does, but not compressed as JPEG. Raises `SourceLost`."""
        number, begin = 0, 0.0
        with closing(self.recording.pictures()) as pictures:
            for picture in pictures:
                if picture is None:
                    continue
                at = picture.timestamp or 0.0
                if not self._limiter.allows(at):
                    continue
                try:
                    prepared = self._preparation.apply(picture.pixels())
                except UnusablePicture:
                    self.unusable += 1
                    continue
                begin = at if number == 0 else begin
                coloured = cv2.cvtColor(prepared, cv2.COLOR_GRAY2BGR) if prepared.ndim == 2 else prepared
                aspect = round(coloured.shape[1] / coloured.shape[0], 4)
                yield ClipFrame(number, round(at - begin, 3), recogniser.prepare(coloured), aspect)
                number += 1


class _Reader(threading.Thread):
    """A thread that iterates ahead of the model. Its last item is None, or the exception that ended it."""

    def __init__(self, frames: Iterator[ClipFrame]) -> None:
        super().__init__(name="clip", daemon=True)
        self._frames = frames
        self._queue: queue.Queue[ClipFrame | BaseException | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()

    def run(self) -> None:
        last: BaseException | None = None
        try:
            for frame in self._frames:
                if not self._put(frame):
                    return
        except Exception as error:
            last = error
        self._put(last)

    def _put(self, item: ClipFrame | BaseException | None) -> bool:
        while not self._stopping.is_set():
            try:
                self._queue.put(item, timeout=STOP_INTERVAL)
                return True
            except queue.Full:
                continue
        return False

    def items(self) -> Generator[ClipFrame, None, None]:
        """Yields the frames. Raises what the thread raised. Ends the thread when it is closed."""
        self.start()
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._stopping.set()
            self.join(SHUTDOWN_TIMEOUT)


def count_clip(
    clip: Clip, recogniser: Recogniser, counter: CounterSettings, on_frame: Callable[[float, int], object] = lambda *_: None
) -> ClipResult:
    """Counts the visitors in a recording. `on_frame` gets the seconds and the visits so far. Raises `SourceLost`."""
    visitors, results = VisitorCounter("clip", counter.rules, counter.completed(Setup("clip"))), list[Result]()
    frames, seconds, far_apart, visits = 0, 0.0, 0, 0
    with closing(_Reader(clip.frames(recogniser)).items()) as reader:
        for frame in reader:
            frames, seconds = frame.number + 1, frame.seconds
            try:
                result, at = recogniser.recognise(frame.prepared, "clip"), BEGIN + seconds
            except UnusableOutput:
                clip.unusable += 1
                continue
            found = result.inference_ms, result.model, result.labels, result.detections, False, frame.aspect
            settled = visitors.process(Prediction("clip", "clip", frame.number, seconds, at, at, *found))
            results += settled
            visits += sum(isinstance(one, Visit) for one in settled)
            far_apart = max(far_apart, visitors.far_apart)
            on_frame(seconds, visits)
    results += visitors.end_all()
    is_too_slow = far_apart >= FAR_APART_LIMIT and counter.visit_frames > 1
    found_visits = [one for one in results if isinstance(one, Visit)]
    return ClipResult(found_visits, frames, seconds, clip.unusable, is_too_slow, _with_final_labels(results))


def _with_final_labels(results: Sequence[Result]) -> list[Crossing]:
    """Returns the crossings with the labels of their visits, as the counter's ledger has them."""
    labels = {one.id: one.label for one in results if isinstance(one, Visit)}
    return [replace(one, label=labels.get(one.visit, one.label)) for one in results if isinstance(one, Crossing)]
