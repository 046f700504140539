"""`docker-compose up`: the whole suite in containers, with real images."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.containers.conftest import Suite, compose, run
from tests.edgehub.hub import EdgeHub
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.containers, pytest.mark.timeout(limit(900))]

USERS = {"mosquitto": 1883, "capture": 10001, "classifier": 10002, "counter": 10004, "bridge": 10005, "dashboard": 10006}
"""The user id of each service, which owns its volume. With another id it could not use an existing volume."""
NEED_FRAMES = ("capture", "classifier", "counter")
ROLES = (*USERS, "display", "operator", "reader", "homeassistant")
MIB = 1024**2


@pytest.fixture(autouse=True)
def _logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Prints the containers' logs if a test fails."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed and "suite" in request.fixturenames:
        print(request.getfixturevalue("suite").compose("logs", "--tail", "40"))  # noqa: T201  # pytest shows it


def visits_of_today(suite: Suite) -> int:
    """Returns today's visits from the dashboard's HTTP interface. Waits until it and the counter respond."""

    def counts() -> dict[str, Any]:
        try:
            with urlopen(f"http://127.0.0.1:{suite.web_port}/api/counts", timeout=limit(10)) as answer:
                return dict(json.load(answer)["cameras"])
        except OSError:
            return {}

    return sum(sum(camera["totals"].values()) for camera in until(counts, 60, "the counts").values())


def check_container(suite: Suite, service: str, user: int) -> None:
    """Checks that a container is healthy and confined: user, capabilities, file system, memory, logs and volumes.

    A module must be process 1, so that signals reach it. It can read only its own password, and its image has no other module,
    compiler or installer.
    """
    suite.wait_for_health("healthy", service)
    container = suite.inspect(service)
    host, labels = container["HostConfig"], container["Config"]["Labels"]
    status = suite.run_in(service, "cat", "/proc/1/status")
    values = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    assert {*values["Uid"], *values["Gid"]} == {str(user)}
    assert {int(values[name][0], 16) for name in ("CapEff", "CapPrm", "CapInh")} == {0}
    assert values["NoNewPrivs"] == ["1"]
    assert (host["ReadonlyRootfs"], host["Privileged"]) == (True, False)
    assert 0 < host["Memory"] <= 256 * MIB
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    volumes = [mount["Name"] for mount in container["Mounts"] if mount["Type"] == "volume"]
    assert all(name.startswith(suite.project) for name in volumes), volumes
    assert all(f"org.opencontainers.image.{name}" in labels for name in ("title", "description", "licenses", "version"))
    if service == "mosquitto":
        return
    assert suite.run_in(service, "cat", "/proc/1/cmdline").split("\0")[:3] == ["python3", "-m", service]
    code = suite.run_in(service, "ls", "/opt/footfall").split()
    assert set(code) == {"bus", "runtime", service} | ({"demo"} if service == "capture" else set())
    assert suite.run_in(service, "sh", "-c", "for tool in cc gcc pip pip3 git; do command -v $tool; done; true") == ""
    files = " ".join([*(f"{role}/password" for role in ROLES), "tls/key.pem"])
    readable = suite.run_in(service, "sh", "-c", f"cd /secrets; for one in {files}; do if [ -r $one ]; then echo $one; fi; done")
    assert readable.split() == [f"{service}/password"]


def test_the_default_ports_are_on_loopback(engine: None) -> None:
    """By default the dashboard is on 127.0.0.1:9001 and the broker on 127.0.0.1:1883."""
    names = ("MQTT_PORT", "WEB_PORT", "WEB_HOST", "MQTT_TLS", "MODEL", "VIDEO_PATH")
    shown = compose("config", environment=dict.fromkeys(names, ""))
    assert "127.0.0.1:9001:9001" in shown or 'published: "9001"' in shown
    assert "127.0.0.1:1883:1884" in shown or 'published: "1883"' in shown
    assert "0.0.0.0:" not in shown


def test_predictions_become_visits_and_counts(suite: Suite) -> None:
    """Visits reach the dashboard and the bridge. Guests can read everything except pictures, and publish nothing."""
    with Listener(suite.mqtt_port, "footfall/#") as guest:
        guest.wait_for("prediction", 20, seconds=30)
        until(lambda: any(json.loads(one)["totals"] for one in guest.payloads("counts")), 90, "a visit")
        guest.wait_for("/visit", seconds=30)
        assert {json.loads(one)["module"] for one in guest.payloads("status/bridge")} == {"bridge"}
        assert not guest.messages("frame")
        guest.publish("footfall/door/command", b'{"do": "pause"}', qos=0)
        guest.wait_for("prediction", len(guest.messages("prediction")) + 20, seconds=30)
    until(lambda: visits_of_today(suite) > 0, 10, "the visit in the dashboard's counts")
    until(lambda: " door: " in suite.compose("logs", "bridge"), 30, "the visit in the bridge's log")
    with urlopen(f"http://127.0.0.1:{suite.web_port}/", timeout=limit(10)) as page:
        assert "Footfall" in page.read().decode()


def test_the_operator_sends_commands(suite: Suite) -> None:
    """The MQTT clients in the broker's container connect as the operator by default. A camera stays paused after a restart."""

    def send(do: str) -> None:
        suite.run_in("mosquitto", "mosquitto_pub", "-q", "1", "-t", "footfall/door/command", "-m", json.dumps({"do": do}))

    with Listener(suite.mqtt_port, "footfall/status/capture") as guest:

        def states(begin: int) -> list[str]:
            return [json.loads(payload)["state"] for payload in guest.payloads("capture")[begin:]]

        send("pause")
        until(lambda: states(0)[-1] == "paused", 30, "paused")
        begin = len(guest.payloads("capture"))
        suite.compose("restart", "capture")
        # Running for a few milliseconds, until the counter repeats the command.
        until(lambda: "running" in states(begin) and states(begin)[-1] == "paused", 30, "paused again")
        send("resume")
        until(lambda: states(begin)[-1] == "running", 30, "running")


