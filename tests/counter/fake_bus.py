"""A bus without a broker: keeps what is published, and hands over what a test sends."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bus import Inbox, Message, Summary, Visit
from bus.inbox import Delivery
from runtime.metrics import Metrics

M = TypeVar("M", bound=Message)


class FakeBus:
    """Has the methods of `Bus` that the counter calls."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.connected, self.connection = True, 1
        self.room = 1000
        """How many more messages it takes that are to be acknowledged."""
        self.acknowledges = True
        self.published: list[Message] = []
        self.acknowledgements: list[Callable[[], object]] = []
        self.deliveries: list[Delivery] = []
        """Those of messages that the counter has acknowledged."""
        self.warnings: list[tuple[str, str]] = []
        self.last_state = ("", "")
        self.about: dict[str, Any] = {}
        self.progress = 0
        self.forgotten: list[str] = []
        self.on_cleared: Callable[[str], object] = str
        self._handlers: dict[type[Message], Callable[[Any], object]] = {}
        self.waiting = Inbox(self.deliveries.append)

    def inbox(self, kinds: Mapping[str, type[Message]]) -> Inbox:
        self._kinds = tuple(kinds.values())
        return self.waiting

    def subscribe(
        self, _topic: str, kind: type[M], handler: Callable[[M], object], on_cleared: Callable[[str], object] = str
    ) -> None:
        self._handlers[kind] = handler
        self.on_cleared = on_cleared

    def receive(self, *messages: Message) -> None:
        for one in messages:
            if isinstance(one, self._kinds):
                self.waiting.put(one, Delivery(0, self.connection))
            else:
                self._handlers[type(one)](one)

    def publish(self, message: Message, on_acknowledged: Callable[[], object] | None = None) -> bool:
        message.pack()
        if on_acknowledged is not None:
            if self.room == 0:
                return False
            self.room -= 1
            self.acknowledgements.append(on_acknowledged)
            if self.acknowledges:
                on_acknowledged()
        self.published.append(message)
        return True

    def of(self, kind: type[M]) -> list[M]:
        """What was published of a kind."""
        return [one for one in self.published if isinstance(one, kind)]

    @property
    def results(self) -> list[Visit | Summary]:
        """The visits and summaries that were published."""
        return [one for one in self.published if isinstance(one, Visit | Summary)]

    def count_and_warn(self, metric: str, text: str, _sender: str = "") -> None:
        self.metrics.add(metric)
        self.warnings.append((metric, text))

    def state(self, state: str, detail: str = "") -> None:
        self.last_state = (state, detail)

    def describe(self, **changes: Any) -> None:
        self.about |= changes

    def report(self) -> None:
        pass

    def forget(self, *topics: str) -> None:
        self.forgotten += topics

    def progressed(self) -> None:
        self.progress += 1
