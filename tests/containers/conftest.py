"""A Docker engine, and the suite of docker-compose.yml in it."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import Self

from tests.support.broker import ROOT, free_port
from tests.support.listener import Listener
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

BUILD = 900.0
"""Seconds to build all images without a cache."""


def run(*command: str, seconds: float = 180.0, environment: Mapping[str, str] | None = None) -> str:
    """Runs a command that must succeed. Returns its standard output."""
    own = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=limit(seconds), check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def works(*command: str) -> bool:
    """Returns whether a command exists and succeeds."""
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=limit(20), check=False).returncode == 0
    return False


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The engine of this machine; in CI, an engine that runs only for the tests. Skips the tests without an engine.

    `FOOTFALL_DOCKER` is the path of a script that starts an engine, and provides the base images without a registry.
    """
    script = Path(os.environ.get("FOOTFALL_DOCKER") or ROOT.parent / "shared/docker/up.sh")
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder  # that of all processes of this run
    pid, users = folder / "dockerd.pid", (folder / "dockerd.users").open("w")
    with (folder / "dockerd.start").open("w") as start:  # other processes may run other tests of containers
        fcntl.flock(start, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if (
            os.environ.get("CI")
            and script.exists()
            and (own := re.search(r"dockerd started, pid (\d+)", run(str(script), seconds=BUILD)))
        ):
            pid.write_text(own[1])
    if not works("docker", "info"):
        pytest.skip("no Docker engine responds; start one, or set FOOTFALL_DOCKER to a script that starts one")
    if not works("docker", "compose", "version") and not shutil.which("docker-compose"):
        pytest.skip("neither docker compose nor docker-compose is installed")
    yield
    with users, suppress(BlockingIOError):  # another process still uses the engine, and will end it
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
            pid.unlink()
            until(lambda: not works("docker", "info"), 60, "the end of the engine")


def compose(*arguments: str, environment: Mapping[str, str], seconds: float = 180.0) -> str:
    """Runs Compose V2 if it is installed, otherwise 1.29, in the project's folder. Returns its standard output."""
    command = ("docker", "compose") if works("docker", "compose", "version") else ("docker-compose",)
    return run(*command, *arguments, seconds=seconds, environment=environment)


class Suite:
    """A suite started by `docker-compose up`, on free ports and with its own volumes, which are removed at the end."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.mqtt_port, self.web_port = free_port(), free_port()
        self._own = {"MQTT_PORT": str(self.mqtt_port), "WEB_PORT": str(self.web_port), "TZ": zone_at_noon()}

    def __enter__(self) -> Self:
        self.compose("up", "-d", "--build", seconds=BUILD)
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "-v", "--remove-orphans")

    def compose(self, *arguments: str, seconds: float = 180.0, environment: Mapping[str, str] | None = None) -> str:
        """Runs Compose for this suite, with additional environment variables."""
        return compose("-p", self.project, *arguments, seconds=seconds, environment={**self._own, **(environment or {})})

    def container(self, service: str) -> str:
        """Returns the id of a service's container, running or not."""
        label = f"label=com.docker.compose.service={service}"
        return run("docker", "ps", "-aq", "-f", f"label=com.docker.compose.project={self.project}", "-f", label).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """Returns the output of `docker inspect` for a service's container."""
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", self.container(service)))
        return found[0]

    def health(self, service: str) -> str:
        """Returns the health: starting, healthy or unhealthy."""
        return str(self.inspect(service)["State"]["Health"]["Status"])

    def wait_for_health(self, state: str, *services: str, seconds: float = 120.0) -> None:
        """Waits until all these services have this health."""
        until(lambda: all(self.health(service) == state for service in services), seconds, f"{', '.join(services)} being {state}")

    def run_in(self, service: str, *command: str) -> str:
        """Runs a command in a service's container. Returns its standard output."""
        return run("docker", "exec", self.container(service), *command)


@pytest.fixture(scope="module")
def suite(engine: None) -> Iterator[Suite]:
    """A suite with the demo, in which predictions arrive."""
    with Suite(f"footfall-test-{os.getpid()}") as suite:
        with Listener(suite.mqtt_port, "footfall/+/prediction") as listener:
            listener.wait_for("prediction", seconds=60)
        yield suite
