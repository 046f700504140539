"""The line to the hub is cut for an hour's worth of results."""

import random
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

from tests.faults.fault import Fault
from tests.faults.rig import SPARE, Rig
from tests.support.visitors import INTERVAL, Script, one_visitor
from tests.support.wait import limit, until

HOUR = 3600.0
BATCH = 500
"""Predictions that are published at once."""


class HubCut(Fault):
    """The hub is away while an hour's visits at one camera are counted, one every few seconds. They are played at speed."""

    name = "line to the hub cut for an hour of visits"
    holds = "the results arrive in order"
    cameras = 4

    @contextmanager
    def cause(self, rig: Rig) -> Iterator[None]:
        rig.hub.end()
        script = self._hour(time.time() - HOUR)
        for place in range(0, len(script.frames), BATCH):
            arrived = threading.Event()
            for frame in script.frames[place : place + BATCH]:
                rig.player.publish(frame, arrived.set)
            assert arrived.wait(limit(20)), "the broker did not acknowledge"
        rig.play.truth.visits.extend(script.visits)
        until(lambda: sum(rig.counted().numbers) >= len(script.visits), 60, "the visits counted")
        rig.hub.start()
        yield

    def _hour(self, begin: float) -> Script:
        """Returns an hour of visits, at a camera of its own."""
        script, at, chance = Script([], [], []), begin, random.Random(3)
        while at < begin + HOUR - 60:
            one = one_visitor(chance, SPARE, at, (6, 10), (9, 12))
            script.frames.extend(one.frames)
            script.visits.extend(one.visits)
            at = one.frames[-1].captured_at + INTERVAL
        return script

    def problems(self, rig: Rig) -> Iterable[str]:
        starts = [visit.started_at for visit in rig.sent().visits if visit.camera == SPARE]
        if any(later < earlier for earlier, later in pairwise(starts)):
            yield "the results arrived in another order"


FAULTS: tuple[Fault, ...] = (HubCut(),)
