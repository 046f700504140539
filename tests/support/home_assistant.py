"""A real Home Assistant, in a Debian with a Python that is new enough for it. scripts/home-assistant.sh makes that folder."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import Self
from websockets.sync.client import connect

from tests.support.broker import ROOT, free_port
from tests.support.wait import limit, until

CONFIGURATION = """
api:
auth:
automation: !include automations.yaml
config:
homeassistant:
onboarding:
recorder:
  commit_interval: 1
websocket_api:
"""
TLS_PROFILE = "intermediate_v6"
"""The storage of Home Assistant needs one, even without TLS."""
SIGNED_IN = 1800
"""Seconds for which an access token is valid."""


def find_home_assistant() -> Path:
    """Returns the folder of the Debian with Home Assistant. Skips the test without it, or without the rights to run it."""
    folder = Path(os.environ.get("FOOTFALL_HOME_ASSISTANT") or ROOT / ".home-assistant")
    if not (folder / "ha/bin/python").exists():
        pytest.skip(f"Home Assistant is not in {folder}; as root, run scripts/home-assistant.sh")
    if os.geteuid():
        pytest.skip("Home Assistant needs root, for chroot")
    return folder


class HomeAssistant:
    """A Home Assistant on loopback, with an owner who is signed in. Needs root, for chroot."""

    def __init__(self, root: Path, name: str = "config", integrations: Sequence[str] = ()) -> None:
        """`root` is the folder of the Debian, `name` that of the configuration inside, which is created anew."""
        self._root, self._folder = root, root / name
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / ".storage").mkdir(parents=True)
        (self._folder / "configuration.yaml").write_text(CONFIGURATION + "".join(f"{one}:\n" for one in integrations))
        (self._folder / "automations.yaml").write_text("[]")
        # In the YAML file, the port would hold for five minutes, until a person confirms it.
        stable = {"server_host": ["127.0.0.1"], "server_port": self._port, "ssl_profile": TLS_PROFILE, "cors_allowed_origins": []}
        stable |= {"login_attempts_threshold": -1, "ip_ban_enabled": False, "use_x_frame_options": True}
        http = {"stable": stable, "pending": None, "yaml_migration_done": True}
        document = {"version": 3, "minor_version": 1, "key": "http", "data": http}
        (self._folder / ".storage" / "http").write_text(json.dumps(document))
        self._client = httpx.Client(base_url=self.address, timeout=limit(60))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        owner = {
            "client_id": self.address,
            "name": "Owner",
            "username": "owner",
            "password": "only-on-loopback",
            "language": "en",
        }
        code = self._post("/api/onboarding/users", owner)["auth_code"]
        form = {"client_id": self.address, "grant_type": "authorization_code", "code": code}
        self._tokens = self._client.post("/auth/token", data=form).raise_for_status().json()
        self._client.headers["Authorization"] = f"Bearer {self._tokens['access_token']}"
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Starts it, and waits until it answers. It has mounts of its own, which end with it."""
        mounts = (
            f"mount -t proc proc {self._root}/proc",
            *(f"mount --bind {one} {self._root}{one}" for one in ("/dev", "/dev/shm")),
        )
        command = " && ".join([*mounts, f"exec chroot {self._root} /ha/bin/python -m homeassistant -c /{self._folder.name}"])
        with (self._folder / "out.log").open("ab") as out:
            self._process = subprocess.Popen(["unshare", "-m", "sh", "-c", command], stdout=out, stderr=out)
        until(self._answers, 120, "Home Assistant")

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(limit(60))
            self._process = None

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self.log
        try:
            return self._client.get("/api/onboarding").is_success
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        """Warnings and errors."""
        return (self._folder / "out.log").read_text()

    def _post(self, path: str, body: object) -> Any:
        answer = self._client.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def sign_in_browsers(self) -> str:
        """Ends the questions to a new user. Returns a script for a browser's page, which is signed in by it."""
        for step in ("core_config", "analytics"):
            self._post(f"/api/onboarding/{step}", {})
        self._post("/api/onboarding/integration", {"client_id": self.address, "redirect_uri": f"{self.address}/"})
        tokens = self._tokens | {"hassUrl": self.address, "clientId": self.address}
        tokens["expires"] = (time.time() + SIGNED_IN) * 1000
        stored = {"hassTokens": json.dumps(tokens), "dockedSidebar": json.dumps("always_hidden")}
        return "\n".join(f"localStorage.setItem({json.dumps(key)}, {json.dumps(value)});" for key, value in stored.items())

    def add_broker(self, port: int, username: str, password: str) -> None:
        """Adds the MQTT integration, as a user does."""
        flow = self._post("/api/config/config_entries/flow", {"handler": "mqtt"})
        settings = {"broker": "127.0.0.1", "port": port, "username": username, "password": password, "protocol": "5"}
        others = {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"}
        made = self._post(f"/api/config/config_entries/flow/{flow['flow_id']}", settings | {"other_settings": others})
        assert made["type"] == "create_entry", made

    def add_automation(self, name: str, configuration: object) -> None:
        self._post(f"/api/config/automation/config/{name}", configuration)

    def add_dashboard(self, name: str, configuration: object) -> None:
        """Adds a dashboard at the path `name`, which must have a hyphen."""
        self.ask("lovelace/dashboards/create", url_path=name, title=name, mode="storage")
        self.ask("lovelace/config/save", url_path=name, config=configuration)

    def states(self) -> dict[str, Any]:
        """Returns the state of each entity by its id, with its attributes."""
        return {one["entity_id"]: one for one in self._client.get("/api/states").raise_for_status().json()}

    def press(self, button: str) -> None:
        self._post("/api/services/button/press", {"entity_id": button})

    def ask(self, kind: str, **options: object) -> Any:
        """Asks by WebSocket, and returns the result."""
        with connect(f"ws://127.0.0.1:{self._port}/api/websocket", max_size=None, open_timeout=limit(30)) as socket:
            socket.recv(limit(30))
            socket.send(json.dumps({"type": "auth", "access_token": self._tokens["access_token"]}))
            socket.recv(limit(30))
            socket.send(json.dumps({"id": 1, "type": kind} | options))
            answer = json.loads(socket.recv(limit(60)))
        assert answer["success"], answer
        return answer["result"]
