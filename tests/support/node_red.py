"""A real Node-RED."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page
from typing_extensions import Self

from tests.support.broker import free_port
from tests.support.npm import find_program
from tests.support.wait import limit, until

Node = dict[str, Any]
"""A node of a flow."""


class NodeRed:
    """A Node-RED on loopback, with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._log = folder / "node-red.log"
        self._address = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(base_url=self._address, timeout=limit(10), trust_env=False)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        options = [
            "-u",
            str(self._folder),
            "-p",
            str(self.port),
            "-D",
            "uiHost=127.0.0.1",
            "-D",
            "editorTheme.tours=false",
            "--no-telemetry",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*find_program("node-red", "red.js"), *options], stdout=log, stderr=log)
        until(lambda: "Started flows" in self.log, 60, "Node-RED")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(limit(20))
        self._client.close()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def deploy(self, nodes: list[Node]) -> None:
        """Replaces all flows."""
        started = self.log.count("Started flows")
        self._client.post("/flows", json=nodes).raise_for_status()
        until(lambda: self.log.count("Started flows") > started, 20, "the flows")

    def import_file(self, page: Page, path: Path) -> None:
        """Imports a flow in the editor, and deploys it."""
        started = self.log.count("Started flows")
        page.goto(self._address)
        page.wait_for_selector("#red-ui-workspace-tabs .red-ui-tab-label")
        page.wait_for_selector("#red-ui-loading-progress", state="hidden")
        page.click("#red-ui-header-button-sidemenu")
        page.click("#menu-item-import")
        page.set_input_files("#red-ui-clipboard-dialog-import-file-upload", path)
        page.click("#red-ui-clipboard-dialog-ok")
        page.click("#red-ui-header-button-deploy")
        until(lambda: self.log.count("Started flows") > started, 20, "the flows")

    def get(self, path: str) -> httpx.Response:
        """Returns the answer of a flow."""
        return self._client.get(path).raise_for_status()
