"""What the counter does with messages and questions, with its ledger; and the saved state of a camera."""

import json
import logging
import random
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from typing_extensions import Self

from bus import About, Box, Command, CurrentLabel, Detection, InvalidMessage, Label, Message, Question, Setup, Status, topics
from bus import metric_names as names
from bus.decoding import decode_json
from counter.answers import Answers
from counter.batch import Batch
from counter.changes import Changes
from counter.hours import Calendar
from counter.query import parse_query
from counter.registry import CameraRegistry
from counter.reports import Reports
from tests.counter.shop import NOON, RULES, UTC, OfflineBus, Shop, crossing, open_ledger, scripted, visit
from tests.fuzz.documents import mutate_json, mutate_msgpack
from tests.fuzz.target import FULL_RUN, Parse, Target, plain
from tests.support import samples
from tests.support.mutation import mutate

FRESH_AFTER = 5000
"""Messages after which a new counter begins, so that its ledger stays small."""
PARAMETERS: list[dict[str, str]] = [
    {"from": "2026-09-01", "to": "2026-11", "by": "hour", "before": "yes"},
    {"from": "2026-W39", "by": "weekday-hour", "table": "crossings", "line": "entrance", "direction": "in,out"},
    {"from": "2026-09-21T00:00", "to": "2026-09-22T00:00:30+02:00", "by": "quarter", "table": "zones", "zone": "till"},
    {"open": "Mo-Sa 09:00-18:30", "from": "2026-09"},
    {"by": "year", "from": "1999", "camera": "door,back", "label": "woman", "before": "month"},
    {"by": "day", "from": "2026", "cursor": "1767225600.0~1798761600.0~door~r~1767225600.0"},
]
QUESTIONS = [Question("desk", "7", "2026-09-21"), Question("desk"), *(Question("desk", query=one) for one in PARAMETERS)]
BERLIN = Calendar("Europe/Berlin")
PERSON = Label("person", 0.9)


def messages() -> list[Message]:
    """Returns messages that the counter receives: of visits, of crossings and of what people ask for."""
    paused = Status("capture", "paused", NOON, NOON, about=About("door"))
    walking = [
        replace(
            samples.prediction(captured_at=NOON + 10 + number / 5),
            labels=(),
            detections=(Detection(Box(0.4, 0.1 * number, 0.2, 0.2), 0.9, (PERSON,)),),
        )
        for number in range(8)
    ]
    return [
        *scripted("nnwwwwwwwnnnnnnnnnnnnn")[::3],
        *walking,
        samples.detected(PERSON, None, captured_at=NOON + 20, camera="back"),
        *(replace(paused, state=state) for state in ("paused", "ended", "running", "offline")),
        Status("classifier", "running", NOON, NOON, about=About(model="shop@0123")),
        *(samples.setup(), Setup("door"), Setup("back")),
        *(Command("door", "pause"), Command("door", "resume")),
        *(CurrentLabel("door", None, None, None), CurrentLabel("gone", "woman", 0.9, NOON)),
    ]


