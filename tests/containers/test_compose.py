"""`docker-compose up`: the whole suite in containers, as on a laptop, with real images."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.edgehub.hub import EdgeHub
from tests.support.engine import Suite, compose_command, run
from tests.support.listener import Listener
from tests.support.wait import limit, until

MODULES = ("capture", "classifier", "display", "bridge")
ALL = ("mosquitto", *MODULES)
MIB = 1024**2

pytestmark = pytest.mark.timeout(limit(900))


@pytest.fixture(scope="module")
def suite(engine: None) -> Iterator[Suite]:
    """The suite with the demo, as soon as predictions flow."""
    with Suite(f"footfall-test-{os.getpid()}") as suite:
        with Listener(suite.mqtt_port, "footfall/+/prediction") as listener:
            listener.wait_for("prediction", seconds=60)
        yield suite


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of a test that fails: what the containers said."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed and "suite" in request.fixturenames:
        print(request.getfixturevalue("suite").compose("logs", "--tail", "40"))  # noqa: T201  # pytest shows it


def counted(suite: Suite) -> int:
    """Visits of today, as the dashboard's server tells them as soon as it and the bridge can."""
    return sum(sum(camera["totals"].values()) for camera in until(lambda: counts(suite), 60, "the counts").values())


def counts(suite: Suite) -> dict[str, Any]:
    """Those of each camera; none while nobody tells them, as before the bridge has started."""
    try:
        with urlopen(f"http://127.0.0.1:{suite.web_port}/api/counts", timeout=limit(10)) as answer:
            return dict(json.load(answer)["cameras"])
    except OSError:
        return {}


def test_without_settings_it_is_on_loopback(engine: None) -> None:
    """Nothing set: the dashboard on 127.0.0.1:9001, the broker on 127.0.0.1:1883, and nothing that other machines reach."""
    command = compose_command()
    assert command
    kept = dict.fromkeys(("MQTT_PORT", "WEB_PORT", "WEB_HOST", "MQTT_TLS", "MODEL", "VIDEO_PATH"), "")
    shown = run(*command, "config", environment=kept)
    assert "127.0.0.1:9001:9001" in shown or 'published: "9001"' in shown
    assert "127.0.0.1:1883:1884" in shown or 'published: "1883"' in shown
    assert "0.0.0.0:" not in shown


def test_the_main_job_is_done(suite: Suite) -> None:
    """Predictions of the demo become visits, counts and pixels; the dashboard shows them; guests may look and no more."""
    with Listener(suite.mqtt_port, "footfall/#") as guest:
        guest.wait_for("prediction", 20, seconds=30)
        until(lambda: any(json.loads(one)["totals"] for one in guest.payloads("counts")), 90, "a visit")
        assert guest.messages("matrix/pixels")
        assert {json.loads(one)["module"] for one in guest.payloads("status/bridge")} == {"bridge"}
        assert not guest.messages("frame"), "pictures are not for guests"
        guest.publish("footfall/door/command", b'{"do": "pause"}', qos=0)
        guest.wait_for("prediction", len(guest.messages("prediction")) + 20, seconds=30)
    until(lambda: counted(suite) > 0, 10, "the visit in the dashboard's counts")
    with urlopen(f"http://127.0.0.1:{suite.web_port}/", timeout=limit(10)) as page:
        assert "Footfall" in page.read().decode()


def test_the_operator_commands_cameras(suite: Suite) -> None:
    """In the broker's container the clients speak as the operator, without a password being typed."""
    with Listener(suite.mqtt_port, "footfall/status/capture") as guest:
        for do, state in (("pause", "paused"), ("resume", "running")):
            suite.run_in("mosquitto", "mosquitto_pub", "-q", "1", "-t", "footfall/door/command", "-m", json.dumps({"do": do}))
            until(lambda state=state: json.loads(guest.payloads("capture")[-1])["state"] == state, 20, f"{state} after {do}")  # type: ignore[misc]


