"""A Docker engine, and the suite of docker-compose.yml on it."""

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
"""Seconds for all images, where nothing is there yet."""


def run(*command: str, seconds: float = 180.0, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command that must succeed."""
    own = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=limit(seconds), check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def works(*command: str) -> bool:
    """Whether a command is there and succeeds."""
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=limit(20), check=False).returncode == 0
    return False


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """This machine's engine; in CI, one that is started for the tests and ended after them. Skips where there is none.

    `FOOTFALL_DOCKER` names the script that starts it and provides the base images where no registry is reached.
    """
    script = Path(os.environ.get("FOOTFALL_DOCKER") or ROOT.parent / "shared/docker/up.sh")
    own = None
    if os.environ.get("CI") and script.exists():
        own = re.search(r"dockerd started, pid (\d+)", run(str(script), seconds=BUILD))
    if not works("docker", "info"):
        pytest.skip("no Docker engine answers: start one, or name a script that does in FOOTFALL_DOCKER")
    if not works("docker", "compose", "version") and not shutil.which("docker-compose"):
        pytest.skip("neither docker compose nor docker-compose is installed")
    yield
    if own:
        os.kill(int(own[1]), signal.SIGTERM)
        until(lambda: not works("docker", "info"), 60, "the end of the engine")


def compose(*arguments: str, environment: Mapping[str, str], seconds: float = 180.0) -> str:
    """Runs Compose V2 where it is installed, else 1.29, in the project's folder as a user would; settings in the environment."""
    command = ("docker", "compose") if works("docker", "compose", "version") else ("docker-compose",)
    return run(*command, *arguments, seconds=seconds, environment=environment)


class Suite:
    """What `docker-compose up` starts, on free ports, with its own volumes; leaves nothing behind."""

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
        """Compose for this suite, with further settings."""
        return compose("-p", self.project, *arguments, seconds=seconds, environment={**self._own, **(environment or {})})

    def container(self, service: str) -> str:
        """The id of a service's container, running or not."""
        label = f"label=com.docker.compose.service={service}"
        return run("docker", "ps", "-aq", "-f", f"label=com.docker.compose.project={self.project}", "-f", label).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """The engine's description of its container."""
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", self.container(service)))
        return found[0]

    def health(self, service: str) -> str:
        """starting, healthy or unhealthy."""
        return str(self.inspect(service)["State"]["Health"]["Status"])

    def wait_for_health(self, state: str, *services: str, seconds: float = 120.0) -> None:
        """Waits until all of them have this health."""
        until(lambda: all(self.health(service) == state for service in services), seconds, f"{', '.join(services)} being {state}")

    def run_in(self, service: str, *command: str) -> str:
        """Standard output of a command in the service's container."""
        return run("docker", "exec", self.container(service), *command)


@pytest.fixture(scope="module")
def suite(engine: None) -> Iterator[Suite]:
    """The suite with the demo, as soon as predictions arrive."""
    with Suite(f"footfall-test-{os.getpid()}") as suite:
        with Listener(suite.mqtt_port, "footfall/+/prediction") as listener:
            listener.wait_for("prediction", seconds=60)
        yield suite
