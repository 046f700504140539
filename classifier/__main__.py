"""Publishes a prediction for the newest frame of every camera as footfall/<camera>/prediction."""

import logging
import sys
import threading
from contextlib import ExitStack
from functools import partial

from bus import Bus, Frame, InvalidSetting, Prediction, topics
from classifier import InvalidExport, TrialInterrupted
from classifier.export import Export, read_export
from classifier.interpreter import Classifier
from classifier.outputs import MOST_LABELS
from classifier.pipeline import Pipeline
from classifier.runtime import Runtime
from classifier.settings import Settings
from classifier.watch import ModelWatch, stamp_of
from runtime import process
from runtime.address import public_address
from runtime.watchdog import Watchdog

log = logging.getLogger(__name__)

MOST_REQUESTS = 32
"""At once."""
STOP_WAIT = 2.0
"""Seconds in which a signal to the process group has reached this process too."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Classifies until `stop` is set."""
    runtime = Runtime(settings.num_threads, settings.xnnpack, settings.delegate)
    stamp = stamp_of(settings.model)
    if (loaded := _load(settings, runtime, stop)) is None:
        return
    export, classifier = loaded
    bus = Bus(settings)
    bus.metrics.put("runtime", str(runtime))

    def publish(prediction: Prediction) -> None:
        if bus.publish(prediction):
            bus.progressed()

    pipeline = Pipeline(classifier, settings.max_frame_age, bus.metrics, publish, bus.count_and_warn)
    for camera in settings.cameras or ("+",):
        bus.subscribe(topics.frame(camera), Frame, pipeline.offer, settings.share)

    def serve(classifier: Classifier) -> None:
        pipeline.take_over(classifier)
        bus.metrics.put("model", classifier.identity)
        bus.metrics.put("labels", list(classifier.labels[:MOST_LABELS]))
        log.info("serving %s (%s) with %s", classifier.identity, ", ".join(classifier.labels), runtime)

    def refuse(reason: str) -> None:
        bus.state("model-refused" if reason else "running", reason)

    serve(classifier)

    def served() -> dict[str, object]:
        metrics = bus.metrics.snapshot()
        return {key: metrics[key] for key in ("model", "labels", "runtime")}

    with ExitStack() as running:
        if settings.http_port is not None:
            from classifier.web import app_of  # noqa: PLC0415
            from runtime.server import Address, Server  # noqa: PLC0415  # 14 MB that only those pay who want it

            address = Address("HTTP_PORT", settings.http_host, settings.http_port)
            server = Server(app_of(pipeline, served, settings.url_hosts), address, MOST_REQUESTS)
            running.enter_context(server)
            log.info("HTTP on %s:%d", settings.http_host, settings.http_port)
        watch = ModelWatch(settings.model, stamp, export, partial(Classifier, runtime=runtime), serve, refuse)
        for part in (bus, pipeline, watch, Watchdog("the model", lambda: pipeline.stalled)):
            running.enter_context(part)
        bus.state("running")
        stop.wait()


def _load(settings: Settings, runtime: Runtime, stop: threading.Event) -> tuple[Export, Classifier] | None:
    """The model that is set, loaded; None when asked to stop before. Raises `InvalidSetting`."""
    while True:
        try:
            export = read_export(settings.model)
            return export, Classifier(export, runtime)
        except InvalidExport as error:
            raise InvalidSetting(f"MODEL={public_address(str(settings.model))!r}: {error}") from None
        except TrialInterrupted as error:
            if stop.wait(STOP_WAIT):  # the signal that stopped the trial stops this process too
                return None
            log.warning("%s; trying again", error)


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
