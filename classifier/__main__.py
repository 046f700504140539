"""Publishes a prediction for the newest frame of every camera as footfall/<camera>/prediction."""

import logging
import sys
import threading

from bus import Bus, Frame, InvalidSetting, process, topics
from classifier import InvalidExport
from classifier.export import read_export
from classifier.interpreter import Classifier
from classifier.pipeline import Pipeline
from classifier.runtime import Runtime
from classifier.settings import Settings

log = logging.getLogger(__name__)


def main(settings: Settings, stop: threading.Event) -> None:
    """Classifies until `stop` is set."""
    runtime = Runtime(settings.num_threads, settings.xnnpack, settings.delegate)
    try:
        export = read_export(settings.model)
        classifier = Classifier(export, runtime)
    except InvalidExport as error:
        raise InvalidSetting(f"MODEL={str(settings.model)!r}: {error}") from None
    log.info("serving %s (%s) with %s", export.identity, ", ".join(export.labels), runtime)
    bus = Bus(settings)
    bus.figures.put("model", export.identity)
    bus.figures.put("runtime", str(runtime))
    pipeline = Pipeline(classifier, settings.max_frame_age, bus.figures, bus.publish, bus.complain)
    bus.subscribe(topics.frame(), Frame, pipeline.offer)
    with bus, pipeline:
        bus.state("running")
        stop.wait()


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
