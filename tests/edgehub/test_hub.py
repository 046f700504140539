"""Test of the stand-in edgeHub."""

from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient, Message

from bridge.sinks.edgehub.call import Call, call_with_timeout
from tests.edgehub.hub import EdgeHub
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def test_the_sdk_receives_the_twin_and_repeats_unacknowledged_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is not acknowledged is recorded, and sent again after a crash of the hub."""
    with EdgeHub(tmp_path) as hub:
        for name, value in hub.environment.items():
            monkeypatch.setenv(name, value)
        client: Any = IoTHubModuleClient.create_from_edge_environment(connection_retry_interval=1)
        call_with_timeout(client.connect, limit(10))
        hub.twin.merge({"forward": "all"})
        assert call_with_timeout(client.get_twin, limit(10))["desired"] == {"forward": "all", "$version": 2}
        hub.withhold_acks = True
        sending = Call(lambda: client.send_message_to_output(Message("{}"), "visits"))  # type: ignore[no-untyped-call]
        until(hub.records)
        assert not sending.done_within(0.5)
        hub.withhold_acks = False
        hub.end()
        hub.start()
        until(sending.done, 30)
        assert len(hub.records()) == 2
        call_with_timeout(client.shutdown, limit(20))