@pytest.mark.parametrize("service", ALL)
def test_every_container_is_healthy_and_has_no_rights_to_spare(suite: Suite, service: str) -> None:
    """Not root, read-only but for its volumes, no capabilities, no privileges to be had, memory and log bounded."""
    suite.wait_for_health("healthy", service)
    container = suite.inspect(service)
    host = container["HostConfig"]
    status = suite.run_in(service, "cat", "/proc/1/status")
    values = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    assert "0" not in values["Uid"] + values["Gid"]
    assert {int(values[name][0], 16) for name in ("CapEff", "CapPrm", "CapInh")} == {0}
    assert values["NoNewPrivs"] == ["1"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert 0 < host["Memory"] <= 256 * MIB
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


def test_all_of_it_fits_a_raspberry_pi(suite: Suite) -> None:
    """The limits come to less than the gigabyte of a Raspberry Pi 3, with a quarter of it for the system and IoT Edge."""
    assert sum(suite.inspect(service)["HostConfig"]["Memory"] for service in ALL) <= 768 * MIB


def test_each_module_reads_its_own_password_alone(suite: Suite) -> None:
    """Of the folders in the volume of passwords each module can open one."""
    for service in MODULES:
        looked_at = " ".join([*(f"{role}/password" for role in (*MODULES, "operator", "reader")), "tls/key.pem"])
        script = f"cd /secrets; for one in {looked_at}; do if [ -r $one ]; then echo $one; fi; done"
        readable = suite.run_in(service, "sh", "-c", script)
        assert readable.split() == [f"{service}/password"]


@pytest.mark.parametrize("service", ["secrets", *ALL])
def test_every_volume_has_a_name(suite: Suite, service: str) -> None:
    """One without would be left behind by each `down`, as the image of the broker declares some."""
    volumes = [mount["Name"] for mount in suite.inspect(service)["Mounts"] if mount["Type"] == "volume"]
    assert all(name.startswith(suite.project) for name in volumes), volumes


@pytest.mark.parametrize("service", MODULES)
def test_images_hold_what_is_needed_and_no_more(suite: Suite, service: str) -> None:
    """The module itself is process 1; of the other modules, compilers and installers there is nothing."""
    assert suite.run_in(service, "cat", "/proc/1/cmdline").split("\0")[:3] == ["python3", "-m", service]
    code = suite.run_in(service, "ls", "/opt/footfall").split()
    assert set(code) == {"bus", service} | ({"demo"} if service == "capture" else set())
    for tool in ("cc", "gcc", "pip", "pip3", "git"):
        assert not suite.run_in(service, "sh", "-c", f"command -v {tool} || true"), tool


def test_results_go_to_the_edgehub_of_the_settings(suite: Suite, tmp_path: Path) -> None:
    """With the profile azure in place of the bridge, on the same ledger: visits come to an edgeHub on the project's network."""
    with EdgeHub(tmp_path, suite.host) as edgehub, edgehub.listener() as cloud:
        suite.compose("--profile", "azure", "up", "-d", "--scale", "bridge=0", environment=edgehub.environment)
        visit = until(
            lambda: next((one for one in map(json.loads, cloud.payloads()) if one["type"] == "visit"), None), 90, "a visit"
        )
        assert visit["label"] in ("woman", "man")
        suite.wait_for_health("healthy", "azure")
    suite.compose("--profile", "azure", "rm", "-s", "-f", "azure")
    suite.compose("up", "-d")


def test_a_container_whose_input_stops_is_unhealthy(suite: Suite) -> None:
    """A camera that is gone makes capture unhealthy and all that live on its frames; when it is back, all recover."""
    suite.compose("up", "-d", "--no-deps", "capture", environment={"VIDEO_PATH": "/videos/gone.mp4"})
    suite.wait_for_health("unhealthy", *MODULES, seconds=150)
    assert suite.health("mosquitto") == "healthy"
    suite.compose("up", "-d", "--no-deps", "capture")
    suite.wait_for_health("healthy", *MODULES)


def test_counts_outlive_down_and_up(suite: Suite) -> None:
    """`down` ends each cleanly, none is killed; after `up` the visits are the same ones, and more come."""
    before = until(lambda: counted(suite), 60, "a visit")
    for service in reversed(ALL):
        run("docker", "stop", "--time", "60", suite.container(service))
        assert suite.inspect(service)["State"]["ExitCode"] == 0, service
    suite.compose("down")
    suite.compose("up", "-d")
    assert counted(suite) >= before
    until(lambda: counted(suite) > before, 90, "one visit more")
