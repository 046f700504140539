"""`footfall install` on a Debian that boots with systemd, by the commands of docs/without-docker.md. Takes three minutes."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from footfall.services import SERVICES
from tests.support.broker import ROOT
from tests.support.machine import Machine
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(600))]

BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "without-docker.md").read_text().partition("### Install")[2], re.DOTALL)
LINES = BLOCKS[0].splitlines()
OFFLINE = [line for line in LINES if "/opt/footfall" in line]
"""The commands that need the network, which the machine has only while it is off."""
SYSTEM = [line for line in LINES if line not in OFFLINE and "footfall install" not in line]
DEMO = BLOCKS[1]
WATCHED = 60
"""Seconds after which systemd ends a module that hangs."""
UNITS = {f"footfall-{name}" for name in {*SERVICES, "broker"} - {"display"}}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine that is off, with a clone of this commit and the packages."""
    with Machine(tmp_path) as machine:
        subprocess.run(
            ["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", machine.root / "srv" / "footfall"],
            check=True,
            timeout=limit(60),
        )
        machine.run_offline("\n".join(OFFLINE))
        yield machine


def show(machine: Machine, unit: str) -> dict[str, str]:
    text = machine.run(f"systemctl show {unit} -p MainPID -p ActiveState -p NRestarts -p Result")
    return dict(line.split("=", 1) for line in text.splitlines())


def all_run(machine: Machine) -> bool:
    return all(show(machine, unit)["ActiveState"] == "active" for unit in UNITS)


def wait_for_visit(machine: Machine) -> None:
    assert machine.run("timeout 100 mosquitto_sub -C 1 -t 'footfall/+/visit'", 110)


def visits(machine: Machine) -> int:
    """Returns the number of visits in this year's report."""
    return sum(row["visits"] or 0 for row in json.loads(machine.run("sudo footfall report --json --from $(date +%Y)")))


def restarts_after(machine: Machine, unit: str, kill: str, seconds: float) -> None:
    before = show(machine, unit)
    machine.run(f"kill -{kill} {before['MainPID']}")

    def is_back() -> bool:
        now = show(machine, unit)
        return now["MainPID"] not in (before["MainPID"], "0") and now["ActiveState"] == "active"

    until(is_back, seconds, f"{unit} after kill -{kill}")


def test_the_services_of_a_machine_that_boots(machine: Machine) -> None:
    """They run, start again after a crash, when one hangs and after a reboot. The ledger survives all, and uninstalling."""
    machine.boot()
    assert show(machine, "mosquitto")["ActiveState"] == "active"
    machine.run("\n".join([*SYSTEM, DEMO]))
    until(lambda: all_run(machine), 60)
    wait_for_visit(machine)
    for unit in UNITS:
        assert show(machine, unit)["NRestarts"] == "0", machine.run(f"journalctl -u {unit} -n 20")
    restarts_after(machine, "footfall-counter", "KILL", 5)
    restarts_after(machine, "footfall-broker", "KILL", 5)
    restarts_after(machine, "footfall-classifier", "STOP", WATCHED + 12)
    assert "Watchdog timeout" in machine.run("journalctl -u footfall-classifier")
    wait_for_visit(machine)
    machine.end()
    machine.boot()
    until(lambda: all_run(machine), 60)
    wait_for_visit(machine)
    counted = visits(machine)
    assert counted >= 3
    machine.run("sudo footfall install")
    until(lambda: all_run(machine), 60)
    assert visits(machine) >= counted
    machine.run("sudo footfall uninstall")
    assert machine.run("systemctl list-units --all --plain --no-legend 'footfall*'") == ""
    machine.run(DEMO)
    until(lambda: all_run(machine), 60)
    assert visits(machine) >= counted
