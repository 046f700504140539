"""The stand-in edgeHub with the unmodified SDK: one round through all that the tests of the bridge rely on."""

from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient, Message, MethodResponse

from bridge.sinks.edgehub.call import Call, call_with_timeout
from tests.edgehub.hub import EdgeHub, properties
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def send(client: Any, identity: str) -> None:
    message: Any = Message(b'{"a": 1}', identity, "utf-8", "application/json")  # type: ignore[no-untyped-call]
    client.send_message_to_output(message, "visits")


def test_one_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results, twin, patches, reports and methods; a result that is not acknowledged is recorded; a session that is lost."""
    with EdgeHub(tmp_path) as hub:
        for name, value in hub.environment.items():
            monkeypatch.setenv(name, value)
        client: Any = IoTHubModuleClient.create_from_edge_environment(connection_retry_interval=1)
        try:
            call_with_timeout(client.connect, limit(10))
            hub.twin.merge({"forward": "all"})
            assert call_with_timeout(client.get_twin, limit(10))["desired"] == {"forward": "all", "$version": 2}
            patches: list[Any] = []
            client.on_twin_desired_properties_patch_received = patches.append
            client.on_method_request_received = lambda request: client.send_method_response(
                MethodResponse.create_from_method_request(request, 200, {"got": request.payload})
            )
            hub.twin.patch({"forward": None})
            until(lambda: patches == [{"forward": None, "$version": 3}])
            assert hub.twin.call("status", [1]) == (200, {"got": [1]})
            call_with_timeout(lambda: client.patch_twin_reported_properties({"a": {"b": 1}}), limit(10))
            assert hub.twin.reported == {"a": {"b": 1}}
            call_with_timeout(lambda: send(client, "id-1"), limit(10))
            assert properties(hub.records()[0]["topic"])["$.mid"] == "id-1"
            hub.withhold = True
            sending = Call(lambda: send(client, "id-2"))
            until(lambda: len(hub.records()) == 2)
            assert not sending.done_within(0.5)
            hub.withhold = False
            hub.forget()
            until(sending.done, 30)
            with pytest.raises(TimeoutError):
                hub.twin.call("status", None, 0.5)
        finally:
            call_with_timeout(client.shutdown, limit(20))
