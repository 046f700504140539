"""A real Node-RED."""

from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from tests.support.broker import free_port
from tests.support.npm import NpmProgram
from tests.support.wait import limit, until

Node = dict[str, Any]
"""A node of a flow."""


class NodeRed(NpmProgram):
    """A Node-RED on loopback, with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__("node-red", "red.js", folder / "node-red.log")
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self._folder = folder
        self._address = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(base_url=self._address, timeout=limit(10), trust_env=False)

    def start(self) -> None:
        """Starts it, without its tour and its question about usage data."""
        settings = ("-D", "uiHost=127.0.0.1", "-D", "editorTheme.tours=false", "--no-telemetry")
        self._start("-u", str(self._folder), "-p", str(self.port), *settings, ready="Started flows")

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
