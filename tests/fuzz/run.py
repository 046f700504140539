"""Fuzzes a target in a child process, which it watches: a hang or a crash is a finding too."""

import multiprocessing
import os
import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.fuzz import child, targets
from tests.fuzz.child import Job, Result, read_result
from tests.fuzz.findings import Finding, save
from tests.fuzz.slot import read_count, read_slot
from tests.support.broker import ROOT
from tests.support.wait import limit

FOLDER = ROOT / ".fuzz"
"""Where findings are saved."""
WAIT = 0.1
"""Seconds between two looks at a child. Hangs are measured in such waits: no time passes while this process is stopped."""
MAX_CRASHES = 5
"""Crashes and hangs of a target after which it is given up."""
MAX_TRACE = 3000
"""Characters at the end of a child's output that are shown."""


@dataclass(frozen=True)
class Options:
    """How a target is fuzzed."""

    seed: str
    inputs: int | None = None
    """Number of inputs; None: the target's, or no limit if `seconds` is set."""
    seconds: float | None = None
    """Seconds of CPU time after which it ends."""
    patience: float = 1.0
    """Factor for the limits of CPU time."""
    hang: float = 30.0
    """Seconds without an end of an input after which it counts as a hang."""
    folder: Path = FOLDER
    """Where findings are saved."""


def fuzz(module: str, name: str, options: Options, only: bytes | None = None) -> Result:
    """Fuzzes a target of a module, or tries one input only. After a crash or a hang it continues with other inputs."""
    inputs = options.inputs if options.inputs or options.seconds else targets.find_target(module, name).inputs
    total = Result()
    for attempt in range(MAX_CRASHES):
        with tempfile.TemporaryDirectory(dir=_memory_folder()) as scratch:
            left = options.seconds and max(0.1, options.seconds - total.cpu)
            seed = f"{options.seed} {name} {attempt}"
            job = Job(module, name, seed, inputs, left, options.patience, options.folder, Path(scratch), only)
            finding = _run(job, options)
            total = _sum(total, read_result(job), finding)
        if finding is None or only is not None or (options.seconds and total.cpu >= options.seconds):
            break
        inputs = inputs and max(1, inputs - total.inputs)
    return total


def _memory_folder() -> str | None:
    """Returns a folder in memory, or None where there is none."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _run(job: Job, options: Options) -> Finding | None:
    """Runs a child until it ends. Returns a finding if it crashed or hung."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(targets.modules()))
    process = context.Process(target=child.main, args=(job,))
    process.start()
    is_hanging = False
    try:
        before, waits = 0, 0
        while process.is_alive():
            process.join(WAIT)
            waits += 1
            if (count := read_count(job.slot)) != before:
                before, waits = count, 0
            elif waits * WAIT > options.hang:
                is_hanging = True
                _abort(process)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
    if process.exitcode == 0 and read_result(job).is_complete:
        return None
    output = job.console.read_text(encoding="utf-8", errors="replace")[-MAX_TRACE:] if job.console.exists() else ""
    path = save(options.folder, job.target, read_slot(job.slot))
    kind, how = ("hang", f"no end after {options.hang:g} s") if is_hanging else ("crash", f"exit code {process.exitcode}")
    return Finding(kind, f"{how}\n{output}", str(path))


def _abort(process: multiprocessing.process.BaseProcess) -> None:
    """Ends a child, which prints where it hangs."""
    if process.pid is not None:
        os.kill(process.pid, signal.SIGABRT)
    process.join(limit(1))
    process.kill()


def _sum(one: Result, other: Result, finding: Finding | None) -> Result:
    """Returns the figures of both together, with one more finding."""
    return replace(
        one,
        inputs=one.inputs + other.inputs + (finding is not None),
        accepted=one.accepted + other.accepted,
        uncaught=one.uncaught + other.uncaught + (finding is not None),
        seconds=max(one.seconds, other.seconds),
        small_seconds=max(one.small_seconds, other.small_seconds),
        memory=max(one.memory, other.memory),
        cpu=one.cpu + other.cpu,
        findings=one.findings + other.findings + ([finding] if finding else []),
    )
