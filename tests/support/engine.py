"""A Docker engine, and the suite of docker-compose.yml on it."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import pytest
from typing_extensions import Self

from tests.support.broker import ROOT, free_port
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

NOTHING: Mapping[str, str] = MappingProxyType({})
BUILD = 900.0
"""Seconds for all images, where nothing is there yet."""


def run(*command: str, seconds: float = 120.0, environment: Mapping[str, str] = NOTHING) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=limit(seconds), check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def answers() -> bool:
    """Whether an engine answers."""
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(["docker", "info"], capture_output=True, timeout=limit(20), check=False).returncode == 0
    return False


@contextmanager
def docker_engine() -> Iterator[None]:
    """This machine's engine; in CI, one that is started for the tests and ended after them. Skips where there is none.

    `FOOTFALL_DOCKER` names the script that starts it and provides the base images where no registry is reached.
    """
    script = Path(os.environ.get("FOOTFALL_DOCKER") or ROOT.parent / "shared/docker/up.sh")
    own = None
    if os.environ.get("CI") and script.exists():
        output = run(str(script), seconds=BUILD)
        own = re.search(r"dockerd started, pid (\d+)", output)
    if not answers():
        pytest.skip("no Docker engine answers: start one, or name a script that does in FOOTFALL_DOCKER")
    if compose_command() is None:
        pytest.skip("neither docker compose nor docker-compose is installed")
    try:
        yield
    finally:
        if own:
            os.kill(int(own[1]), signal.SIGTERM)
            until(lambda: not answers(), 60, "the end of the engine")


def compose_command() -> Sequence[str] | None:
    """Compose V2 where it is installed, else 1.29."""
    with suppress(OSError):
        if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
            return ("docker", "compose")
    return ("docker-compose",) if shutil.which("docker-compose") else None


class Suite:
    """What `docker-compose up` starts, on free ports, with its own volumes; leaves nothing behind."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.mqtt_port, self.web_port = free_port(), free_port()
        self._zone = zone_at_noon()

    def __enter__(self) -> Self:
        self.compose("up", "-d", "--build", seconds=BUILD)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            print(self.compose("logs", "--tail", "40"))  # noqa: T201  # pytest shows it with the failure
        self.compose("down", "-v", "--remove-orphans")

    def compose(self, *arguments: str, seconds: float = 180.0, environment: Mapping[str, str] = NOTHING) -> str:
        """Runs Compose in the project's folder as a user would, with settings in the environment."""
        command = compose_command()
        assert command
        own = {"MQTT_PORT": str(self.mqtt_port), "WEB_PORT": str(self.web_port), "TZ": self._zone}
        return run(*command, "-p", self.project, *arguments, seconds=seconds, environment={**own, **environment})

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

    @property
    def host(self) -> str:
        """The address of this machine on the project's own network."""
        network = json.loads(run("docker", "network", "inspect", f"{self.project}_default"))
        return str(network[0]["IPAM"]["Config"][0]["Gateway"])

    def run_in(self, service: str, *command: str) -> str:
        """Standard output of a command in the service's container."""
        return run("docker", "exec", self.container(service), *command)
