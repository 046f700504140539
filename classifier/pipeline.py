"""The pipeline from frames to predictions: one thread decodes the next frame while another runs the model on this one."""

import concurrent.futures
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from bus import FootfallError, Frame, InvalidMessage, NewestSlot, Prediction
from bus import metric_names as names
from classifier.flood import MAX_RATE, FloodDetector
from classifier.pace import Pace
from classifier.preprocess import decode, decode_any
from classifier.recogniser import Prepared, Recogniser, Result
from runtime.metrics import Metrics
from runtime.worker import Worker

QUEUE_TIMEOUT = 1.0
"""Seconds that a step waits for work."""


class Busy(FootfallError):
    """Too many concurrent requests, or a model that does not respond."""


class _Task(NamedTuple):
    """A prepared picture, the recogniser it was prepared for, and the frame or request it came from."""

    prepared: Prepared
    recogniser: Recogniser
    origin: "Frame | Future[Result]"
    decoding: float = 0.0
    """Seconds that it took to decode the frame."""


class Pipeline:
    """A pipeline that classifies the newest frame of each camera in turn, and pictures on request. Older frames are dropped.

    A frame is decoded after the model has taken the previous one, just before it is free. So at most one frame and one requested
    picture wait for the model; they take turns.
    Its threads call `publish` and `count_and_warn` (metric, text, sender).
    """

    ANSWER_TIMEOUT = 10.0
    """Seconds that a request or a step may take; after that the model counts as stuck."""

    def __init__(
        self,
        recogniser: Recogniser,
        max_frame_age: float,
        metrics: Metrics,
        publish: Callable[[Prediction], object],
        count_and_warn: Callable[[str, str, str], None],
        fast_decode: bool = False,
    ) -> None:
        """`max_frame_age` is in seconds. With `fast_decode`, large frames are decoded at a reduced size."""
        self._recogniser = recogniser
        self._max_frame_age = max_frame_age
        self._metrics = metrics
        self._publish = publish
        self._count_and_warn = count_and_warn
        self._fast_decode = fast_decode
        self._newest: NewestSlot[str, Frame] = NewestSlot()
        self._flood = FloodDetector()
        self._pace = Pace()
        self._prepared: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._decode_slot = threading.Semaphore(1)
        self._request_slot = threading.Semaphore(1)
        self.workers = (
            Worker("decode", self._prepare_next, wake=self._wake_decoder),
            Worker("classify", self._classify_next, wake=lambda: self._prepared.put(None)),
        )
        """The threads; enter each to start it."""

    def submit(self, frame: Frame) -> None:
        """Queues a frame, in place of an older one of the same camera. If that floods, others go first. Never blocks."""
        if floods := self._flood.floods(frame.camera):
            text = f"{frame.topic}: more than {MAX_RATE} frames a second; other cameras go first"
            self._count_and_warn(names.FLOODED, text, frame.topic)
            if self._flood.drops(frame.camera):
                return
        if not self._newest.put(frame.camera, frame, yields=floods):
            self._metrics.add(names.DROPPED_FOR_NEWER)

    def switch(self, recogniser: Recogniser) -> None:
        """Uses other models from the next frame on. The current ones still get a frame already prepared for them."""
        self._recogniser = recogniser

    def classify(self, picture: bytes) -> Result:
        """Classifies a picture in any format that OpenCV reads; blocks until then. Raises `InvalidMessage` or `Busy`."""
        if not self._request_slot.acquire(timeout=self.ANSWER_TIMEOUT):
            raise Busy(f"too many requests; this one gave up after {self.ANSWER_TIMEOUT:g} s")
        try:
            recogniser, future = self._recogniser, Future[Result]()
            self._prepared.put(_Task(recogniser.prepare(decode_any(picture)), recogniser, future))
            return future.result(self.ANSWER_TIMEOUT)
        except concurrent.futures.TimeoutError:
            raise Busy(f"the model has not answered within {self.ANSWER_TIMEOUT:g} s") from None
        finally:
            self._request_slot.release()

    @property
    def stalled(self) -> float:
        """Seconds since the older of the two current steps began; a healthy step takes less than a second."""
        return max(worker.stalled for worker in self.workers)

    def _wake_decoder(self) -> None:
        self._newest.close()
        self._decode_slot.release()

    def _prepare_next(self) -> None:
        """Decodes the newest frame when it is time."""
        if not self._decode_slot.acquire(timeout=QUEUE_TIMEOUT):
            return
        task = None
        try:
            begin = self._pace.wait()
            frame = self._newest.take(0)
            if frame is None:
                frame, begin = self._newest.take(QUEUE_TIMEOUT), time.monotonic()
            if frame is not None and self._is_fresh(frame):
                recogniser = self._recogniser
                reduction = recogniser.max_reduction(frame.width, frame.height) if self._fast_decode else 1
                task = _Task(recogniser.prepare(decode(frame.jpeg, reduction)), recogniser, frame, time.monotonic() - begin)
        except InvalidMessage as error:
            self._count_and_warn(names.INVALID, f"{frame.topic if frame else ''}: {error}", frame.topic if frame else "")
        finally:
            if task is None:
                self._decode_slot.release()
            else:
                self._prepared.put(task)

    def _classify_next(self) -> None:
        try:
            task = self._prepared.get(timeout=QUEUE_TIMEOUT)
        except queue.Empty:
            return
        if task is None:
            return
        if isinstance(task.origin, Frame):
            self._pace.take(task.decoding)
            self._decode_slot.release()
            self._classify_frame(task, task.origin)
            self._pace.end()
        else:
            self._answer(task, task.origin)

    def _classify_frame(self, task: _Task, frame: Frame) -> None:
        try:
            result = task.recogniser.recognise(task.prepared, frame.camera)
            self._publish_prediction(frame, result, frame.demo or task.recogniser.is_demo)
        except Exception as error:
            text = f"{frame.topic}: classification failed: {type(error).__name__}: {error}"[:300]
            self._count_and_warn(names.FAILED, text, frame.topic)

    def _answer(self, task: _Task, request: "Future[Result]") -> None:
        try:
            request.set_result(task.recogniser.recognise(task.prepared))
        except Exception as error:
            request.set_exception(error)

    def _publish_prediction(self, frame: Frame, result: Result, is_demo: bool) -> None:
        now, inference_ms = round(time.time(), 3), round(result.inference_ms, 2)
        origin = (frame.camera, frame.session, frame.sequence, frame.session_time, frame.captured_at)
        found = (result.model, result.labels, result.detections, is_demo)
        self._publish(Prediction(*origin, now, inference_ms, *found, round(frame.width / frame.height, 4), frame.held))
        camera = frame.camera
        for labels in [one.labels for one in result.detections] or [result.labels]:
            for label in labels[:1]:
                self._metrics.add(names.SEEN, camera=camera, label=label.name)
        self._metrics.observe(names.INFERENCE_MS, inference_ms, camera=camera)
        self._metrics.observe(names.FRAME_AGE_MS, round((now - frame.captured_at) * 1000, 1), camera=camera)

    def _is_fresh(self, frame: Frame) -> bool:
        age = time.time() - frame.captured_at
        if age > self._max_frame_age:
            text = f"{frame.topic}: {age:.1f} s old, dropped; MAX_FRAME_AGE is {self._max_frame_age:g}"
            self._count_and_warn(names.DROPPED_OLD, text, frame.topic)
        elif age < -self._max_frame_age:
            text = f"{frame.topic}: {-age:.1f} s ahead of this machine's clock, dropped"
            self._count_and_warn(names.DROPPED_AHEAD, text, frame.topic)
        return abs(age) <= self._max_frame_age
