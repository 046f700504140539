"""The plan of ``footfall run``: the programs and settings, checked by another process.

The run lives as long as the suite and must take little memory, so it imports neither `bus` nor a module of the suite. The process
`footfall.checks` loads settings, icons and the model as the modules do. It passes the plan as JSON and ends before a program is
started.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from footfall.state import RunState, state_dir


@dataclass(frozen=True, slots=True)
class Plan:
    """A run with valid settings.

    `programs` are names in the Procfile. `settings` override the environment. `notice` is the text about the demo, or empty.
    `cameras` are those that the broker admits, the run's own `camera` first. `topics` are the filters for predictions, statuses,
    counts and the own camera's visits. `dashboard` is the dashboard's module name, `address` its address on this machine, and
    `address_text` all its addresses; these three are empty without a dashboard. `prints_visits`: the bridge has the sink `log`.
    `foreign` has by program the variables that it must not get: the settings of others, among which are passwords.
    `truth` has the recording's true visitors by label, or None if they are unknown.
    """

    port: int
    notice: str
    programs: tuple[str, ...]
    settings: dict[str, str]
    camera: str
    cameras: tuple[str, ...]
    video_path: str
    is_played_once: bool
    truth: dict[str, int] | None
    dashboard: str
    address: str
    address_text: str
    topics: dict[str, str]
    prints_visits: bool = True
    foreign: dict[str, list[str]] = field(default_factory=dict)

    @property
    def state(self) -> RunState:
        """The run's folders."""
        return RunState(state_dir(), self.port, is_demo=bool(self.notice))

    def to_json(self) -> str:
        """Returns the plan as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Returns the plan from the JSON of `to_json`."""
        found = json.loads(text)
        for name in ("programs", "cameras"):
            found[name] = tuple(found[name])
        return cls(**found)


def make_plan() -> Plan:
    """Returns the plan for the environment's settings. Raises `CalledProcessError` if a check failed and printed the reason."""
    command = [sys.executable, "-m", "footfall.checks"]
    with _interrupts_blocked():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        text, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Plan.from_json(text)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Blocks Ctrl-C, also in a program that is started meanwhile, where it prints a traceback while Python starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
