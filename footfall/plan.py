"""What ``footfall run`` is to run, as another process has found and checked it.

The run lives as long as the suite and takes little memory: it imports no module of the suite, and not `bus`. So the checks, which
load settings, icons and the model as the modules will, are a process of their own, `footfall.checks`, that ends before anything
is started. What the run needs to know comes from there as JSON.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from footfall.state import RunState, state_dir


@dataclass(frozen=True, slots=True)
class Topics:
    """What the run follows at its broker; `visit` is its own camera's."""

    prediction: str
    visit: str
    status: str
    counts: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Where it is, and the name of its module at the broker."""

    module: str
    host: str
    address: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A run whose settings are all right.

    `programs` are names in the Procfile; `settings` replace those of the environment. `about` is what has to be said about the
    demo, or empty. `cameras` are those that the broker lets in, the run's own `camera` first.
    """

    port: int
    about: str
    programs: tuple[str, ...]
    settings: dict[str, str]
    camera: str
    cameras: tuple[str, ...]
    video_path: str
    is_played_once: bool
    background_labels: tuple[str, ...]
    dashboard: Dashboard | None
    topics: Topics

    @property
    def state(self) -> RunState:
        """The run's folders."""
        return RunState(state_dir(), self.port, is_demo=bool(self.about))

    def to_json(self) -> str:
        """For `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The plan in a text by `to_json`."""
        found = json.loads(text)
        found["topics"] = Topics(**found["topics"])
        found["dashboard"] = found["dashboard"] and Dashboard(**found["dashboard"])
        for name in ("programs", "cameras", "background_labels"):
            found[name] = tuple(found[name])
        return cls(**found)


class PlanRefused(Exception):
    """The checks have said what is wrong; `code` is their exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def make_plan() -> Plan:
    """The plan that the environment asks for. Raises `PlanRefused`."""
    command = [sys.executable, "-m", "footfall.checks"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise PlanRefused(done.returncode)
    return Plan.from_json(done.stdout)
