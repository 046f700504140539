"""What is held against the deployment's manifests finds what is wrong."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import deployment, routes
from tests.support.deployment import BASE, Manifest, edgehub, route_problems

Change = Callable[[Manifest], None]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """A manifest that is as it should be."""
    return deployment.expanded(tmp_path_factory.mktemp("expanded"))[f"{BASE}.arm32v7"]


@pytest.fixture
def manifest(right: Manifest) -> Manifest:
    """The same, to be changed at will."""
    return copy.deepcopy(right)


def of(manifest: Manifest, module: str) -> Any:
    """A module's HostConfig, to be changed; its createOptions are put back as one string."""
    settings = deployment.everyone(manifest)[module]["settings"]
    options = deployment.create_options({"settings": settings})
    for key in [key for key in settings if key.startswith("createOptions")]:
        del settings[key]
    return settings, options


def changed(module: str, **values: Any) -> Change:
    """Changes a module's HostConfig."""

    def change(manifest: Manifest) -> None:
        settings, options = of(manifest, module)
        options["HostConfig"] |= values
        settings["createOptions"] = json.dumps(options)

    return change


def rerouted(**values: Any) -> Change:
    return lambda manifest: edgehub(manifest)["routes"]["visits"].update(values)


SOURCE = "FROM /messages/modules/bridge/outputs/visits"


@pytest.mark.parametrize(
    ("change", "checker"),
    [
        (rerouted(route="FROM /messages/modules/bridge/outputs/visit INTO $upstream"), route_problems),
        (rerouted(route="FROM /messages/modules/bridges/* INTO $upstream"), route_problems),
        (rerouted(route=f"{SOURCE} INTO upstream"), route_problems),
        (rerouted(route=f"{SOURCE} INTO $upstream now"), route_problems),
        (rerouted(route=f'{SOURCE} INTO BrokeredEndpoint("/modules/display/inputs/visits")'), route_problems),
        (rerouted(route=f"{SOURCE} WHERE (label = 'x' INTO $upstream"), route_problems),
        (rerouted(route=None), route_problems),
        (rerouted(priority=10), route_problems),
        (rerouted(timeToLiveSecs="week"), route_problems),
        (changed("display", Privileged=True), deployment.confinement_problems),
        (changed("bridge", CapAdd=["SYS_ADMIN"]), deployment.confinement_problems),
        (changed("bridge", ReadonlyRootfs=False), deployment.confinement_problems),
        (changed("classifier", CapDrop=[]), deployment.confinement_problems),
        (changed("mosquitto", Memory=0), deployment.confinement_problems),
        (changed("edgeHub", LogConfig={}), deployment.confinement_problems),
        (changed("capture", GroupAdd=["video"]), deployment.confinement_problems),
        (
            changed("capture", Devices=[{"PathOnHost": "a", "PathInContainer": "/dev/b"}]),
            deployment.confinement_problems,
        ),
        (changed("mosquitto", PortBindings={"8883/tcp": [{"HostPort": "8884"}]}), deployment.port_problems),
        (changed("bridge", PortBindings={"80/tcp": [{"HostPort": "443"}]}), deployment.port_problems),
        (changed("bridge", Binds=["footfall-secrets:/secrets", "footfall-state:/state"]), deployment.volume_problems),
        (changed("bridge", Binds=["footfall-secrets:/secret:ro,nocopy"]), deployment.volume_problems),
        (changed("bridge", Binds=["/var/lib/footfall/state:/state"]), deployment.volume_problems),
        (changed("capture", Binds=["footfall-secrets:/secrets:ro,nocopy"] * 200), deployment.chunk_problems),
    ],
)
def test_what_is_wrong_is_found(
    manifest: Manifest, change: Callable[[Manifest], None], checker: Callable[[Manifest], Any]
) -> None:
    """One change to a manifest that is right, and the checker that is for it says so."""
    assert list(checker(manifest)) == []
    change(manifest)
    assert list(checker(manifest))


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("from /messages/* into $upstream", routes.Route(None, None, None, None)),
        ("FROM /messages/modules/a/* WHERE NOT IS_DEFINED(b) INTO $upstream", routes.Route("a", None, "NOT IS_DEFINED(b)", None)),
        (
            "FROM /messages/modules/a/outputs/b WHERE c = ') INTO x' INTO BrokeredEndpoint(\"/modules/d/inputs/e\")",
            routes.Route("a", "b", "c = ') INTO x'", ("d", "e")),
        ),
    ],
)
def test_routes_are_read(text: str, route: routes.Route) -> None:
    """The forms that edgeHub documents."""
    assert routes.parse(text) == route


@given(st.text() | st.from_regex(r"FROM /messages/(\*|modules/\w*/(outputs/)?[\w*]*)( WHERE .*)? INTO \S+", fullmatch=True))
def test_any_text_is_a_route_or_not(text: str) -> None:
    """No text makes the parser of routes fail in another way than by saying so."""
    try:
        route = routes.parse(text)
    except ValueError:
        return
    assert "into" in text.lower()
    assert route.output is None or route.module is not None
