"""The suite with a part of a core: ages of frames, dropped frames, and counts beside the truth.

sudo .venv/bin/python -m benchmarks.throttled 25 50 100

The arguments are percentages of one core, for all programs and the broker of `footfall run` together. The camera, which shows
the demo's clip in real time, and the listener are outside of the limit. Needs root and a control group for CPU time.
"""

import bisect
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import psutil
from paho.mqtt import client as mqtt

from benchmarks.camera import sent_at, stamped
from benchmarks.programs import Program, free_port, is_listening, wait_for
from benchmarks.quota import NoQuota, Quota, open_quota
from benchmarks.suite import measure_cpu
from benchmarks.tables import percentile, print_row
from bus import Frame, Prediction
from capture.pictures.prepare import encode_jpeg
from demo.about import DEMOS, DETECTOR, PEOPLE
from footfall.state import current_broker, modules_port, password_file

RATE = 10
FRAMES = 556
"""Frames of the clip that are shown. Nobody is in view at their begin and end."""
SETTLING = 5.0
"""Seconds with the limit before the scene begins, and after its end."""
START_TIMEOUT = 60.0
MAX_DELAY = 1.5
"""Seconds between a true crossing and the one that was counted."""


class Film:
    """The pictures of the clip: the first one until `begin` (Unix time), then each at its time, then the last one."""

    def __init__(self) -> None:
        self.begin = float("inf")
        self.pictures = list(_read_clip(FRAMES))

    def number(self, at: float) -> int:
        """Returns the number of the picture that is shown at a time."""
        return max(0, min(FRAMES - 1, int((at - self.begin) * RATE))) if at > self.begin else 0

    @property
    def end(self) -> float:
        return self.begin + FRAMES / RATE


def _read_clip(number: int) -> Iterator[bytes]:
    video = cv2.VideoCapture(str(PEOPLE))
    for _ in range(number):
        _, picture = video.read()
        yield encode_jpeg(picture, 80)
    video.release()


@contextmanager
def network_camera(film: Film) -> Iterator[str]:
    """Serves the film as Motion JPEG, ten pictures a second. A client that reads slowly misses pictures. Yields the address."""

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            while True:
                now = time.time()
                jpeg = stamped(film.pictures[film.number(now)], now)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                except OSError:
                    return
                time.sleep(1 / RATE - time.time() % (1 / RATE))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class Record:
    """What the broker sends to a subscriber: when each picture was sent by the camera, when its prediction came, and metrics."""

    def __init__(self, port: int, password: str) -> None:
        self.sent: dict[tuple[str, int], float] = {}
        self.predicted: dict[tuple[str, int], float] = {}
        self.metrics: dict[str, dict[str, float]] = {}
        self._client = mqtt.Client()
        self._client.username_pw_set("dashboard", password)
        self._client.on_message = self._on_message
        filters = [("footfall/+/frame", 0), ("footfall/+/prediction", 0), ("footfall/status/+", 0)]
        self._client.on_connect = lambda *_: self._client.subscribe(filters)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        at = time.time()
        if message.topic.endswith("/frame"):
            frame = Frame.unpack(message.payload)
            self.sent[frame.session, frame.sequence] = sent_at(frame.jpeg)
        elif message.topic.endswith("/prediction"):
            prediction = Prediction.unpack(message.payload)
            self.predicted[prediction.session, prediction.sequence] = at
        else:
            status = json.loads(message.payload)
            self.metrics[status["module"]] = status["metrics"]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def ages(self, begin: float, end: float) -> list[float]:
        """Returns the seconds from the camera to the prediction, of frames that the camera sent in a range of time."""
        sent = [(self.sent[key], at) for key, at in list(self.predicted.items()) if key in self.sent]
        return [at - one for one, at in sorted(sent) if begin <= one < end]


class Outcome(NamedTuple):
    """The result of a run. Ages are in seconds, in the order of the frames."""

    percent: float
    used: float
    """CPU time of all programs and the broker, in percent of a core."""
    throttled: float
    """The share of periods in which the limit was reached."""
    ages: list[float]
    metrics: dict[str, dict[str, float]]
    found: int
    invented: int
    visits: Counter[str]
    errors: list[str]

    def dropped(self, module: str, name: str) -> int:
        return round(self.metrics.get(module, {}).get(name, 0))


def true_crossings() -> list[tuple[str, float]]:
    """Returns direction and second of each true crossing."""
    truth = json.loads(PEOPLE.with_suffix(".json").read_text())
    return [(one["direction"], one["at"]) for one in truth["crossings"] if one["at"] < FRAMES / RATE]


def true_visits() -> Counter[str]:
    """Returns the true number of visits by label."""
    truth = json.loads(PEOPLE.with_suffix(".json").read_text())
    return Counter(one["label"] for one in truth["visitors"] if one["first"] < FRAMES)


