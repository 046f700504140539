"""Fuzzes one target in this process, which a crash may end and which the parent may kill."""

import faulthandler
import gc
import json
import os
import random
import resource
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path

from tests.fuzz.findings import Finding, Findings
from tests.fuzz.inputs import Inputs
from tests.fuzz.meter import Cost, Meter, cpu_time
from tests.fuzz.outcome import Observer, Outcome
from tests.fuzz.slot import Slot
from tests.fuzz.target import SMALL, Parse, Target
from tests.fuzz.targets import find_target

MAX_GROWTH = 2 << 30
"""Bytes of address space beyond those in use after the set-up; more raises `MemoryError`."""
REPORT_INTERVAL = 0.5
"""Seconds of CPU time between two reports to the parent."""


@dataclass
class Result:
    """The figures of a target."""

    inputs: int = 0
    accepted: int = 0
    uncaught: int = 0
    seconds: float = 0.0
    """The CPU time of the worst input."""
    small_seconds: float = 0.0
    """The same of inputs of at most `SMALL` bytes."""
    memory: int = 0
    """The growth of memory in bytes of the worst input."""
    cpu: float = 0.0
    """CPU time of all inputs in seconds, with that of making them."""
    is_complete: bool = False
    """Whether the child has tried all inputs."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Inputs a second of CPU time."""
        return self.inputs / self.cpu if self.cpu else 0.0


@dataclass(frozen=True)
class Job:
    """What a child does, and where its files are."""

    module: str
    target: str
    seed: str
    inputs: int | None
    """Number of inputs; None: no limit."""
    seconds: float | None
    """Seconds of CPU time after which it ends."""
    patience: float
    """Factor for the limits of CPU time."""
    folder: Path
    """Where findings are saved."""
    scratch: Path
    """Where its other files are."""
    only: bytes | None = None
    """The input of a repetition, instead of new ones."""

    @property
    def result(self) -> Path:
        """The file with the result so far."""
        return self.scratch / "result.json"

    @property
    def slot(self) -> Path:
        """The file with the current input."""
        return self.scratch / "input"

    @property
    def console(self) -> Path:
        """The file with the output of the child."""
        return self.scratch / "console"


def read_result(job: Job) -> Result:
    """Returns the last result that a child reported."""
    if not job.result.exists():
        return Result()
    found = json.loads(job.result.read_bytes())
    return Result(**found | {"findings": [Finding(**one) for one in found["findings"]]})


def main(job: Job) -> None:
    """Runs the job. Call it in a process of its own."""
    _isolate(job)
    target = find_target(job.module, job.target)
    slot = Slot(job.slot, target.limit)
    observer = Observer(target)
    with target.opened() as parse:
        seeds = target.seeds()
        for content in seeds:
            slot.put(content)
            observer.call(parse, content)  # the first calls import and cache; they are not measured
        gc.collect()
        gc.freeze()
        _limit_memory()
        Fuzzer(job, target, parse, observer, slot).run(seeds, target.large())
        slot.put(b"")


def _isolate(job: Job) -> None:
    """Redirects the output and temporary files, and prints a traceback in a crash."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    descriptor = os.open(job.console, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable(2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tempfile.tempdir = str(job.scratch)
    random.seed(job.seed)


def _limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MAX_GROWTH, resource.RLIM_INFINITY))


class Fuzzer:
    """Tries inputs and keeps the figures."""

    def __init__(self, job: Job, target: Target, parse: Parse, observer: Observer, slot: Slot) -> None:
        self._job = job
        self._target = target
        self._parse = parse
        self._observer = observer
        self._slot = slot
        self._meter = Meter()
        self._result = Result()
        self._findings = Findings(job.folder, job.target)

    def run(self, seeds: Sequence[bytes], large: Sequence[bytes]) -> None:
        """Tries these inputs and then mutations of them, until the number or the time is reached."""
        inputs = Inputs(self._target, seeds, large, random.Random(self._job.seed))
        began = cpu_time()
        contents: Iterator[bytes] = chain(seeds, large, inputs) if self._job.only is None else iter([self._job.only])
        report_at = 0.0
        limit = self._job.seconds or float("inf")
        for content in islice(contents, self._job.inputs):
            inputs.report(content, self._try(content))
            self._result.cpu = cpu_time() - began
            if self._result.cpu >= report_at:
                report_at = self._result.cpu + REPORT_INTERVAL
                self._report()
            if self._result.cpu >= limit:
                break
        self._result.is_complete = True
        self._report()

    def _try(self, content: bytes) -> object:
        """Tries an input, and returns the signature of its outcome."""
        self._slot.put(content)
        cost, outcome = self._measure(content)
        result = self._result
        result.inputs += 1
        result.accepted += outcome.is_accepted
        if outcome.problem:
            result.uncaught += 1
            self._findings.add("error", outcome.signature, outcome.problem, content)
        is_small = len(content) <= SMALL
        if cost.seconds > (result.small_seconds if is_small else result.seconds):
            cost = cost._replace(seconds=min(cost.seconds, self._repeat(content), self._repeat(content)))
        result.seconds = max(result.seconds, cost.seconds)
        result.memory = max(result.memory, cost.memory)
        if is_small:
            result.small_seconds = max(result.small_seconds, cost.seconds)
        allowed = (
            min(self._target.small_seconds, self._target.seconds) if is_small else self._target.seconds
        ) * self._job.patience
        if cost.seconds > allowed:
            self._findings.add("slow", is_small, f"{cost.seconds:.3f} s of CPU time; at most {allowed:g} s", content)
        if cost.memory > self._target.memory:
            detail = f"{cost.memory / 1e6:.0f} MB of memory; at most {self._target.memory / 1e6:.0f} MB"
            self._findings.add("memory", None, detail, content)
        return outcome.signature

    def _measure(self, content: bytes) -> tuple[Cost, Outcome]:
        costs: list[Cost] = []
        self._meter.begin()
        outcome = self._observer.call(self._parse, content, lambda: costs.append(self._meter.end()))
        return costs[0], outcome

    def _repeat(self, content: bytes) -> float:
        """Returns the CPU time of one more try."""
        return self._measure(content)[0].seconds

    def _report(self) -> None:
        """Writes the result for the parent."""
        self._result.findings = self._findings.all()
        part = self._job.result.with_suffix(".part")
        part.write_text(json.dumps(asdict(self._result)), encoding="utf-8")
        part.replace(self._job.result)
