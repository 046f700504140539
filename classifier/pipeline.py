"""From frames to predictions, in two threads: one decodes the next frame while the other runs the model on this one."""

import concurrent.futures
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from bus import FootfallError, Frame, InvalidMessage, NewestSlot, Prediction
from bus import metric_names as names
from classifier.interpreter import Classifier, Result
from classifier.preprocess import Tensor, decode, decode_any
from runtime.metrics import Metrics
from runtime.worker import Worker

TICK = 0.2
"""Seconds that a step waits for work."""


class Busy(FootfallError):
    """Too many requests at once, or the model does not answer."""


class _Ready(NamedTuple):
    """A tensor, the classifier that it was made for, and where it came from."""

    tensor: Tensor
    classifier: Classifier
    origin: "Frame | Future[Result]"


class Pipeline:
    """Predicts the newest frame of each camera in turn; older ones are dropped and counted. Answers requests in between.

    A frame is decoded when the one before it is in the model, so that at most one frame waits for the model, and one picture that
    somebody asks about; these take turns.
    `publish` and `count_and_warn` (metric, text, sender) are called from its threads.
    """

    ANSWER_TIMEOUT = 10.0
    """Seconds without an answer, or in one step, after which the model counts as stuck."""

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
        self.workers = Worker("decode", self._prepare_next), Worker("classify", self._classify_next)
        """To be entered."""

    def offer(self, frame: Frame) -> None:
        """Takes a frame; never waits."""
        if not self._newest.put(frame.camera, frame):
            self._metrics.add(names.DROPPED_FOR_NEWER)

    def switch(self, classifier: Classifier) -> None:
        """Uses another model from the next frame on; a frame that was prepared for the last model still goes to that one."""
        self._classifier = classifier

    def ask(self, picture: bytes) -> Result:
        """Classifies a picture of any format that OpenCV reads, and waits for it. Raises `InvalidMessage` or `Busy`."""
        if not self._may_ask.acquire(timeout=self.ANSWER_TIMEOUT):
            raise Busy(f"too many requests: no turn within {self.ANSWER_TIMEOUT:g} s")
        try:
            classifier, asked = self._classifier, Future[Result]()
            self._ready.put(_Ready(classifier.input.tensor(decode_any(picture)), classifier, asked))
            return asked.result(self.ANSWER_TIMEOUT)
        except concurrent.futures.TimeoutError:
            raise Busy(f"the model has not answered within {self.ANSWER_TIMEOUT:g} s") from None
        finally:
            self._may_ask.release()

    @property
    def stalled(self) -> float:
        """Seconds that the longer of the current steps has taken; a healthy one takes under a second."""
        return max(worker.stalled for worker in self.workers)

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
            self._count_and_warn(names.INVALID, f"{frame.topic if frame else ''}: {error}", frame.topic if frame else "")
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
        if isinstance(origin, Frame):
            self._may_decode.release()
        try:
            result = classifier.classify(tensor)
        except Exception as error:
            if isinstance(origin, Future):
                origin.set_exception(error)
            else:
                text = f"{origin.topic}: could not be classified: {type(error).__name__}: {error}"[:300]
                self._count_and_warn(names.FAILED, text, origin.topic)
            return
        if isinstance(origin, Future):
            origin.set_result(result)
        else:
            self._publish_prediction(origin, result, origin.demo or classifier.is_demo)

    def _publish_prediction(self, frame: Frame, result: Result, is_demo: bool) -> None:
        now, inference_ms = round(time.time(), 3), round(result.inference_ms, 2)
        origin = (frame.camera, frame.session, frame.sequence, frame.session_time, frame.captured_at)
        self._publish(Prediction(*origin, now, inference_ms, result.model, result.labels, is_demo))
        self._metrics.put(names.INFERENCE_MS, inference_ms)
        self._metrics.put(names.FRAME_AGE_MS, round((now - frame.captured_at) * 1000, 1))

    def _is_fresh(self, frame: Frame) -> bool:
        age = time.time() - frame.captured_at
        if age > self._max_frame_age:
            text = f"{frame.topic}: {age:.1f} s old, dropped; MAX_FRAME_AGE is {self._max_frame_age:g}"
            self._count_and_warn(names.DROPPED_OLD, text, frame.topic)
        elif age < -self._max_frame_age:
            text = f"{frame.topic}: {-age:.1f} s ahead of this machine's clock, dropped"
            self._count_and_warn(names.DROPPED_AHEAD, text, frame.topic)
        return abs(age) <= self._max_frame_age
