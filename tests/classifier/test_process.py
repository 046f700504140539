"""Tests of classifier processes: sharing frames, switching models while frames flow, kills, and health."""

import random
import signal
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import cv2
import httpx
import numpy as np
import psutil
import pytest

from bus import About, Frame, InvalidSetting, Prediction, Setup, Status, WantedModel, states
from bus import metric_names as names
from bus.images.jpeg import MAX_SCANS
from classifier.bodies import MAX_BODIES
from classifier.preprocess import ImageInput, decode
from classifier.settings import Settings
from runtime.settings import load
from runtime.worker import Worker
from tests.classifier.model_server import SECRET, ModelServer, export_zip, sha256, write_export
from tests.runtime.program import python
from tests.support import hostile, samples
from tests.support.broker import Broker, free_port
from tests.support.health import wait_until_touched, wait_until_untouched
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

FIRST, SECOND = export_zip("abc", 16), export_zip("def", 48)
"""Models of different input sizes, so that a tensor for one does not fit the other."""
ROLLBACK = WantedModel(rollback=True)
STILL = Status("capture", states.RUNNING, 1.0, 1.0, about=About("door"), metrics={names.MOTION: 0})
"""The report of a camera that sends few frames because nothing moves. It is progress, too."""
HANGING = """
import runpy, threading
from classifier.pipeline import Pipeline
from runtime import heartbeat
heartbeat.HANG_TIMEOUT = 1.0
Pipeline._classify_next = lambda _: threading.Event().wait()
runpy.run_module("classifier", run_name="__main__")
"""


