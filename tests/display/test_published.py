"""The dashboard in a container, as browsers meet it whose host and port are the host's."""

import pytest

from tests.support.guarded import client, live_code


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "localhost:8080", "192.0.2.7:9001", "[::1]:8080", "127.0.0.1", "172.18.0.5:9001"]
)
def test_another_port_than_its_own_is_no_other_site(host: str) -> None:
    """What counts is that the page's origin is the host that is asked; the port that it listens at itself plays no part."""
    with client(None, f"http://{host}") as browser:
        own = {"Host": host, "Origin": f"http://{host}"}
        assert browser.get("/", headers=own).text == "inside"
        assert browser.post("/main", headers={**own, "Sec-Fetch-Site": "same-origin"}).text == "inside"
        assert live_code(browser, own) == 1000
        assert live_code(browser, {"Host": host, "Origin": "http://127.0.0.1:9999"}) == 4403


def test_the_name_of_the_host_has_to_be_told() -> None:
    """The machine's own name is the container's there."""
    with client(None, "http://counter.lan:9001") as browser:
        answer = browser.get("/")
        assert (answer.status_code, "WEB_NAMES" in answer.text) == (421, True)
    with client(None, "http://shop.example:8080") as browser:
        assert browser.get("/").text == "inside"


def test_iot_edge_tells_the_name_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a device its name is known without a setting."""
    monkeypatch.setenv("IOTEDGE_GATEWAYHOSTNAME", "shop-7")
    for host in ("shop-7:9001", "shop-7.local"):
        with client(None, f"http://{host}") as browser:
            assert browser.get("/").text == "inside"
