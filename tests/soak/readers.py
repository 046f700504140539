"""What reads from the suite while it runs: a browser with live pictures, and scripts that poll reports and metrics."""

import itertools
import re
import time
from collections.abc import Sequence
from contextlib import ExitStack

import httpx
from typing_extensions import Self
from websockets.exceptions import WebSocketException

from runtime.worker import Worker
from tests.soak.calm import Calm
from tests.soak.suite import MODULES
from tests.support.browsers import Browser
from tests.support.wait import limit

PICTURE_INTERVAL = 0.1
"""Seconds between two requests for a live picture."""
MAX_WAIT = 2.0
"""Seconds after which another camera is asked for: this one may not be known yet."""
POLL_INTERVAL = 2.0
"""Seconds between two polls of all metrics and of a report."""
_INBOX = re.compile(r'^footfall_inbox\{module="counter"\} (\S+)$', re.MULTILINE)


class Readers:
    """A browser and a script, each on its thread. Used as a context manager. `failures` are those while all worked."""

    def __init__(self, web: int, metrics: int, cameras: Sequence[str], calm: Calm) -> None:
        """`web` is the port of the dashboard, `metrics` the first of the modules' ports."""
        self._web, self._metrics, self._cameras, self._calm = web, metrics, cameras, calm
        self._workers = [Worker("browser", self._watch), Worker("polls", self._poll, interval=0.2)]
        self._running = ExitStack()
        self._polled_at = 0.0
        self.pictures = self.polls = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        for worker in self._workers:
            self._running.enter_context(worker)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _watch(self) -> None:
        """Looks at the cameras in turn until the connection is lost."""
        began, stopping = time.monotonic(), self._workers[0].stopping
        try:
            with Browser(self._web) as browser:
                for camera in itertools.cycle(self._cameras):
                    began = time.monotonic()
                    browser.want(camera)
                    while time.monotonic() < began + MAX_WAIT and not stopping.is_set():
                        if browser.receive() is not None:
                            self.pictures += 1
                            break
                    if stopping.wait(PICTURE_INTERVAL):
                        return
        except (OSError, WebSocketException) as error:
            self._note("live pictures", began, f"{type(error).__name__}: {error}")
            stopping.wait(PICTURE_INTERVAL)

    def _poll(self) -> None:
        """Asks the counter for its lag, and from time to time all modules for their metrics and the dashboard for a report."""
        addresses = [f"http://127.0.0.1:{self._metrics + MODULES.index('counter')}/metrics"]
        if time.monotonic() - self._polled_at > POLL_INTERVAL:
            self._polled_at = time.monotonic()
            addresses += [f"http://127.0.0.1:{self._metrics + number}/metrics" for number in range(len(MODULES))]
            addresses += [f"http://127.0.0.1:{self._web}/{path}" for path in ("reports?by=hour", "api/counts", "healthz")]
        for address in addresses:
            began = time.monotonic()
            try:
                answer = httpx.get(address, timeout=limit(10))
                self.polls += 1
                if answer.is_error:
                    self._note(address, began, f"{answer.status_code} {answer.text:.200}")
                if found := _INBOX.search(answer.text):
                    self._calm.lag = int(float(found[1]))
            except httpx.HTTPError as error:
                self._note(address, began, f"{type(error).__name__}: {error}")

    def _note(self, what: str, began: float, problem: str) -> None:
        """Notes a failure, unless a program was killed in that time."""
        if (worked := began - self._calm.since) > 0:
            self.failures.append(f"{what}: {problem}, {worked:.1f} s after the last recovery")