class Frames(Listener):
    """A client that sends frames and receives their predictions."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "footfall/+/prediction", "footfall/status/classifier")
        self.sent = 0

    def send(self, camera: str = "door", jpeg: bytes = samples.jpeg()) -> None:
        self.sent += 1
        frame = Frame(camera, "a1", self.sent, self.sent / 10, round(time.time(), 3), 64, 48, jpeg)
        self.client.publish(frame.topic, frame.pack())

    def predictions(self, first: int = 0, camera: str = "door") -> list[Prediction]:
        return list(map(Prediction.unpack, self.payloads(f"{camera}/prediction")[first:]))

    def models_of(self, camera: str, number: int) -> list[str]:
        """Sends frames one by one, checks that each gets one prediction, and returns the models of the predictions."""
        before, first = len(self.payloads(f"{camera}/prediction")), self.sent + 1
        for count in range(number):
            self.send(camera)
            self.wait_for(f"{camera}/prediction", before + count + 1)
        predictions = self.predictions(before, camera)
        assert [one.sequence for one in predictions] == list(range(first, first + number))
        return [one.model.partition("@")[0] for one in predictions]

    def letters(self, first: int = 0) -> list[tuple[str, str]]:
        """Returns the model and the labels of each prediction."""
        return [(one.model, "".join(sorted(label.name for label in one.labels))) for one in self.predictions(first)]

    def wait_for_letters(self, *allowed: str) -> None:
        """Waits for a new prediction of one of these models."""
        seen = len(self.payloads("door/prediction"))
        until(lambda: any(letters in allowed for _, letters in self.letters(seen)[-1:]), 20, f"a prediction of {allowed}")

    def wait_for_status(self, state: str, update: str = "", digest: str = "") -> Status:
        """Waits until the process and its model update have these states."""

        def reached() -> Status | None:
            status = Status.unpack(self.wait_for("status/classifier")[-1])
            found = status.about.update
            is_there = not update or (found is not None and (found.state, found.sha256) == (update, digest))
            return status if is_there and status.state == state else None

        return until(reached, 30, f"{state} {update}")

    def request(self, server: ModelServer, content: bytes) -> str:
        server.content = content
        request = WantedModel(url=f"{server.url}&{sha256(content)[:8]}", sha256=sha256(content))
        self.publish(request.topic, request.pack())
        return sha256(content)


@pytest.mark.system
def test_models_are_switched_while_frames_flow(broker: Broker, tmp_path: Path) -> None:
    """Models are requested, rolled back and changed by hand, and served again after a restart. Predictions never mix models."""
    own = tmp_path / "own"
    settings = {"MODEL": write_export(own, "xyz", 32), "STATE_DIR": tmp_path / "state", "MAX_FRAME_AGE": 60}
    with ModelServer() as server, Frames(broker.port) as frames, Worker("frames", frames.send, interval=0.01):
        with Module("classifier", broker.port, **settings) as module:
            frames.wait_for_letters("xyz")
            assert module.process
            process, memory = psutil.Process(module.process.pid), []
            for content, letters in ((FIRST, "abc"), (SECOND, "def")) * 2:
                status = frames.wait_for_status(states.RUNNING, "serving", frames.request(server, content))
                frames.wait_for_letters(letters)
                assert status.about.labels == tuple(letters)
                memory.append(process.memory_info().rss)
            assert memory[-1] - memory[1] < 20e6
            frames.publish(ROLLBACK.topic, ROLLBACK.pack())
            frames.wait_for_status(states.RUNNING, "rolled-back", sha256(SECOND))
            frames.wait_for_letters("abc")
            write_export(own, "uvw", 24)
            frames.wait_for_letters("uvw")
            (own / "labels.txt").write_text("u\nv")
            assert "2 labels, but the model has 3" in frames.wait_for_status(states.MODEL_REFUSED).detail
            write_export(own, "uvw", 24)
            frames.wait_for_status(states.RUNNING)
            frames.publish(ROLLBACK.topic, ROLLBACK.pack())
            frames.wait_for_letters("abc")
            assert not {names.FAILED, names.INVALID} & set(frames.wait_for_status(states.RUNNING).metrics)
            assert SECRET not in module.log
        with Module("classifier", broker.port, **settings):
            frames.wait_for_letters("abc")
        assert not any(SECRET.encode() in payload for payload in frames.payloads())
        results = set(frames.letters())
        assert sorted(letters for _, letters in results) == ["abc", "def", "uvw", "xyz"]
        assert len({model for model, _ in results}) == 4


@pytest.mark.system
def test_bad_frames_of_one_camera_do_not_delay_another(broker: Broker, tmp_path: Path) -> None:
    """They would take 11 s each to decode. All frames of the other camera are classified, and the process does not end."""
    scans, large = hostile.REFUSED["JPEG of 1500 scans"][0], hostile.jpeg(4000, 4000, MAX_SCANS)
    settings = {"MODEL": write_export(tmp_path / "own", "xyz", 32), "MAX_FRAME_AGE": 60}
    with Module("classifier", broker.port, **settings) as module, Frames(broker.port) as frames, Frames(broker.port) as back:
        frames.wait_for_status(states.RUNNING)
        back.send("back", large)
        with Worker("scans", lambda: back.send("back", scans), interval=0.02):
            assert frames.models_of("door", 20) == ["own"] * 20
        back.wait_for("back/prediction")
        until(lambda: frames.wait_for_status(states.RUNNING).metrics.get(names.INVALID, 0) >= 20, 20)
        assert module.end() == 0


@pytest.mark.system
def test_many_large_bodies_at_once(broker: Broker, tmp_path: Path) -> None:
    """Their memory is bounded, and so is what slow ones hold up. All pictures are answered while frames are classified.

    Four bodies are in memory at once, each up to four times: as it arrives, whole, its pixels, and freed but not yet returned. Of
    all 32 it was 118 MiB.
    """
    picture = cv2.imencode(".bmp", np.zeros((1180, 1180, 3), np.uint8))[1].tobytes()
    port, settings = free_port(), {"MODEL": write_export(tmp_path / "own", "xyz", 32), "MAX_FRAME_AGE": 60}
    head = b"POST /image HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(picture)

    def connect(number: int, content: bytes) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port), limit(30), (f"127.0.0.{2 + number % 4}", 0))
        client.sendall(head + content)
        return client

    def ask(number: int) -> bytes:
        with connect(number, picture) as client:
            return client.recv(12)[9:]

    with (
        Module("classifier", broker.port, HTTP_PORT=port, **settings) as module,
        Frames(broker.port) as frames,
        ExitStack() as stack,
    ):
        module.wait_for_log("running")
        assert ask(0) == b"200"
        assert module.process
        process = psutil.Process(module.process.pid)
        begin, peak = process.memory_info().rss, 0
        for number in range(4):
            stack.enter_context(connect(number, picture[:100_000]))
        with ThreadPoolExecutor(32) as pool:
            answers = [pool.submit(ask, number) for number in range(32)]
            while not all(one.done() for one in answers):
                peak = max(peak, process.memory_info().rss)
                frames.models_of("door", 1)
        assert [one.result() for one in answers] == [b"200"] * 32
        assert peak - begin < 4 * MAX_BODIES * len(picture)


@pytest.mark.system
def test_kills_at_random_moments_of_an_update(broker: Broker, tmp_path: Path) -> None:
    """After each kill, a start serves one of the models. The last request is served in the end."""
    settings = {"MODEL": write_export(tmp_path / "own", "xyz", 32), "STATE_DIR": tmp_path / "state", "MAX_FRAME_AGE": 60}
    chance = random.Random(3)
    with ModelServer() as server, Frames(broker.port) as frames, Worker("frames", frames.send, interval=0.01):
        for number in range(6):
            with Module("classifier", broker.port, **settings) as module:
                frames.wait_for_letters("xyz", "abc", "def")
                frames.request(server, (FIRST, SECOND)[number % 2])
                time.sleep(chance.uniform(0, 1))
                module.end(signal.SIGKILL)
        with Module("classifier", broker.port, **settings):
            frames.wait_for_letters("xyz", "abc", "def")
            frames.wait_for_status(states.RUNNING, "serving", frames.request(server, FIRST))
            frames.wait_for_letters("abc")
        assert len({model for model, _ in frames.letters()}) == len(set(frames.letters()))
        kept = {path.name for path in (tmp_path / "state").iterdir()}
        assert len(kept) <= 3
        assert not any(name.endswith(".part") for name in kept)


@pytest.mark.system
def test_cameras_and_frames_are_shared(broker: Broker, tmp_path: Path) -> None:
    """Two classifiers share the frames of their cameras equally. When one ends, the other gets all of them."""

    def start(name: str, **settings: str) -> Module:
        return Module(
            "classifier", broker.port, MODEL=write_export(tmp_path / name, "abc"), MODULE_NAME=name, MAX_FRAME_AGE=60, **settings
        )

    shared = {"CAMERAS": "door, back", "SHARE": "all"}
    modules = start("one", **shared), start("two", **shared), start("yard", CAMERAS="yard")
    with Frames(broker.port) as frames, modules[0], modules[1], modules[2]:
        for module in modules:
            module.wait_for_log("connected to the broker")
        assert Counter(frames.models_of("door", 20)) == {"one": 10, "two": 10}
        assert frames.models_of("yard", 2) == ["yard", "yard"]
        assert modules[1].end() == 0
        assert frames.models_of("door", 5) == ["one"] * 5
        assert frames.models_of("back", 2) == ["one"] * 2


@pytest.mark.parametrize("given", ["CAMERAS=Door", "CAMERAS=a,b/c", "CAMERAS=+", "CAMERAS=status", "SHARE=all/+"])
def test_names_that_are_refused(given: str) -> None:
    """Invalid camera names are refused, and so is a SHARE that would change the topic."""
    setting, _, value = given.partition("=")
    with pytest.raises(InvalidSetting, match=setting):
        load(Settings, **{setting: value})


@pytest.mark.system
def test_progress_means_published_predictions(broker: Broker, tmp_path: Path) -> None:
    """There is no progress without frames, with invalid pictures, or while the broker is frozen.

    HTTP requests are no progress either. They get results, but POST /url is refused without URL_HOSTS.
    """
    health, port = tmp_path / "progress", free_port()
    settings = {"MODEL": write_export(tmp_path / "colours", "abc"), "HEALTH_FILE": health, "HTTP_PORT": port}
    with Frames(broker.port) as frames, Module("classifier", broker.port, **settings) as module:
        wait_until_touched(health, frames.send)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=limit(20)) as client:
            about, answer = client.get("/").json(), client.post("/image", content=samples.jpeg()).json()
            assert answer["iteration"] == about["model"] == frames.predictions()[0].model
            assert (about["labels"], about["runtime"].split(", ")[1:]) == (["a", "b", "c"], ["XNNPACK", "1 thread"])
            assert "/image" in client.get("/openapi.json").json()["paths"]
            assert "URL_HOSTS is not set" in client.post("/url", json={"url": "http://127.0.0.1/"}).text
        wait_until_untouched(health)
        wait_until_touched(health, frames.send)
        wait_until_untouched(health, lambda: frames.send(jpeg=b"no picture"))
        wait_until_touched(health, frames.send)
        wait_until_touched(health, lambda: frames.publish(STILL.topic, STILL.pack()))
        broker.freeze()
        wait_until_untouched(health, frames.send)
        assert module.running


@pytest.mark.system
def test_a_model_without_visitors_ends_the_process() -> None:
    """At the start, one line names VISITORS and the model's labels."""
    with Module("classifier", 1, MODEL="demo/model", VISITORS="zebra, horse") as module:
        assert module.process
        assert module.process.wait(limit(60)) == 2
        assert "VISITORS='zebra,horse'; its labels are man, woman, nobody" in module.log.strip().splitlines()[-1]


