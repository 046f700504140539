"""What ``footfall run`` is to run, as another process has found and checked it.

The run lives as long as the suite and takes little memory: it imports no module of the suite, and not `bus`. So the checks, which
load settings, icons and the model as the modules will, are a process of their own, `footfall.checks`, that ends before anything
is started. What the run needs to know comes from there as JSON.
"""

import json
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass

from footfall.state import RunState, state_dir


@dataclass(frozen=True, slots=True)
class Plan:
    """A run whose settings are all right.

    `programs` are names in the Procfile; `settings` replace those of the environment. `notice` is what has to be said about the
    demo, or empty. `cameras` are those that the broker lets in, the run's own `camera` first. `topics` are those of predictions,
    statuses, counts, and the own camera's visits. `dashboard` is its module's name, `address` where this machine finds it, and
    `address_text` where all machines do, in words; all three are empty without one.
    """

    port: int
    notice: str
    programs: tuple[str, ...]
    settings: dict[str, str]
    camera: str
    cameras: tuple[str, ...]
    video_path: str
    is_played_once: bool
    background_labels: tuple[str, ...]
    dashboard: str
    address: str
    address_text: str
    topics: dict[str, str]

    @property
    def state(self) -> RunState:
        """The run's folders."""
        return RunState(state_dir(), self.port, is_demo=bool(self.notice))

    def to_json(self) -> str:
        """For `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The plan in a text by `to_json`."""
        found = json.loads(text)
        for name in ("programs", "cameras", "background_labels"):
            found[name] = tuple(found[name])
        return cls(**found)


def make_plan() -> Plan:
    """The plan that the environment asks for. Raises `CalledProcessError` when the checks have said what is wrong."""

    def block_interrupts() -> None:
        """Python answers Ctrl-C with a traceback while it starts; the checks unblock it when they are ready for it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    command = [sys.executable, "-m", "footfall.checks"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=block_interrupts)
    return Plan.from_json(done.stdout)
