"""The memory of each process of `make run` with the demo, as if nothing else ran on the machine.

The memory of a process is what it has for itself, and its part of files that are in memory, such as libraries. Processes of the
run that use the same file share it, so the sum is the memory of the whole run. PSS would also count other programs, such as this
benchmark, among those that share a file; it is smaller when more of them run. Systems other than Linux report USS, without
files.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.programs import Script
from benchmarks.suite import KINDS, MODULES, process_kind, running_suite
from benchmarks.tables import print_row
from demo.about import PEOPLE


def measure(seconds: float, **settings: object) -> dict[str, float]:
    """Returns the MB of each kind of process, `seconds` after the first prediction."""
    with running_suite(**settings) as suite:
        time.sleep(seconds)
        return memory_by_kind(suite.processes)


def measure_two_cameras(seconds: float) -> dict[str, float]:
    """Measures a run with a second camera, which plays the same clip."""
    with (
        running_suite(CAMERAS="door,back") as suite,
        Script("footfall", "camera", CAMERA="back", VIDEO_PATH=PEOPLE, **suite.settings) as camera,
    ):
        camera.wait_for_log("[INF] running")
        time.sleep(seconds)
        return memory_by_kind([*suite.processes, psutil.Process(camera.pid)])


def memory_by_kind(processes: Iterable[psutil.Process]) -> dict[str, float]:
    """Returns the MB of processes, by kind. Of a file, they are taken to use the same part: as much as any of them uses."""
    used: dict[str, float] = defaultdict(float)
    files: dict[str, list[tuple[str, int]]] = defaultdict(list)
    """By file, its resident bytes in each process that uses it."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a script of the broker's has just ended
            kind = process_kind(process.cmdline())
            if not psutil.LINUX:
                used[kind] += process.memory_full_info().uss / 1e6
                continue
            for mapped in process.memory_maps():
                used[kind] += mapped.anonymous / 1e6
                if mapped.rss > mapped.anonymous:
                    files[mapped.path].append((kind, mapped.rss - mapped.anonymous))
    for parts in files.values():
        sizes = [size for _, size in parts]
        for kind, size in parts:
            used[kind] += size * max(sizes) / sum(sizes) / 1e6
    return used


def report(seconds: float, people: Path | None) -> None:
    """Prints the memory of each kind of process, the sums, and how much more another camera and the person detector need."""
    used = measure(seconds)
    together = sum(used.values())
    print_row("process", "MB")
    for name in KINDS:
        if name in used:
            print_row(name, used[name])
    print_row("modules", sum(used.get(name, 0.0) for name in MODULES))
    print_row("all", together)
    print_row("camera more", sum(measure_two_cameras(seconds).values()) - together)
    if people:
        with_person = measure(seconds, MODEL=people / "models" / "ssd-person", VIDEO_PATH=PEOPLE)
        print_row("person model", sum(with_person.values()) - together)
