"""Publishes a prediction for the newest frame of every camera as footfall/<camera>/prediction."""

import logging
import sys
import threading

from bus import Bus, Frame, InvalidSetting, process, topics
from classifier import InvalidExport
from classifier.export import Export, read_export
from classifier.interpreter import Classifier
from classifier.pipeline import Pipeline
from classifier.runtime import Runtime
from classifier.settings import Settings
from classifier.watch import ModelWatch, stamp_of

log = logging.getLogger(__name__)


def main(settings: Settings, stop: threading.Event) -> None:
    """Classifies until `stop` is set."""
    runtime = Runtime(settings.num_threads, settings.xnnpack, settings.delegate)

    stamp = stamp_of(settings.model)
    try:
        export = read_export(settings.model)
        classifier = Classifier(export, runtime)
    except InvalidExport as error:
        raise InvalidSetting(f"MODEL={str(settings.model)!r}: {error}") from None
    bus = Bus(settings)
    bus.figures.put("runtime", str(runtime))
    pipeline = Pipeline(classifier, settings.max_frame_age, bus.figures, bus.publish, bus.complain)
    for camera in settings.cameras or ("+",):
        bus.subscribe(topics.frame(camera), Frame, pipeline.offer, settings.share)

    def load(export: Export) -> Classifier:
        return Classifier(export, runtime)

    def serve(classifier: Classifier) -> None:
        pipeline.take_over(classifier)
        bus.figures.put("model", classifier.identity)
        log.info("serving %s (%s) with %s", classifier.identity, ", ".join(classifier.labels), runtime)

    def refuse(reason: str) -> None:
        bus.state("model-refused" if reason else "running", reason)

    serve(classifier)
    with bus, pipeline, ModelWatch(settings.model, stamp, export, load, serve, refuse):
        bus.state("running")
        stop.wait()


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
