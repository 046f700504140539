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
from benchmarks.programs import Program
from benchmarks.suite import MODULES, measure_cpu, running_suite
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


def measure_suite(address: str, seconds: float, settings: Mapping[str, str]) -> dict[str, float]:
    """Returns the CPU time of each kind of process of a run, in percent of one core."""
    with running_suite(MODEL=DETECTOR, VIDEO_PATH=address, FRAME_RATE=RATE, **settings) as suite:
        time.sleep(WARM_UP)
        return measure_cpu(suite.process, seconds)


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
            return sum(measure_cpu(psutil.Process(motion.pid), seconds).values())


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
