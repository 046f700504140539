"""The guests' broker copies soon again when the users' broker is slow to start, or was away."""

import os
import socket
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import ROOT, find_mosquitto, free_port
from tests.support.guarded_broker import SEARCH, START, GuardedBroker, script_environment
from tests.support.wait import limit

pytestmark = pytest.mark.broker

SLOW, MISSING = 'sleep 1; exec "$MOSQUITTO" "$@"', "exec sleep 60"
INTERVAL = 4.0
"""Seconds between two tries must be fewer: 2 are expected, as Mosquitto 2.0 counts in whole seconds."""


def environment(folder: Path, users: str) -> dict[str, Any]:
    """Returns settings of start.sh with which a command is the users' broker. That of the guests is a real one."""
    stub = folder / "stub" / "mosquitto"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\n[ "$2" = "$RUN/mosquitto.conf" ] || exec "$MOSQUITTO" "$@"\n{users}\n')
    stub.chmod(0o755)
    return {"PATH": f"{stub.parent}{os.pathsep}{SEARCH}", "MOSQUITTO": find_mosquitto()}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="start.sh cannot see who listens without /proc/net/tcp")
def test_guests_need_no_second_try_when_the_users_broker_starts_slowly(tmp_path: Path) -> None:
    """A second after its start, the users' broker listens. Only then the guests' broker connects: its first try succeeds."""
    with GuardedBroker(tmp_path, **environment(tmp_path, SLOW)) as broker:
        assert "bridge" not in broker.log


def test_the_guests_broker_tries_again_every_two_seconds(tmp_path: Path) -> None:
    """The users' broker ends each connection of the guests' broker at once."""
    users, ended = free_port(), []
    settings = script_environment(tmp_path, USERS_PORT=users, GUESTS_PORT=free_port(), **environment(tmp_path, MISSING))
    with (
        socket.create_server(("127.0.0.1", users)) as server,
        subprocess.Popen(["sh", START], cwd=ROOT, env=settings, stderr=subprocess.DEVNULL) as script,
    ):
        try:
            server.settimeout(limit(10))
            for _ in range(3):
                server.accept()[0].close()
                ended.append(time.monotonic())
        finally:
            script.terminate()
    assert min(later - earlier for earlier, later in pairwise(ended)) < INTERVAL
