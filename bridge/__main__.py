"""Makes visits of predictions, counts them, and sends them upstream."""

import sys
import threading

from bridge.edgehub import EdgeHubUpstream
from bridge.settings import Settings
from bridge.site import Site
from bridge.upstream import LogUpstream, Upstream
from bridge.visits import Rules
from bus import Bus, CurrentLabel, Prediction, process, topics
from bus.figures import Figures

LOOK_EVERY = 1.0
"""Seconds."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Counts until `stop` is set."""
    bus = Bus(settings, persistent=True)
    upstream = _upstream(settings, bus.figures)
    rules = Rules(settings.threshold, settings.visit_frames, settings.visit_gap_seconds, settings.is_background)
    site = Site(rules, bus.publish, upstream.send, bus.complain)
    bus.subscribe(topics.prediction(), Prediction, site.take_in)
    bus.subscribe(topics.label(), CurrentLabel, site.remember)
    with upstream, bus:
        bus.state("running")
        while not stop.wait(LOOK_EVERY):
            site.look(bus.connected)
        site.close()


def _upstream(settings: Settings, figures: Figures) -> Upstream:
    return EdgeHubUpstream(figures) if settings.goes_to_edgehub else LogUpstream()


if __name__ == "__main__":
    sys.exit(process.run(main, Settings, __doc__ or ""))
