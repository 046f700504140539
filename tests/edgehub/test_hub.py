"""The stand-in edgeHub itself."""

from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient, Message

from bridge.sinks.edgehub.call import Call, call_with_timeout
from tests.edgehub.hub import EdgeHub
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def test_what_the_sdk_alone_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin; a result that is withheld is recorded, and comes again after a crash."""
    with EdgeHub(tmp_path) as hub:
        for name, value in hub.environment.items():
            monkeypatch.setenv(name, value)
        client: Any = IoTHubModuleClient.create_from_edge_environment(connection_retry_interval=1)
        call_with_timeout(client.connect, limit(10))
        hub.twin.merge({"forward": "all"})
        assert call_with_timeout(client.get_twin, limit(10))["desired"] == {"forward": "all", "$version": 2}
        hub.withhold = True
        sending = Call(lambda: client.send_message_to_output(Message("{}"), "visits"))  # type: ignore[no-untyped-call]
        until(hub.records)
        assert not sending.done_within(0.5)
        hub.withhold = False
        hub.end()
        hub.start()
        until(sending.done, 30)
        assert len(hub.records()) == 2
        call_with_timeout(client.shutdown, limit(20))
