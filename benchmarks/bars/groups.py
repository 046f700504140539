"""The figures of the table with their limits, and the measurements that give them: about a minute each."""

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import frame_cost, idle, memory, pipeline, reports, results, start, still, syncs, writes
from benchmarks.bars.bar import Bar, Group, Inputs
from benchmarks.camera import camera
from benchmarks.frames import write_stills
from benchmarks.pipeline import Load, Measurement
from benchmarks.proof.bar import at_least, at_most
from demo.about import MODEL

SECONDS = 15.0
"""Of each measurement, unless it is of another length by its nature."""
STARTS = 3


def _shares(measured: Measurement) -> dict[str, float]:
    return {"share": measured.share, "p50": measured.age(50), "p99": measured.age(99)}


def overload(inputs: Inputs) -> dict[str, float]:
    """Sends more frames than the model can process, and posts one after the other to a Flask server."""
    measured = pipeline.measure(*inputs, Load(), SECONDS)
    posts = pipeline.measure_classic(*inputs, SECONDS / 3)
    return _shares(measured) | {"classic": 1000 / statistics.mean(posts) / measured.bare}


def steady(inputs: Inputs) -> dict[str, float]:
    """Sends fewer frames than the model can process."""
    return _shares(pipeline.measure(*inputs, Load(rate=30.0), SECONDS))


def small(_inputs: Inputs) -> dict[str, float]:
    """Sends the frames of eight cameras to a model that is faster than everything around it."""
    with tempfile.TemporaryDirectory() as folder:
        return _shares(pipeline.measure(MODEL, write_stills(Path(folder) / "stills"), Load(cameras=8, rate=400.0), SECONDS))


def frame(inputs: Inputs) -> dict[str, float]:
    """Measures the CPU time of all programs for a frame, beside a bare loop."""
    loop, suite = frame_cost.measure_loop(*inputs, SECONDS), sum(frame_cost.measure_suite(*inputs, SECONDS).values())
    return {"share": suite / loop.frame, "rest": (suite - loop.invoke) / (loop.frame - loop.invoke)}


def still_scene(_inputs: Inputs) -> dict[str, float]:
    """Shows an empty hall to the suite, and to `motion`."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = still.write_still_scene(Path(name) / "still")
        address = stack.enter_context(camera(folder, still.RATE, still.WIDTH, still.HEIGHT))
        suite = sum(still.measure_suite(address, SECONDS, {"MOTION": "auto"}).values())
        motion = still.measure_motion(address, SECONDS)
    return {"suite": suite} | ({} if motion is None else {"motion": motion, "share": suite / motion})


def paused(_inputs: Inputs) -> dict[str, float]:
    """Pauses the camera of a run."""
    return {"core": sum(idle.measure(SECONDS).values())}


def broker(_inputs: Inputs) -> dict[str, float]:
    """Counts how often both brokers save: while visitors come and go, and while the camera is paused."""
    quiet, busy = syncs.measure(60.0)
    return {"syncs": quiet.syncs, "busy": busy.syncs}


def ledger(_inputs: Inputs) -> dict[str, float]:
    """Publishes predictions as fast as the counter takes them, and ten a second."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = results.measure_counter(Path(folder))
    written, _stored, _state = writes.measure(["classifier"], SECONDS)["classifier"]
    return {"share": statistics.median(counter / plain for plain, counter in pairs), "written": written}


def starting(_inputs: Inputs) -> dict[str, float]:
    """Starts the suite some times, and measures the memory of one run."""
    used = memory.measure(SECONDS)
    together = sum(used.values())
    launcher = used["run"] / (together - used["run"])
    return {"seconds": statistics.median(start.measure(STARTS)), "memory": together, "launcher": launcher}


def reading(_inputs: Inputs) -> dict[str, float]:
    """Fills a ledger with a million visits, and makes the report of a month."""
    month, size = reports.measure_month()
    return {"month": month, "visit": size}


GROUPS = (
    Group(
        "overload",
        overload,
        (
            Bar(
                "overload.share",
                "more frames than the model can process: predictions, share of bare `invoke()`",
                at_least(0.95),
            ),
            Bar("overload.classic", "the same for a POST a frame to a Flask server"),
            Bar("overload.p50", "age of a frame then, p50 in bare inferences", at_most(1.7)),
            Bar("overload.p99", "the same, p99", at_most(2.3)),
        ),
    ),
    Group(
        "steady",
        steady,
        (
            Bar("steady.p50", "age of a frame at 30 a second, p50 in bare inferences", at_most(1.4)),
            Bar("steady.p99", "the same, p99", at_most(2.2)),
        ),
    ),
    Group(
        "small",
        small,
        (
            Bar("small.share", "a small model, 8 cameras, 400 frames a second: share of bare `invoke()`", at_least(0.65)),
            Bar("small.p50", "age of a frame then, p50 in bare inferences"),
        ),
    ),
    Group(
        "frame",
        frame,
        (
            Bar("frame.share", "CPU time of the whole suite for a frame, 10 a second, beside a bare loop", at_most(1.15)),
            Bar("frame.rest", "the same without `invoke()`", at_most(1.8)),
        ),
    ),
    Group(
        "still",
        still_scene,
        (
            Bar("still.share", "CPU time in front of a still scene, 10 frames a second, beside `motion`", at_most(2.0)),
            Bar("still.suite", "the suite's part of a core then", peer_unit="%"),
            Bar("still.motion", "that of `motion`", peer_unit="%"),
        ),
    ),
    Group("paused", paused, (Bar("paused.core", "a paused camera: part of a core", at_most(0.7, "%")),)),
    Group(
        "ledger",
        ledger,
        (
            Bar(
                "ledger.written",
                "bytes that the counter writes for a prediction while somebody is present",
                at_most(1000, "bytes"),
            ),
            Bar("ledger.share", "predictions a second through the ledger, share of a plain subscriber", at_least(0.8)),
        ),
    ),
    Group(
        "broker",
        broker,
        (
            Bar("broker.syncs", "syncs a minute by the brokers while the camera is paused", at_most(1.0)),
            Bar("broker.busy", "the same while visitors come and go"),
        ),
    ),
    Group(
        "start",
        starting,
        (
            Bar("start.seconds", "start of `make run` to the first prediction", at_most(2.8, "s")),
            Bar("start.memory", "memory of all programs with the demo", at_most(220, "MB")),
            Bar("start.launcher", "memory of the launcher, share of the others'", at_most(0.15)),
        ),
    ),
    Group(
        "reports",
        reading,
        (
            Bar("reports.month", "report of a month by hour, of a million visits", at_most(0.5, "s")),
            Bar("reports.visit", "a visit in the ledger, with its indexes", at_most(150, "bytes")),
        ),
    ),
)
"""In the order of the table."""
