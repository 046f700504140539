"""The CPU time of the suite in front of a still scene, with and without the motion gate, and that of Debian's `motion`."""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import cv2
import psutil

from benchmarks.camera import camera
from benchmarks.memory import MODULES, START_TIMEOUT, process_kind
from benchmarks.programs import Listener, Program, Script, free_port, is_listening, wait_for
from benchmarks.tables import print_row
from demo.about import DETECTOR
from demo.hall_scenes import HallMoment, HallScene
from demo.light import light_at

WIDTH, HEIGHT, RATE = 640, 480, 10
SEED, FIRST = 3, 400
"""A hall, and a moment of the day from which on its camera has no fault for ten seconds."""
PICTURES = 100
WARM_UP = 15.0
"""Seconds from the first prediction until nothing moves any more."""
MOTION = """
daemon off
log_level 4
netcam_url {address}
target_dir {folder}
picture_output off
movie_output off
webcontrol_port 0
stream_port 0
"""
"""The settings of `motion`: the defaults, but nothing is saved or served."""


def write_still_scene(folder: Path) -> Path:
    """Writes pictures of an empty hall, each with new noise, into a new folder, which it returns."""
    folder.mkdir()
    scene, light = HallScene(SEED), light_at(FIRST / RATE)
    for number in range(PICTURES):
        picture = scene.frame(HallMoment(FIRST + number, light, (), ()))
        cv2.imwrite(str(folder / f"{number:03}.jpg"), picture)
    return folder


def cpu_by_kind(root: psutil.Process) -> dict[str, float]:
    """Returns the seconds of CPU time so far of a process and its descendants, by kind."""
    used: dict[str, float] = {}
    for process in (root, *root.children(recursive=True)):
        kind, times = process_kind(process.cmdline()), process.cpu_times()
        used[kind] = used.get(kind, 0.0) + times.user + times.system
    return used


def measure(root: psutil.Process, seconds: float) -> dict[str, float]:
    """Returns the CPU time of a process and its descendants, by kind, in percent of one core."""
    before, begin = cpu_by_kind(root), time.monotonic()
    time.sleep(seconds)
    after, elapsed = cpu_by_kind(root), time.monotonic() - begin
    return {kind: 100 * (after[kind] - before.get(kind, 0.0)) / elapsed for kind in after}


def measure_suite(address: str, seconds: float, settings: Mapping[str, str]) -> dict[str, float]:
    """Returns the CPU time of each kind of process of a run, in percent of one core."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        places = {"STATE_DIR": folder, "MQTT_PORT": port, "WEB_PORT": free_port()}
        run = Script("footfall", "run", **places, MODEL=DETECTOR, VIDEO_PATH=address, FRAME_RATE=RATE, **settings)
        with run:
            wait_for(lambda: run.check() and is_listening(port), START_TIMEOUT, "the broker of the run")
            with Listener(port, "footfall/+/prediction") as listener:
                listener.wait_for("prediction", seconds=START_TIMEOUT)
            time.sleep(WARM_UP)
            return measure(psutil.Process(run.pid), seconds)


def measure_motion(address: str, seconds: float) -> float | None:
    """Returns the CPU time of `motion` in percent of one core; None if it is not installed."""
    program = shutil.which("motion", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "motion.conf"
        settings.write_text(MOTION.format(address=address, folder=folder))
        with Program([program, "-n", "-c", settings], {}) as motion:
            time.sleep(WARM_UP)
            motion.check()
            return sum(measure(psutil.Process(motion.pid), seconds).values())


def report(seconds: float) -> None:
    """Prints the CPU time of each module, and the sums."""
    with (
        tempfile.TemporaryDirectory() as folder,
        camera(write_still_scene(Path(folder) / "still"), RATE, WIDTH, HEIGHT) as address,
    ):
        without = measure_suite(address, seconds, {"MOTION": "off"})
        gated = measure_suite(address, seconds, {"MOTION": "auto"})
        motion = measure_motion(address, seconds)
    print(f"percent of one core, {WIDTH}x{HEIGHT} at {RATE}/s")
    print_row("process", "without", "with gate", "ratio")
    for used in (without, gated):
        used["all"] = sum(used.get(name, 0.0) for name in (*MODULES, "broker"))
    for name in (*MODULES, "broker", "all"):
        if name in without and name in gated:
            print_row(name, without[name], gated[name], gated[name] / max(without[name], 1e-9))
    print_row("motion", "", "not installed" if motion is None else motion)
