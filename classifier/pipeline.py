"""From frames to predictions, in two threads: one decodes the next frame while the other runs the model on this one."""

import concurrent.futures
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple

from typing_extensions import Self

from bus import FootfallError, Frame, InvalidMessage, Label, NewestSlot, Prediction
from classifier.interpreter import Classifier
from classifier.preprocess import Tensor, decode, decode_any
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

TICK = 0.2
"""Seconds after which a waiting thread looks whether it is to end."""


class Busy(FootfallError):
    """Too many ask at once, or the model does not answer."""


class Answer(NamedTuple):
    """What the model says of a picture that somebody asks about."""

    labels: tuple[Label, ...]
    inference_ms: float
    model: str


class _Ready(NamedTuple):
    tensor: Tensor
    classifier: Classifier
    """The one that the tensor is for."""
    origin: "Frame | Future[Answer]"


class Pipeline:
    """Predicts the newest frame of each camera in turn; older ones are dropped and counted. Answers who asks in between.

    A frame is decoded only when the one before it is in the model, so that what waits for the model is never more than one frame,
    and one picture that is asked about: they take turns.
    `publish` and `count_and_warn` (figure, text, sender) are called from its threads.
    """

    PATIENCE = 10.0
    """Seconds without an answer, or without a step, after which the model is taken to be stuck."""

    def __init__(
        self,
        classifier: Classifier,
        max_frame_age: float,
        metrics: Metrics,
        publish: Callable[[Prediction], object],
        count_and_warn: Callable[[str, str, str], None],
    ) -> None:
        self._classifier = classifier
        self._max_frame_age = max_frame_age
        self._metrics = metrics
        self._publish = publish
        self._count_and_warn = count_and_warn
        self._newest: NewestSlot[str, Frame] = NewestSlot()
        self._ready: queue.Queue[_Ready] = queue.Queue()
        self._may_decode = threading.Semaphore(1)
        self._may_ask = threading.Semaphore(1)
        self._beats: dict[str, float] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._until_stopped, args=(step,), name=step.__name__, daemon=True)
            for step in (self._prepare_next, self._classify_next)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def offer(self, frame: Frame) -> None:
        """Takes a frame in; never waits."""
        if not self._newest.put(frame.camera, frame):
            self._metrics.add("dropped_for_newer")

    def take_over(self, classifier: Classifier) -> None:
        """Has another model look at the frames from now on; one that is prepared for the last one is still that one's."""
        self._classifier = classifier

    def ask(self, picture: bytes) -> Answer:
        """What the model says of a picture of any kind that OpenCV reads; waits for it. Raises `InvalidMessage` or `Busy`."""
        if not self._may_ask.acquire(timeout=self.PATIENCE):
            raise Busy(f"too many ask: no turn within {self.PATIENCE:g} s")
        try:
            classifier, asked = self._classifier, Future[Answer]()
            self._ready.put(_Ready(classifier.input.tensor(decode_any(picture)), classifier, asked))
            return asked.result(self.PATIENCE)
        except concurrent.futures.TimeoutError:
            raise Busy(f"the model has not answered within {self.PATIENCE:g} s") from None
        finally:
            self._may_ask.release()

    @property
    def stalled(self) -> float:
        """Seconds since the last step of the thread that has been in one for longest; 0 before they begin."""
        return time.monotonic() - min(self._beats.values()) if self._beats else 0.0

    def _until_stopped(self, step: Callable[[], None]) -> None:
        while not self._stop.is_set():
            self._beats[step.__name__] = time.monotonic()
            try:
                step()
            except Exception as error:
                log.debug("a frame could not be classified", exc_info=True)
                self._count_and_warn("failed", f"a frame could not be classified: {type(error).__name__}: {error}"[:300], "")

    def _prepare_next(self) -> None:
        """Decodes the newest frame once the model has taken the one before."""
        if not self._may_decode.acquire(timeout=TICK):
            return
        ready = None
        try:
            frame = self._newest.take(TICK)
            if frame is not None and self._is_fresh(frame):
                classifier = self._classifier
                picture = decode(frame.jpeg, classifier.input.reduction(frame.width, frame.height))
                ready = _Ready(classifier.input.tensor(picture), classifier, frame)
        except InvalidMessage as error:
            self._count_and_warn("invalid", f"{frame.topic if frame else ''}: {error}", frame.topic if frame else "")
        finally:
            if ready is None:
                self._may_decode.release()
            else:
                self._ready.put(ready)

    def _classify_next(self) -> None:
        try:
            tensor, classifier, origin = self._ready.get(timeout=TICK)
        except queue.Empty:
            return
        if isinstance(origin, Future):
            try:
                origin.set_result(Answer(*classifier.classify(tensor), classifier.identity))
            except Exception as error:
                origin.set_exception(error)
            return
        self._may_decode.release()
        labels, inference_ms = classifier.classify(tensor)
        self._tell(origin, labels, inference_ms, classifier)

    def _tell(self, frame: Frame, labels: tuple[Label, ...], inference_ms: float, classifier: Classifier) -> None:
        now = round(time.time(), 3)
        origin = (frame.camera, frame.session, frame.sequence, frame.session_time, frame.captured_at)
        is_demo = frame.demo or classifier.is_demo
        self._publish(Prediction(*origin, now, round(inference_ms, 2), classifier.identity, labels, is_demo))
        self._metrics.put("inference_ms", round(inference_ms, 2))
        self._metrics.put("frame_age_ms", round((now - frame.captured_at) * 1000, 1))

    def _is_fresh(self, frame: Frame) -> bool:
        age = time.time() - frame.captured_at
        if age > self._max_frame_age:
            text = f"{frame.topic}: {age:.1f} s old, dropped; MAX_FRAME_AGE is {self._max_frame_age:g}"
            self._count_and_warn("dropped_old", text, frame.topic)
            return False
        if age < -self._max_frame_age:
            self._count_and_warn(
                "dropped_ahead", f"{frame.topic}: {-age:.1f} s ahead of this machine's clock, dropped", frame.topic
            )
            return False
        return True
