"""Classifies the newest frame of each camera and publishes the prediction as footfall/<camera>/prediction."""

import logging
import sys
import threading
from contextlib import ExitStack

from bus import Bus, Frame, Prediction, Setups, Status, WantedModel, states, topics
from classifier.pipeline import Pipeline
from classifier.recogniser import Recogniser
from classifier.settings import Settings
from classifier.stages import Stages
from runtime import process
from runtime.worker import Worker

log = logging.getLogger(__name__)

MAX_REQUESTS = 32
"""Upper bound of concurrent HTTP requests."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Classifies frames until `stop` is set. Raises `InvalidSetting` if MODEL or DETECTOR cannot be served."""
    bus = Bus(settings)
    setups = Setups(bus)
    stages = Stages(settings, lambda camera: setups[camera].visitors or ())
    recogniser = stages.start()

    def publish(prediction: Prediction) -> None:
        if bus.publish(prediction):
            bus.progressed()

    pipeline = Pipeline(
        recogniser, settings.max_frame_age, bus.metrics, publish, bus.count_and_warn, fast_decode=settings.fast_decode
    )
    about: dict[str, object] = {}

    def serve(recogniser: Recogniser) -> None:
        pipeline.switch(recogniser)
        about.update(
            model=recogniser.identity,
            labels=recogniser.visitor_labels,
            classes=recogniser.classes,
            runtime=recogniser.runtime,
        )
        bus.describe(**about)
        log.info("serving %s; runtime %s", recogniser.description, recogniser.runtime)

    def report_update(update: object) -> None:
        bus.describe(update=update)
        bus.report()

    def report_problem(problem: str) -> None:
        bus.state(states.MODEL_REFUSED if problem else states.RUNNING, problem)

    serve(recogniser)
    bus.describe(update=stages.models.update)
    stages.attach(serve, report_update, report_problem)
    bus.heartbeat.watch("the model", lambda: pipeline.stalled)
    for camera in settings.cameras or ("+",):
        bus.subscribe(topics.frame(camera), Frame, pipeline.submit, settings.share)
    bus.subscribe(topics.wanted_model(), WantedModel, stages.models.on_wanted)
    bus.subscribe(topics.status(), Status, lambda one: bus.progressed() if one.is_still else None)  # no frame is needed
    with ExitStack() as running:
        if settings.http_port is not None:
            from classifier.web import create_app  # noqa: PLC0415
            from runtime.server import Address, Server  # noqa: PLC0415  # 14 MB, needed for HTTP only

            address = Address("HTTP_PORT", settings.http_host, settings.http_port)
            app = create_app(pipeline, lambda: about, settings.url_hosts)
            running.enter_context(Server(app, address, MAX_REQUESTS))
            log.info("HTTP interface: http://%s:%d", settings.http_host, settings.http_port)
        for part in (bus, *pipeline.workers, Worker("models", stages.step)):
            running.enter_context(part)
        bus.state(states.RUNNING)
        process.wait(stop)


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
