"""A newer Mosquitto than most systems have, 2.1, with Footfall's configuration, access list and tests. Takes three minutes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.broker import PATH, ROOT
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.wait import limit

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(600))]

NEWER = Path(sys.prefix) / "mosquitto-next" / "bin"
SUITES = (
    "tests/mosquitto",
    "tests/bus",
    "tests/bridge/test_mqtt.py",
    "tests/footfall/test_backup.py",
    "tests/end_to_end/test_central.py",
)
SYS_VERSION = "$SYS/broker/version"


@pytest.fixture
def search() -> str:
    """The search path that has the newer Mosquitto first."""
    if not (NEWER / "mosquitto").exists():
        pytest.skip("needs Mosquitto 2.1: scripts/ecosystem.sh unpacks it on Debian")
    return f"{NEWER}{os.pathsep}{PATH}"


def version(broker: GuardedBroker) -> tuple[int, ...]:
    with broker.listener("operator", SYS_VERSION) as operator:
        text = operator.wait_for(SYS_VERSION)[0].decode()
    return tuple(int(part) for part in text.split()[2].split(".")[:2])


def test_an_update_keeps_messages_and_sessions_and_gives_no_warning(search: str, tmp_path: Path) -> None:
    """The newer Mosquitto has retained messages, passwords, and what is queued for the counter. It finds no option deprecated."""
    broker = GuardedBroker(tmp_path)

    def counter() -> Listener:
        client = broker.client("counter", client_id="counter", clean_session=False)
        return Listener(broker.port, "footfall/+/prediction", client=client)

    with broker:
        assert version(broker) < (2, 1)
        with counter():
            pass
        with broker.listener("classifier") as classifier, broker.listener("operator") as operator:
            classifier.publish("footfall/door/prediction", b"queued")
            operator.publish("footfall/door/setup", b"retained", retain=True)
        broker.end(signal.SIGTERM)
        broker.environment["PATH"] = search
        (tmp_path / "broker.log").unlink()
        broker.start()
        assert version(broker) >= (2, 1)
        warnings = [line.partition(": ")[2] for line in broker.log.splitlines()]
        assert [one for one in warnings if "root" not in one and not one.startswith("Restored ")] == []
        with counter() as back:
            assert back.wait_for("prediction") == [b"queued"]
        with broker.listener("operator", "footfall/door/setup") as operator:
            assert operator.wait_for("setup") == [b"retained"]


def test_the_tests_of_the_broker_pass(search: str) -> None:
    """The whole access table, attacks, connections, backup, and the sink `mqtt` with client certificates."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider", "-k", "not test_shellcheck", *SUITES]
    environment = os.environ | {"PATH": search}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit(590), check=False)
    assert done.returncode == 0, done.stdout[-20_000:]
