"""The size of what leaves a shop, of a ledger, and what a message costs a broker: the inputs of docs/scale.md."""

import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import psutil
from paho.mqtt import client as mqtt

from benchmarks.programs import Broker, Listener
from benchmarks.reports import BATCH, visitors
from benchmarks.tables import print_row
from bridge.results import Result, from_crossing, from_summary, from_visit
from bus import Crossing, Direction, Summary, Visit
from bus.results import ZoneTotals
from counter.changes import Changes
from counter.ledger import Ledger
from runtime.metrics import Metrics

VISITS = 50_000
MESSAGES = 50_000
WINDOW = 100
"""Messages that the publisher sends before it waits for their acknowledgements."""
TOPIC = "shops/berlin-1/door/visit"


def identified(number: int) -> Iterator[tuple[Crossing, Visit]]:
    """Yields visits of one camera, each with its crossing, with ids as long as the counter's."""
    for crossing, visit in visitors(number):
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, visit.id))
        yield (
            replace(crossing, id=str(uuid.uuid5(uuid.NAMESPACE_OID, crossing.id)), visit=name, line="entrance"),
            replace(visit, id=name, zones={"till": 12.512}, peak=0.98765),
        )


def summary() -> Summary:
    """Returns the summary of an hour of a camera with a line, a zone and two labels."""
    visits = {"man": 12, "woman": 18}
    crossings: dict[str, dict[Direction, dict[str, int]]] = {"entrance": {"in": dict(visits), "out": dict(visits)}}
    zones = {"till": ZoneTotals({"man": 5, "woman": 8}, 312.5)}
    return Summary(str(uuid.uuid4()), "door", "2026-11-23", "12", 1795435200.0, 1795438800.0, visits, False, crossings, zones)


def metered(result: Result) -> int:
    """Returns the bytes of a message that IoT Hub counts: body, and names and values of its properties."""
    system = len(result.id) + len("application/json") + len("utf-8")
    return len(result.body.encode()) + system + sum(len(name) + len(value.encode()) for name, value in result.properties.items())


def ledger_bytes(folder: Path) -> float:
    """Returns the bytes on the disk of a visit with its crossing, with the ledger's indexes."""
    with closing(Ledger(folder, Metrics())) as ledger:
        found, done = identified(VISITS), 0
        while some := [one for both in islice(found, BATCH) for one in both]:
            ledger.commit(Changes(results=[*some]))
            ledger.mark_published(range(done + 1, done + len(some) + 1))
            done += len(some)
    return sum(path.stat().st_size for path in folder.glob("ledger.db*")) / VISITS


def broker_cpu(body: bytes) -> tuple[float, float]:
    """Returns the microseconds of CPU of a Mosquitto for a message at QoS 1 to one subscriber, and the messages a second."""
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker, Listener(broker.port, "shops/#") as listener:
        process = psutil.Process(broker.pid)
        publisher = mqtt.Client()
        publisher.max_inflight_messages_set(WINDOW)
        publisher.connect("127.0.0.1", broker.port)
        publisher.loop_start()
        before, begin = sum(process.cpu_times()[:2]), time.monotonic()
        for start in range(0, MESSAGES, WINDOW):
            sent = [publisher.publish(TOPIC, body, 1) for _ in range(start, start + WINDOW)]
            sent[-1].wait_for_publish(10)
        listener.wait_for("/visit", MESSAGES)
        used, elapsed = sum(process.cpu_times()[:2]) - before, time.monotonic() - begin
        publisher.disconnect()
        publisher.loop_stop()
    return used / MESSAGES * 1e6, MESSAGES / elapsed


def report() -> None:
    """Prints the sizes and the cost."""
    crossing, visit = next(identified(1))
    print_row("bytes", "body", "IoT Hub counts")
    results = {"visit": from_visit(visit), "crossing": from_crossing(crossing), "summary": from_summary(summary())}
    for name, result in results.items():
        print_row(name, len(result.body.encode()), metered(result))
    with tempfile.TemporaryDirectory() as folder:
        print(f"ledger: {ledger_bytes(Path(folder)):.0f} bytes for a visit with its crossing")
    cpu, rate = broker_cpu(results["visit"].body.encode())
    print(f"broker: {cpu:.0f} us of CPU for a message at QoS 1 to one subscriber, at {rate:.0f} messages a second")


if __name__ == "__main__":
    report()
