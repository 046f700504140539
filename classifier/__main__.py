"""Classifies the newest frame of each camera and publishes the prediction as footfall/<camera>/prediction."""

import logging
import sys
import threading
from contextlib import ExitStack
from functools import partial

from bus import Bus, Frame, InvalidSetting, Prediction, WantedModel, states, topics
from classifier import InvalidExport
from classifier.backends import Options
from classifier.decoders import MAX_LABELS
from classifier.interpreter import Classifier
from classifier.models import ModelManager
from classifier.person import resolve
from classifier.pipeline import Pipeline
from classifier.settings import Settings
from classifier.store import ModelStore
from runtime import process
from runtime.address import public_address
from runtime.worker import Worker

log = logging.getLogger(__name__)

MAX_REQUESTS = 32
"""Upper bound of concurrent HTTP requests."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Classifies frames until `stop` is set. Raises `InvalidSetting` if MODEL cannot be served."""
    options = Options(settings.num_threads, settings.xnnpack, settings.delegate)
    models = ModelManager(resolve(settings.model), ModelStore(settings.state_dir), partial(Classifier, options=options))
    try:
        classifier = models.start()
    except InvalidExport as error:
        raise InvalidSetting(f"MODEL={public_address(str(settings.model))!r}: {error}") from None
    bus = Bus(settings)

    def publish(prediction: Prediction) -> None:
        if bus.publish(prediction):
            bus.progressed()

    pipeline = Pipeline(classifier, settings.max_frame_age, bus.metrics, publish, bus.count_and_warn)
    about: dict[str, object] = {}

    def serve(classifier: Classifier) -> None:
        pipeline.switch(classifier)
        labels = tuple(classifier.labels[:MAX_LABELS])
        about.update(model=classifier.identity, labels=labels, runtime=classifier.runtime)
        bus.describe(**about)
        log.info("serving %s: labels %s; runtime %s", classifier.identity, ", ".join(classifier.labels), classifier.runtime)

    def report_update(update: object) -> None:
        bus.describe(update=update)
        bus.report()

    def report_problem(problem: str) -> None:
        bus.state(states.MODEL_REFUSED if problem else states.RUNNING, problem)

    serve(classifier)
    bus.describe(update=models.update)
    models.attach(serve, report_update, report_problem)
    bus.heartbeat.watch("the model", lambda: pipeline.stalled)
    for camera in settings.cameras or ("+",):
        bus.subscribe(topics.frame(camera), Frame, pipeline.submit, settings.share)
    bus.subscribe(topics.wanted_model(), WantedModel, models.on_wanted)
    with ExitStack() as running:
        if settings.http_port is not None:
            from classifier.web import create_app  # noqa: PLC0415
            from runtime.server import Address, Server  # noqa: PLC0415  # 14 MB, needed for HTTP only

            address = Address("HTTP_PORT", settings.http_host, settings.http_port)
            app = create_app(pipeline, lambda: about, settings.url_hosts)
            running.enter_context(Server(app, address, MAX_REQUESTS))
            log.info("HTTP interface: http://%s:%d", settings.http_host, settings.http_port)
        for part in (bus, *pipeline.workers, Worker("models", models.step)):
            running.enter_context(part)
        bus.state(states.RUNNING)
        stop.wait()


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