@pytest.mark.parametrize("service", USERS)
def test_every_container_is_healthy_and_confined(suite: Suite, service: str) -> None:
    check_container(suite, service, USERS[service])


def test_the_display_starts_with_its_profile(suite: Suite) -> None:
    """Without a Sense HAT the display publishes its pixels. Its container is confined like the others."""
    devices = {"MATRIX": "none", "SENSE_HAT_LEDS": "/dev/null", "SENSE_HAT_I2C": "/dev/zero"}
    with Listener(suite.mqtt_port, "footfall/display/+/pixels") as guest:
        suite.compose("--profile", "sensehat", "up", "-d", "--build", "display", seconds=300, environment=devices)
        guest.wait_for("matrix/pixels", seconds=60)
    check_container(suite, "display", 10003)
    suite.compose("--profile", "sensehat", "rm", "-s", "-f", "display", environment=devices)


def test_results_go_to_the_edgehub_of_the_settings(suite: Suite, tmp_path: Path) -> None:
    """The profile azure replaces the bridge and uses its outbox. Visits reach an edgeHub on the project's network."""
    network = json.loads(run("docker", "network", "inspect", f"{suite.project}_default"))
    with EdgeHub(tmp_path, network[0]["IPAM"]["Config"][0]["Gateway"]) as edgehub:
        suite.compose("--profile", "azure", "up", "-d", "--scale", "bridge=0", environment=edgehub.environment)

        def visits() -> list[dict[str, Any]]:
            return [record["body"] for record in edgehub.records() if record["body"]["type"] == "visit"]

        assert until(visits, 120, "a visit")[0]["label"] in ("woman", "man")
        suite.wait_for_health("healthy", "azure")
    suite.compose("--profile", "azure", "rm", "-s", "-f", "azure")
    suite.compose("up", "-d")


def test_containers_without_input_are_unhealthy(suite: Suite) -> None:
    """A lost camera makes capture and all modules that need its frames unhealthy. They recover with the camera."""
    suite.compose("up", "-d", "--no-deps", "capture", environment={"VIDEO_PATH": "/videos/gone.mp4"})
    suite.wait_for_health("unhealthy", *NEED_FRAMES, seconds=150)
    assert {suite.health(service) for service in set(USERS) - set(NEED_FRAMES)} == {"healthy"}
    suite.compose("up", "-d", "--no-deps", "capture")
    suite.wait_for_health("healthy", *NEED_FRAMES)


def test_counts_survive_down_and_up(suite: Suite) -> None:
    """`down` ends each container with exit code 0. After `up` the visits are still there, and new ones are counted."""
    before = until(lambda: visits_of_today(suite), 60, "a visit")
    for service in reversed(USERS):
        run("docker", "stop", "--time", "60", suite.container(service))
        assert suite.inspect(service)["State"]["ExitCode"] == 0, service
    suite.compose("down")
    suite.compose("up", "-d")
    assert visits_of_today(suite) >= before
    until(lambda: visits_of_today(suite) > before, 90, "another visit")
