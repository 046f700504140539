"""A picture of the dashboard's panels: Grafana's own components draw answers of Prometheus in Chromium.

npm installs the components (Apache License 2.0) into the virtual environment; no Grafana server takes part. Fonts are Grafana's,
from Fontsource. Panels are laid out as in Grafana, in light colours.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

from scripts.grafana.queries import DASHBOARD, ask, queries

HERE = Path(__file__).parent
FOLDER = Path(sys.prefix, "grafana")
"""Where npm installs the components: 460 MB."""
LOADERS = ("--loader:.svg=text", "--loader:.ttf=empty")
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Panels</title>
<link rel="stylesheet" href="/panels.css"><script src="/panels.js" defer></script>"""
FONTS = {"Inter-Regular.woff2": "400", "Inter-Medium.woff2": "500"}
WIDTH = 1400
"""Pixels of the picture."""


def install(timeout: float = 600) -> None:
    """Installs the components, if they are missing or of other versions, and bundles the page. Raises `OSError`.

    It takes a minute. `timeout` is in seconds.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    FOLDER.mkdir(exist_ok=True)
    wanted, installed = HERE / "package.json", FOLDER / "package.json"
    if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
        shutil.copy(wanted, FOLDER)
        try:
            _run([npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], timeout)
        except OSError:
            installed.unlink()
            raise
    shutil.copy(HERE / "panels.jsx", FOLDER)
    bundle = ["panels.jsx", "--bundle", "--outfile=panels.js", "--jsx=automatic", "--log-level=error", *LOADERS]
    _run([str(FOLDER / "node_modules" / ".bin" / "esbuild"), *bundle, '--define:process.env.NODE_ENV="production"'], timeout)


def draw(browser: Browser, prometheus: str, start: float, end: float) -> Page:
    """Returns a page that shows the panels for a range of time, in seconds since 1970. Raises `OSError` without Prometheus."""
    asked = queries(int(end - start))
    answers = {key: ask(prometheus, query, start, end) for key, query in asked.items()}
    steps = {key.split()[0]: query.step for key, query in asked.items()}
    panels = [panel | {"step": steps.get(str(panel["id"]), 0)} for panel in DASHBOARD["panels"]]
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.route("**/*", _answer)
    page.goto("http://grafana.invalid/")
    page.evaluate("(given) => window.draw(...given)", [panels, answers, start, end, WIDTH - 8])
    page.wait_for_selector("[data-panel] >> nth=-1")
    page.wait_for_load_state("networkidle")
    return page


def _answer(route: Route) -> None:
    path = urlsplit(route.request.url).path
    name = path.rpartition("/")[2]
    modules = FOLDER / "node_modules"
    if path == "/":
        route.fulfill(body=PAGE, content_type="text/html")
    elif name in FONTS:
        route.fulfill(path=modules / "@fontsource" / "inter" / "files" / f"inter-latin-{FONTS[name]}-normal.woff2")
    elif path.startswith("/public/"):
        route.fulfill(path=modules / "@grafana" / "ui" / "dist" / "public" / path.removeprefix("/public/").removeprefix("build/"))
    else:
        route.fulfill(path=FOLDER / name)


def _run(command: list[str], timeout: float) -> None:
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{Path(command[0]).name} took more than {timeout:g} seconds") from None
    if done.returncode:
        raise OSError(f"{Path(command[0]).name} failed: {done.stderr.strip()[:500]}")
