"""Draws docs/grafana.png from a running Prometheus: ``python -m scripts.grafana http://127.0.0.1:9090 --minutes 60``."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from scripts.grafana import picture
from scripts.grafana.queries import ROOT

parser = argparse.ArgumentParser(prog="python -m scripts.grafana", description=__doc__)
parser.add_argument("prometheus", help="its address, such as http://127.0.0.1:9090")
parser.add_argument("--minutes", type=float, default=60, help="the range of time up to now")
parser.add_argument("--to", type=Path, default=ROOT / "docs" / "grafana.png", help="the picture")
given = parser.parse_args()

try:
    picture.install()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        end = time.time()
        picture.draw(browser, given.prometheus, end - 60 * given.minutes, end).screenshot(path=given.to, full_page=True)
        browser.close()
except OSError as error:
    sys.exit(f"no picture: {error}")
print(given.to)
