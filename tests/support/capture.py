"""What capture reports and publishes."""

from bus import Frame, Message, Status
from bus.states import CAMERA_LOST
from tests.support.listener import Listener
from tests.support.wait import until


class Reports(list[str]):
    """The states that a reader reports; a loss is replaced by its reason."""

    def __call__(self, state: str, detail: str) -> None:
        self.append(detail if state == CAMERA_LOST else state)


class CameraListener(Listener):
    """Receives frames and statuses of the process of one camera, and publishes messages in place of other modules."""

    def __init__(self, port: int, camera: str) -> None:
        self._status = "status/capture" if camera == "door" else f"status/capture-{camera}"
        super().__init__(port, f"footfall/{camera}/frame", f"footfall/{self._status}")

    @property
    def frames(self) -> list[Frame]:
        return [Frame.unpack(payload) for payload in self.payloads("/frame")]

    @property
    def statuses(self) -> list[Status]:
        return [Status.unpack(payload) for payload in self.payloads(self._status)]

    def wait_for_state(self, state: str, detail: str = "") -> Status:
        """Waits until the newest status has a state, and a detail that contains the text. Returns it."""

        def found() -> Status | None:
            newest = self.statuses[-1:]
            return next((status for status in newest if status.state == state and detail in status.detail), None)

        return until(found, 20, f"{state} {detail}")

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.publish(message.topic, message.pack(), retain=message.RETAINED)