def matched(truth: Sequence[tuple[str, float]], counted: Sequence[tuple[str, float]]) -> int:
    """Returns how many true crossings were counted in their direction within `MAX_DELAY`, each once."""
    left = {way: sorted(at for one, at in counted if one == way) for way in ("in", "out")}
    number = 0
    for way, at in sorted(truth, key=lambda one: one[1]):
        place = bisect.bisect_left(left[way], at - MAX_DELAY)
        if place < len(left[way]) and left[way][place] <= at + MAX_DELAY:
            left[way].pop(place)
            number += 1
    return number


def counted(ledger: Path, begin: float) -> tuple[list[tuple[str, float]], Counter[str]]:
    """Returns direction and second of each counted crossing, and the number of visits by label."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=10)) as connection:
        crossings = [(way, at - begin) for way, at in connection.execute("SELECT direction, at FROM crossing")]
        visits = Counter(label for (label,) in connection.execute("SELECT label FROM visit"))
    return crossings, visits


def measure(percent: float, film: Film, address: str, quota: Quota) -> Outcome:
    """Runs the suite without a limit until it predicts, then with the limit for the whole film, then without again."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, object] = {"STATE_DIR": folder, "MQTT_PORT": port, "WEB_PORT": free_port(), "MODEL": DETECTOR}
        settings |= {"VIDEO_PATH": address, "FRAME_RATE": RATE, "MOTION": "off"} | DEMOS["people"].settings
        with Program(quota.wrap([sys.executable, "-m", "footfall", "run"]), settings) as run:
            wait_for(lambda: run.check() and is_listening(port), START_TIMEOUT, "the broker of the run")
            broker = current_broker(Path(folder), port)
            record = Record(modules_port(broker), password_file(broker, "dashboard").read_text().strip())
            wait_for(lambda: run.check() and bool(record.predicted), START_TIMEOUT, "a prediction")
            quota.limit(percent)
            film.begin = time.time() + SETTLING
            time.sleep(SETTLING)
            used = sum(measure_cpu(psutil.Process(run.pid), film.end - time.time()).values())
            time.sleep(SETTLING)
            run.check()
            throttled = quota.throttled()
            quota.unlimit()
            time.sleep(SETTLING)
            record.close()
            (ledger,) = Path(folder).rglob("ledger.db")
            crossings, visits = counted(ledger, film.begin)
            problems = [line for line in run.log.splitlines() if "ERROR" in line or "Traceback" in line]
    found = matched(true_crossings(), crossings)
    ages = record.ages(film.begin, film.end)
    return Outcome(percent, used, throttled, ages, record.metrics, found, len(crossings) - found, visits, problems)


def print_outcome(one: Outcome) -> None:
    """Prints a row: the limit, frames a second, ages, dropped frames, crossings and visits; then the errors in the log."""
    third = len(one.ages) // 3
    thirds = [statistics.median(one.ages[third * part : third * (part + 1)]) for part in range(3)]
    dropped = one.dropped("classifier", "dropped_for_newer"), one.dropped("classifier", "dropped_old")
    ages = percentile(one.ages, 50), percentile(one.ages, 99), max(one.ages)
    visits = f"{one.visits.total()}"
    print_row(
        f"{one.percent:g} %",
        one.used,
        one.throttled,
        len(one.ages) / (FRAMES / RATE),
        *ages,
        *dropped,
        one.found,
        one.invented,
        visits,
        len(one.errors),
    )
    print("    medians of the thirds:", *(f"{age:.2f}" for age in thirds), "| visits:", dict(one.visits))
    for module, values in sorted(one.metrics.items()):
        print(f"    {module}:", {name: value for name, value in values.items() if "dropped" in name or "lag" in name})
    print(*(f"    {line}" for line in one.errors[:10]), sep="\n", end="\n" if one.errors else "")


def main() -> None:
    """Measures with each limit of the arguments."""
    film = Film()
    print(
        f"truth: {len(true_crossings())} crossings, {true_visits().total()} visits {dict(true_visits())}; {os.cpu_count()} cores"
    )
    print_row(
        "of a core",
        "used, %",
        "throttled",
        "frames/s",
        "age p50, s",
        "p99",
        "most",
        "for newer",
        "too old",
        "found",
        "invented",
        "visits",
        "errors",
    )
    try:
        for percent in map(float, sys.argv[1:] or ["25", "50", "100"]):
            with open_quota() as quota, network_camera(film) as address:
                film.begin = float("inf")
                print_outcome(measure(percent, film, address, quota))
    except NoQuota as error:
        sys.exit(f"not measured: {error}")


if __name__ == "__main__":
    main()
