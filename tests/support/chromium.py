"""A real headless browser."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.support.wait import limit, until

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRAWN = """
window.drawn = [];
document.addEventListener("drawn", (event) => {
  const camera = event.target.closest("[data-camera]");
  const label = camera.querySelector(".label");
  window.drawn.push({
    camera: camera.dataset.camera, sequence: event.detail.sequence, at: Date.now() / 1000,
    capturedAt: event.detail.captured_at, label: label.textContent, labelOf: label.dataset.sequence,
  });
});
"""
"""A script that records each picture that a page draws, with the label shown at that moment."""
LOADING = "context was destroyed"
"""Part of Playwright's error message while a page navigates or reloads."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Runs Chromium with a new profile while entered. Skips the test if Chromium or its driver is missing."""
    driver = [sys.executable, "-m", "playwright", "--version"]
    done = subprocess.run(driver, capture_output=True, text=True, timeout=limit(30), check=False)
    if done.returncode:  # Playwright itself reports only a closed connection
        pytest.skip(f"Playwright's driver does not start; run scripts/setup.sh dev: {done.stderr}")
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, NAMES)), None) or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("Chromium is not installed; run apt-get install chromium, or .venv/bin/playwright install chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page of the dashboard, with its console errors and its requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.add_init_script(DRAWN)

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The pictures drawn so far."""
        drawn: list[dict[str, Any]] = self.page.evaluate("window.drawn")
        return drawn

    def sees(self, condition: str) -> bool:
        """Returns whether an expression is true in the page; False while the page reloads."""
        try:
            return bool(self.page.evaluate(condition))
        except Error as error:
            if LOADING not in str(error):
                raise
            return False

    def wait(self, condition: str, seconds: float = 60.0) -> None:
        """Waits until an expression in the page is true."""
        try:
            until(lambda: self.sees(condition), seconds, condition)
        except AssertionError as error:
            shown = self.page.inner_text("body")
            raise AssertionError(f"{error}; errors {self.errors}; shown: {shown}") from None

    def wait_for_pictures(self, number: int = 1) -> None:
        """Waits until `number` more pictures are drawn."""
        self.wait(f"window.drawn.length >= {len(self.drawn) + number}")


@contextmanager
def open_tab(browser: Browser, address: str, **options: Any) -> Iterator[Tab]:
    """Opens a tab in a new context, without cookies of other tabs."""
    context = browser.new_context(**{"locale": "en-GB", **options})
    try:
        context.set_default_timeout(limit(60) * 1000)
        tab = Tab(context.new_page())
        tab.page.goto(address)
        yield tab
    finally:
        context.close()