@pytest.mark.system
def test_a_retained_setup_chooses_the_visitors(broker: Broker, tmp_path: Path) -> None:
    """It applies from the next frame on, without a restart, until it is deleted."""
    wanted = Setup("door", visitors=("b",))

    def visitors() -> str:
        before = len(frames.predictions())
        frames.send()
        frames.wait_for("door/prediction", before + 1)
        return "".join(sorted(label.name for label in frames.predictions(before)[0].labels if label.visitor))

    settings = {"MODEL": write_export(tmp_path / "model", "abc", 32), "VISITORS": "a,c"}
    with Frames(broker.port) as frames:
        frames.publish(wanted.topic, wanted.pack(), retain=True)
        with Module("classifier", broker.port, **settings):
            assert frames.wait_for_status(states.RUNNING).about.classes == ("a", "b", "c")
            assert visitors() == "b"
            frames.publish(wanted.topic, b"", retain=True)
            frames.settle()
            until(lambda: visitors() == "ac")


@pytest.mark.parametrize(("given", "reduction"), [("false", 1), ("true", 8)])
def test_large_frames_are_decoded_smaller_with_fast_decode(broker: Broker, tmp_path: Path, given: str, reduction: int) -> None:
    """Without it, the model gets the pixels of the whole frame. Labels that mean nobody are marked, in any case and brackets."""
    picture = np.random.default_rng(1).integers(0, 256, (1024, 1024, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    model = write_export(tmp_path / "colours", ("blue", "green", "[NOBODY]"))
    with Frames(broker.port) as frames, Module("classifier", broker.port, MODEL=model, FAST_DECODE=given):
        frames.wait_for_status(states.RUNNING)
        frame = Frame("door", "a1", 1, 0.1, round(time.time(), 3), 1024, 1024, jpeg)
        frames.client.publish(frame.topic, frame.pack())
        prediction = Prediction.unpack(frames.wait_for("door/prediction")[-1])
    colours = [
        ImageInput(16, 16, np.dtype("float32"), fit="whole").to_tensor(decode(jpeg, one)) / 255
        for one in (reduction, 9 - reduction)
    ]
    means, others = (dict(zip(("blue", "green", "[NOBODY]"), one.mean((0, 1, 2)).tolist(), strict=True)) for one in colours)
    found = {label.name: label.probability for label in prediction.labels}
    assert found == pytest.approx(means, abs=1e-4)
    assert found != pytest.approx(others, abs=1e-3)
    assert {label.name for label in prediction.labels if not label.visitor} == {"[NOBODY]"}


@pytest.mark.system
def test_a_model_that_hangs_ends_the_process() -> None:
    with python(HANGING, MQTT_PORT="1", MODEL="demo/model") as process:
        _, log = process.communicate(timeout=limit(60))
    assert process.returncode == 3
    assert b"[CRT] - the model has hung for " in log
