"""Makes visits of predictions, keeps and counts them, and sends what is selected upstream."""

import threading
from contextlib import ExitStack, closing
from pathlib import Path

from bridge.cloud.control import Control
from bridge.cloud.edgehub import EdgeHubUpstream
from bridge.lines import Lines
from bridge.settings import Settings
from bridge.upstream import LogUpstream, Sender, Upstream, as_json
from bus import Bus
from classifier.model.store import ModelStore
from classifier.model.updates import ModelUpdates
from counter.answers import Answers
from counter.counting import Counting
from counter.ledger import Ledger
from counter.site import Site
from runtime import process


def main(settings: Settings, stop: threading.Event) -> None:
    """Counts until `stop` is set."""
    bus = Bus(settings, persistent=True)
    site = Site(settings.rules, settings.policy, bus.count_and_warn)
    with closing(Ledger(settings.state_dir, settings.outbox_max, bus.metrics)) as ledger, ExitStack() as running:
        counting = Counting(bus, site, ledger, settings.keep_days, stop)
        answers = Answers(bus, ledger, lambda: list(site.cameras))
        upstream: Upstream = LogUpstream(as_json if settings.log_results == "json" else Lines(ledger).line)
        control = None
        if settings.goes_to_edgehub:
            control = Control(bus, site, ledger, _models(settings.model_store, running))
            upstream = EdgeHubUpstream(control, bus.metrics)
        running.enter_context(bus)
        running.enter_context(answers)
        if counting.begin():
            if control is not None:
                control.recall()
            running.enter_context(Sender(ledger, upstream, bus.metrics))
            counting.run()


def _models(folder: Path | None, running: ExitStack) -> ModelUpdates | None:
    return None if folder is None else running.enter_context(ModelUpdates(ModelStore(folder)))


if __name__ == "__main__":
    process.end(process.run(main, Settings, __doc__ or ""))  # the Azure library may wait for a frozen edgeHub at the end