class Receiver:
    """A counter that receives messages, a tenth of a second apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = 0

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._shop.close()

    def _open(self) -> None:
        self._shop, self._left = Shop(self._folder), FRESH_AFTER

    def receive(self, content: bytes) -> None:
        """Receives a topic, a line break and a payload. Raises `InvalidMessage` if that is refused."""
        topic, _, payload = content.partition(b"\n")
        if self._left == 0:
            self._shop.close()
            for path in self._folder.iterdir():
                path.unlink()
            self._open()
        self._left -= 1
        bus = self._shop.bus
        refused = bus.metrics.snapshot().get(names.INVALID)
        bus.deliver(topic.decode("utf-8", "replace"), payload, qos=1)
        self._shop.step(0.1)
        for kept in (bus.published, bus.acknowledgements, bus.deliveries, bus.forgotten):
            kept.clear()
        bus.room = 1000
        if bus.metrics.snapshot().get(names.INVALID) != refused:
            raise InvalidMessage("refused")


@contextmanager
def counting() -> Iterator[Parse]:
    """Gives a function that lets a counter receive a message. An error in it is logged with its traceback, and so found."""
    logging.getLogger("counter").setLevel(logging.DEBUG)
    with tempfile.TemporaryDirectory() as folder, Receiver(Path(folder)) as receiver:
        yield receiver.receive


def mutate_message(content: bytes, rng: random.Random, pieces: Sequence[bytes], limit: int) -> bytes:
    """Changes the payload, and sometimes the topic."""
    topic, _, payload = content.partition(b"\n")
    if rng.random() < 0.05:
        return mutate(content, rng, pieces, limit)
    change = mutate_msgpack if topic.endswith(b"/prediction") else mutate_json
    return (topic + b"\n" + change(payload, rng, pieces, limit))[:limit]


@contextmanager
def answering() -> Iterator[Parse]:
    """Gives a function that answers a question, from a ledger with a few visits."""
    logging.getLogger("counter").setLevel(logging.DEBUG)
    with tempfile.TemporaryDirectory() as folder, closing(open_ledger(Path(folder))) as ledger:
        ledger.commit(Changes(results=[visit(number, camera=camera) for number in range(50) for camera in ("door", "back")]))
        ledger.commit(Changes(results=[crossing(visit(number)) for number in range(50)]))
        answers = Answers(OfflineBus([]), Reports(ledger, BERLIN), lambda: ["door", "side"], "Mo-Su 09:00-17:00")

        def answer(payload: bytes) -> None:
            found = answers.answer(Question.from_topic(topics.question("desk"), payload))
            with suppress(InvalidMessage):  # an answer that is too large; the asker is told so
                found.pack()
            if found.problem:
                raise InvalidMessage(found.problem)

        yield answer


@contextmanager
def restoring() -> Iterator[Parse]:
    """Gives a function that restores a camera from its saved state, and counts a frame."""

    def restore(content: bytes) -> None:
        refused: list[str] = []
        registry = CameraRegistry(RULES, UTC, lambda _metric, text, _sender: refused.append(text))
        registry.restore({"door": content.decode("utf-8", "replace")}, NOON)
        registry.process(FRAME, batch := Batch())
        registry.apply_timeouts(True, batch)
        registry.complete_hours()
        batch.observe()
        batch.finish()
        for problem in refused:
            raise InvalidMessage(problem)

    yield restore


@contextmanager
def unpacking() -> Iterator[Parse]:
    """Gives a function that restores a camera from a state with these packed tracks."""
    with restoring() as restore:
        yield lambda content: restore(STATE % b64encode(content))


def tracks() -> list[bytes]:
    """Returns the packed tracks in saved states."""
    found = (json.loads(one)["visitors"]["tracks"] for one in states())
    return sorted({b64decode(one) for one in found if one}, key=len)


STATE = (
    b'{"visitors": {"tracks": "%s", "by_tracks": true}, "setup": ' + json.dumps(samples.setup().pack().decode()).encode() + b"}"
)


def queries() -> list[bytes]:
    """Returns parameters of reports."""
    return [json.dumps(one).encode() for one in PARAMETERS]


def parse_parameters(content: bytes) -> None:
    """Parses the parameters of a report."""
    try:
        given = decode_json(content)
    except ValueError:
        raise InvalidMessage("not JSON") from None
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise InvalidMessage("parameters are texts")
    parse_query(given, BERLIN, NOON, "Mo-Su 09:00-17:00")


def states() -> list[bytes]:
    """Returns saved states of cameras with and without visitors."""
    with tempfile.TemporaryDirectory() as folder, closing(Shop(Path(folder))) as shop:
        found = []
        for message in messages():
            shop.receive(message)
            found += [one.encode() for one in shop.ledger.states().values()]
        return sorted(set(found), key=len)[::3]


FRAME = samples.detected(PERSON, captured_at=NOON + 60)
TARGETS = [
    Target(
        "counter.message",
        lambda: [one.topic.encode() + b"\n" + one.pack() for one in messages()],
        counting,
        mutate=mutate_message,
    ),
    Target("counter.query", queries, plain(parse_parameters), mutate=mutate_json),
    Target("counter.question", lambda: [one.pack() for one in QUESTIONS], answering, mutate=mutate_json, inputs=100_000),
    Target("counter.state", states, restoring, mutate=mutate_json, inputs=FULL_RUN // 2),
    Target("counter.tracks", tracks, unpacking, mutate=mutate_msgpack, inputs=FULL_RUN // 2),
]
