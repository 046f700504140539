"""`docker stack deploy` with four classifiers: each frame is predicted once, and the counter processes them in order."""

import itertools
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from paho.mqtt import client as mqtt

from benchmarks.throttled import FRAMES, RATE, matched, true_crossings
from bus import Crossing, Prediction, Tracks
from demo.about import DEMOS, PEOPLE
from tests.containers.conftest import BUILD, run
from tests.support.broker import ROOT, free_port
from tests.support.listener import Listener
from tests.support.wait import limit, until

# Not with the other tests of containers: joining and leaving a swarm cuts the networks of their containers.
pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(900))]

CLASSIFIERS = 4
REGISTRY = "footfall-swarm-test/"
SECRETS = ("capture", "classifier", "counter", "bridge", "dashboard", "display", "operator", "reader", "homeassistant", "page")
MODULES = ("capture", "classifier", "counter")


class Stack(NamedTuple):
    """A deployed stack. Its broker is at `port` of loopback; `reader` is the password of the user with this name."""

    name: str
    port: int
    reader: str

    def scale(self, service: str, replicas: int) -> None:
        run("docker", "service", "scale", "-d", f"{self.name}_{service}={replicas}")

    def listener(self, *filters: str) -> Listener:
        client = mqtt.Client()
        client.username_pw_set("reader", self.reader)
        return Listener(self.port, *filters, client=client)


def build_images() -> None:
    """Builds the images that the stack needs, with the demo's detector in the classifier's."""
    run("docker", "build", "-q", "-t", f"{REGISTRY}footfall-mosquitto:0.1.0", "-f", "mosquitto/Dockerfile", ".", seconds=BUILD)
    for module in MODULES:
        image = ("-t", f"{REGISTRY}footfall-{module}:0.1.0", "--target", module)
        run("docker", "build", "-q", *image, "--build-arg", "MODEL=demo/detector", ".", seconds=BUILD)


@contextmanager
def swarm() -> Iterator[dict[str, str]]:
    """Makes this engine a swarm of one node, with the label and the secrets of the documentation. Yields the secrets."""
    if run("docker", "info", "-f", "{{.Swarm.LocalNodeState}}").strip() != "inactive":
        pytest.skip("this engine is in a swarm")
    run("docker", "swarm", "init", "--advertise-addr", "127.0.0.1")
    try:
        node = run("docker", "node", "ls", "-q").strip()
        run("docker", "node", "update", "--label-add", "footfall=home", node)
        yield {name: secrets.token_urlsafe(24) for name in SECRETS}
    finally:
        run("docker", "swarm", "leave", "--force")


@pytest.fixture
def stack(engine: None, tmp_path: Path) -> Iterator[Stack]:
    """A stack of broker, counter and four classifiers. The camera, which has no replica yet, will show the demo's clip."""
    build_images()
    with swarm() as passwords:
        for name, password in passwords.items():
            (tmp_path / name).write_text(password)
            run("docker", "secret", "create", f"footfall-{name}", str(tmp_path / name))
        deployed = Stack(f"footfall-test-{os.getpid()}", free_port(), passwords["reader"])
        nothing = {"deploy": {"replicas": 0}}
        services = {
            "mosquitto": {"ports": [{"target": 1883, "published": deployed.port, "mode": "host"}]},
            "capture": nothing | {"environment": {"MOTION": "off"}},
            "classifier": {"deploy": {"replicas": CLASSIFIERS}},
            "bridge": nothing,
            "dashboard": nothing,
        }
        own = tmp_path / "own.yml"
        own.write_text(yaml.safe_dump({"services": services}))
        files = [word for one in ("docker-compose.yml", "docker-compose.swarm.yml", str(own)) for word in ("-c", one)]
        environment = {"REGISTRY": REGISTRY, "VIDEO_PATH": str(PEOPLE.relative_to(ROOT)), **DEMOS["people"].settings}
        run("docker", "stack", "deploy", "--resolve-image", "never", *files, deployed.name, environment=environment)
        try:
            yield deployed
        finally:
            run("docker", "stack", "rm", deployed.name)
            label = f"label=com.docker.stack.namespace={deployed.name}"
            until(lambda: not run("docker", "ps", "-aq", "-f", label).strip(), 60, "the end of the stack")
            if volumes := run("docker", "volume", "ls", "-q", "-f", label).split():
                run("docker", "volume", "rm", *volumes)


def test_four_classifiers_count_as_one(stack: Stack) -> None:
    """No frame is predicted twice, all four predict, the counter processes frames in order, and finds the true crossings."""
    names = {f"classifier-{number}" for number in range(1, CLASSIFIERS + 1)}
    until(lambda: _connects(stack), 120, "the broker")
    with stack.listener("footfall/#") as listener:
        until(
            lambda: (
                names | {"counter"}
                <= {one["module"] for one in _statuses(listener) if one["state"] not in ("offline", "starting")}
            ),
            120,
            "the classifiers and the counter",
        )
        stack.scale("capture", 1)
        listener.wait_for("/prediction", FRAMES + RATE, seconds=180)
        stack.scale("capture", 0)
        until(lambda: _is_quiet(listener), 60, "the last results")
        until(
            lambda: {one["module"] for one in _statuses(listener) if "inference_ms" in one["metrics"]} == names,
            60,
            "predictions of all",
        )
        predictions = [one for one in map(Prediction.unpack, listener.payloads("/prediction")) if one.sequence < FRAMES]
        tracks = [Tracks.unpack(one) for one in listener.payloads("/tracks")]
        crossings = [Crossing.unpack(one) for one in listener.payloads("/crossing")]
    frames = [(one.session, one.sequence) for one in predictions]
    assert len(set(frames)) == len(frames)
    sequences = [one.sequence for one in tracks]
    assert sequences == sorted(set(sequences))
    began = min(one.captured_at - one.session_time for one in predictions)
    truth = true_crossings()
    counted = [(str(one.direction), one.at - began) for one in crossings if one.at - began < FRAMES / RATE]
    found = matched(truth, counted)
    overtaken = sum(one.sequence > other.sequence for one, other in itertools.pairwise(predictions))
    print(  # noqa: T201  # the figures of docs/several.md
        f"{len(frames)} of {FRAMES} frames predicted, {overtaken} after a newer one; "
        f"{len(truth)} true crossings, {found} found, {len(counted) - found} invented"
    )
    assert found >= len(truth) - 1
    assert len(counted) - found <= 2


def _connects(stack: Stack) -> bool:
    try:
        with stack.listener():
            return True
    except (OSError, AssertionError):
        time.sleep(0.2)
        return False


def _statuses(listener: Listener) -> list[dict[str, Any]]:
    """Returns the newest status of each module."""
    found = {one.topic: json.loads(one.payload) for one in listener.messages() if one.topic.startswith("footfall/status/")}
    return list(found.values())


def _is_quiet(listener: Listener) -> bool:
    """Returns whether nobody is in view of the counter any more."""
    tracks = listener.payloads("/tracks")
    return bool(tracks) and not Tracks.unpack(tracks[-1]).visitors
