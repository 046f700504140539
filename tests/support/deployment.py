"""The IoT Edge deployment as its user expands it, and what is to hold for it."""

import copy
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from bridge.outgoing import Kind
from tests.support import routes
from tests.support.broker import ROOT
from tests.support.wait import limit

Manifest = dict[str, Any]

BASE, SITE = "deployment", "deployment.site"
MODULES = ("mosquitto", "bridge", "classifier", "display", "capture")
OUTPUTS = {module: {kind.output for kind in Kind} if module == "bridge" else set[str]() for module in MODULES}
EDGEHUB_PORTS = {"8883", "5671", "443"}
PLACE = {
    "CONTAINER_REGISTRY_SERVER": "Shop.example:5000",
    "CONTAINER_REGISTRY_USERNAME": "shop",
    "CONTAINER_REGISTRY_PASSWORD": "p\"w#\\ '$HOME",
}
LOGS = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
HOST_CONFIG = {
    "Binds", "CapDrop", "Devices", "GroupAdd", "LogConfig", "Memory", "PortBindings", "ReadonlyRootfs", "SecurityOpt", "Tmpfs",
}  # fmt: skip


def script() -> ModuleType:
    """What `make deployment` runs, to be called."""
    spec = importlib.util.spec_from_file_location("deployment_script", ROOT / "scripts" / "deployment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copy_of_project(folder: Path) -> Path:
    """A folder with what the deployment is made from, and no .env of anybody's."""
    for path in (*ROOT.glob("deployment*.template.json"), ROOT / ".env.template", *ROOT.glob("*/module.json")):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def run(folder: Path, *platforms: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the script there, with no other environment than this."""
    command = [sys.executable, str(ROOT / "scripts" / "deployment.py"), *platforms]
    environment = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit(60), check=False)


def expanded(folder: Path) -> dict[str, dict[str, Any]]:
    """All manifests, by file name without .json."""
    done = run(copy_of_project(folder), **PLACE)
    assert done.returncode == 0, done.stderr
    return {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in (folder / "config").glob("*.json")}


def contents(manifest: Mapping[str, Any]) -> Any:
    """The modules' desired properties, of a base or a layered deployment."""
    return manifest["content"]["modulesContent"] if "content" in manifest else manifest["modulesContent"]


def layered(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """What a device gets that is the target of both: each property of the layer replaces the whole of the base's."""
    whole = copy.deepcopy(dict(base))
    for module, properties in contents(layer).items():
        for path, value in properties.items():
            *way, last = path.removeprefix("properties.desired.").split(".")
            node = contents(whole)[module]["properties.desired"]
            for part in way:
                node = node[part]
            node[last] = value
    return whole


def agent(manifest: Mapping[str, Any]) -> Any:
    return contents(manifest)["$edgeAgent"]["properties.desired"]


def edgehub(manifest: Mapping[str, Any]) -> Any:
    return contents(manifest)["$edgeHub"]["properties.desired"]


def everyone(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The runtime's own modules too."""
    return {**agent(manifest)["systemModules"], **agent(manifest)["modules"]}


def create_options(module: Mapping[str, Any]) -> Any:
    """createOptions as edgeAgent puts them together."""
    settings = module["settings"]
    return json.loads("".join(settings[name] for name in sorted(settings) if name.startswith("createOptions")))


def host_config(module: Mapping[str, Any]) -> dict[str, Any]:
    return dict(create_options(module).get("HostConfig", {}))


def environment(module: Mapping[str, Any]) -> dict[str, str]:
    return {name: entry["value"] for name, entry in module.get("env", {}).items()}


def route_problems(manifest: Mapping[str, Any]) -> list[str]:
    """Routes from what there is, to what there is; no module takes messages from edgeHub."""
    return routes.problems(edgehub(manifest)["routes"], OUTPUTS, {})


def chunk_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """createOptions in a twin: strings of at most 512 characters, at most 8 of them, numbered without a gap."""
    for name, module in everyone(manifest).items():
        chunks = {key: value for key, value in module["settings"].items() if key.startswith("createOptions")}
        if list(chunks) != ["createOptions", *(f"createOptions{number:02}" for number in range(1, len(chunks)))]:
            yield f"{name}: {list(chunks)}"
        if len(chunks) > 8 or any(not isinstance(chunk, str) or len(chunk) > 512 for chunk in chunks.values()):
            yield f"{name}: createOptions are too long"


def confinement_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What a container may: no more than it needs, and not all of the disk and memory."""
    for name, module in everyone(manifest).items():
        options, host = create_options(module), host_config(module)
        if host.get("LogConfig") != LOGS:
            yield f"{name}: logs may fill the disk"
        if "Privileged" in host or host.get("NetworkMode") or "NetworkingConfig" in options or "User" in options:
            yield f"{name}: privileged, of another user or on another network"
        if name not in MODULES:
            continue
        if not set(host) <= HOST_CONFIG or not set(options) <= {"ExposedPorts", "HostConfig"}:
            yield f"{name}: {sorted(set(host) - HOST_CONFIG)}, {sorted(options)}"
        confined = {"ReadonlyRootfs": True, "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"]}
        if {key: host.get(key) for key in confined} != confined or "/tmp" not in host.get("Tmpfs", {}):
            yield f"{name}: not confined"
        if not 64 << 20 <= host.get("Memory", 0) <= 256 << 20:
            yield f"{name}: memory"
        for device in host.get("Devices", []):
            if not all(device[end].startswith("/dev/") for end in ("PathOnHost", "PathInContainer")):
                yield f"{name}: {device}"
        if not all(group.isdecimal() for group in host.get("GroupAdd", [])):
            yield f"{name}: the image may not know a group of that name"


def port_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The host's ports: edgeHub has its own, nobody has one twice, and the broker has none."""
    taken: dict[str, str] = {}
    for name, module in everyone(manifest).items():
        for bindings in host_config(module).get("PortBindings", {}).values():
            for port in (binding["HostPort"] for binding in bindings):
                if port in taken or name == "mosquitto" or (port in EDGEHUB_PORTS and name != "edgeHub"):
                    yield f"{name}: port {port} of the host"
                taken[port] = name


def volume_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Each volume has one place in all containers, one module that fills it from its image, and one that writes it."""
    uses = defaultdict(list)
    for name in MODULES:
        for bind in host_config(agent(manifest)["modules"][name]).get("Binds", []):
            volume, target, *flags = bind.split(":")
            uses[volume].append((name, target, set(",".join(flags).split(",")) - {""}))
    for volume, users in uses.items():
        if not volume.startswith("footfall-"):
            yield f"{volume}: a folder of the host has neither the image's content nor its owner"
        if len({target for _, target, _ in users}) != 1:
            yield f"{volume}: {users}"
        for flag, what in (("nocopy", "is filled"), ("ro", "is written")):
            if len([name for name, _, flags in users if flag not in flags]) != 1:
                yield f"{volume}: {what} by more or less than one module"
        if not all(flags <= {"ro", "nocopy"} for _, _, flags in users):
            yield f"{volume}: {users}"
