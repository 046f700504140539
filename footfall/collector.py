"""Chooses pictures for training among the frames and predictions of a running suite."""

import sys
import time
from collections import OrderedDict
from datetime import datetime

from paho.mqtt import client as mqtt

from bus import Detection, Frame, InvalidMessage, InvalidSetting, Prediction, topics
from capture.pictures.picture import Pixels
from capture.pictures.prepare import encode_jpeg
from classifier.preprocess import decode
from classifier.recogniser import crop, is_classified
from classifier.settings import Settings
from footfall.connection import Connection, NotRunning, parse
from footfall.guess import NOBODY, UNDECIDED, folder_name, guess
from footfall.picture_folder import PictureFolder

UNSORTED = "unsorted"
"""The folder for pictures without a guess."""
MAX_WAITING = 60
"""Frames that wait for their prediction at most."""
NO_PREDICTIONS_AFTER = 5.0
"""Seconds after which frames are stored without a guess if there is no prediction since the first of them."""
LOST_AFTER = 10.0
"""Seconds without the broker after which the suite counts as stopped."""
CROP_QUALITY = 95
"""JPEG quality of crops. Whole frames are stored as the camera sent them."""
TAKE_TIMEOUT = 0.5
"""Seconds to wait for a message."""


class Collector:
    """Stores frames, or the visitors in them, in the folder of the model's guess."""

    def __init__(self, folder: PictureFolder, settings: Settings, crops: bool = False, is_sorted: bool = True) -> None:
        """With `crops` it stores each visitor instead of whole frames. Unless `is_sorted`, it ignores the model's guess."""
        self._folder, self._settings, self._crops, self._is_sorted = folder, settings, crops, is_sorted
        self._frames: OrderedDict[tuple[str, int], Frame] = OrderedDict()
        self._began_at = time.monotonic()
        self._waiting_since: float | None = None  # when the first frame came that has no prediction, nor any after it

    def run(self, connection: Connection, camera: str, seconds: float) -> None:
        """Collects for a number of seconds, or until the folder is full. Raises `FootfallError`."""
        connection.follow(topics.frame(camera), topics.prediction(camera))
        self._began_at = connected_at = time.monotonic()
        while not self._folder.is_full and (left := seconds - self._elapsed) > 0:
            message = connection.take(min(TAKE_TIMEOUT, left))
            if connection.is_connected:
                connected_at = time.monotonic()
            elif time.monotonic() - connected_at > LOST_AFTER:
                raise NotRunning("the suite has stopped, so the collection ends")
            if message is not None:
                self.process(message)
            if sys.stderr.isatty():
                progress = f"{self._folder.number} pictures, {self._elapsed / 60:.1f} of {seconds / 60:g} minutes"
                print(f"\r{progress}\x1b[K", end="\r", file=sys.stderr, flush=True)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began_at

    def process(self, message: mqtt.MQTTMessage) -> None:
        """Processes a frame or a prediction; others are ignored. Raises `FootfallError`."""
        if message.topic == topics.frame(topics.frame.name_in(message.topic)):
            if (frame := parse(Frame, message.topic, message.payload)) is not None:
                self._on_frame(frame)
        elif (prediction := parse(Prediction, message.topic, message.payload)) is not None:
            self._on_prediction(prediction)

    def _on_frame(self, frame: Frame) -> None:
        """Keeps the frame until its prediction comes, or stores it at once if none is used."""
        now = time.monotonic()
        self._waiting_since = now if self._waiting_since is None else self._waiting_since
        is_guessed = self._is_sorted and now - self._waiting_since < NO_PREDICTIONS_AFTER
        if not (is_guessed or self._crops):
            self._store_frame(UNSORTED, frame)
            return
        self._frames[frame.session, frame.sequence] = frame
        while len(self._frames) > MAX_WAITING:
            self._frames.popitem(last=False)

    def _on_prediction(self, prediction: Prediction) -> None:
        self._waiting_since = None
        if self._crops and prediction.labels:
            raise InvalidSetting("--crops: the suite's model classifies whole pictures; use a detection model, or leave it out")
        frame = self._frames.pop((prediction.session, prediction.sequence), None)
        if frame is None:
            return
        if self._crops:
            self._store_visitors(frame, prediction)
        elif self._is_sorted:
            label = guess(prediction, self._settings.threshold)
            self._store_frame(UNDECIDED if label is None else label.name if label.visitor else NOBODY, frame)

    def _store_frame(self, label: str, frame: Frame) -> None:
        picture = _decoded(frame) if self._folder.is_due(label, self._elapsed) else None
        if picture is not None and self._folder.is_new(label, picture, self._elapsed):
            self._folder.store(label, _file_name(frame), frame.jpeg)

    def _store_visitors(self, frame: Frame, prediction: Prediction) -> None:
        """Stores the visitors that a classifier would look at, cut out as it would see them."""
        rules = self._settings.rules
        visitors = [one for one in prediction.detections if is_classified(one, frame.width, frame.height, rules)]
        labels = [self._label(one) for one in visitors]
        if not any(self._folder.is_due(label, self._elapsed) for label in labels):
            return
        picture = _decoded(frame)
        if picture is None:
            return
        for number, (label, visitor) in enumerate(zip(labels, visitors, strict=True)):
            shown = crop(picture, visitor.box, rules.crop_margin)
            if self._folder.is_due(label, self._elapsed) and self._folder.is_new(label, shown, self._elapsed):
                self._folder.store(label, f"{_file_name(frame)}-{number}", encode_jpeg(shown, CROP_QUALITY))

    def _label(self, visitor: Detection) -> str:
        if not self._is_sorted:
            return UNSORTED
        best = visitor.labels[0] if visitor.labels else None
        return UNDECIDED if best is None or best.probability < self._settings.threshold else best.name


def _decoded(frame: Frame) -> Pixels | None:
    try:
        return decode(frame.jpeg)
    except InvalidMessage:
        return None


def _file_name(frame: Frame) -> str:
    """Returns a name with the camera, the time and the number of a frame, without a suffix."""
    at = datetime.fromtimestamp(frame.captured_at).strftime("%Y%m%d-%H%M%S")
    return folder_name(f"{frame.camera}-{at}-{frame.session}-{frame.sequence}")
