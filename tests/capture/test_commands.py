"""Commands: what a pause holds back, what a resume begins, and pictures out of turn."""

import threading
import time
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Command, Frame
from bus.states import CAMERA_LOST, PAUSED, RUNNING, STARTING
from capture.commands import Commands, Session
from tests.support import samples
from tests.support.wait import limit, until

Word = Literal["pause", "resume", "snapshot"]


class Camera:
    """Commands, with the states and frames that come of them in one order."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.commands = Commands(self.publish, lambda state, _detail: self.out.append(state))

    def publish(self, _frame: Frame) -> bool:
        time.sleep(0.001)  # in which a pause may come
        self.out.append("frame")
        return True

    def command(self, *words: Word) -> None:
        for word in words:
            self.commands.on_command(Command("door", word))

    @property
    def session(self) -> Session:
        session = self.commands.session(timeout=0)
        assert session
        return session


def test_only_the_current_session_publishes() -> None:
    """A camera is on at first. After a pause no frame or state comes from that session; a resume begins another."""
    camera = Camera()
    before = camera.session
    assert before.publish(samples.frame())
    before.report(RUNNING)
    camera.command("resume")
    assert camera.session is before  # it is on already
    camera.command("pause")
    assert camera.commands.session(timeout=0) is None
    assert before.over
    assert not before.publish(samples.frame())
    camera.command("resume")
    assert camera.session is not before
    assert not before.publish(samples.frame())
    before.report(CAMERA_LOST, "unplugged")  # by a thread that was left behind
    assert camera.session.publish(samples.frame())
    assert camera.out == ["frame", RUNNING, PAUSED, STARTING, "frame"]


@given(st.lists(st.sampled_from(["pause", "resume", "snapshot"])))
def test_repeated_commands_change_nothing(words: list[Word]) -> None:
    """Each pause and each resume that changed something is reported once, and the last one counts."""
    camera = Camera()
    camera.command(*words)
    switches = [word for word in words if word != "snapshot"]
    changes = [word for before, word in zip(["resume", *switches], switches, strict=False) if word != before]
    assert camera.out == [{"pause": PAUSED, "resume": STARTING}[word] for word in changes]
    assert (camera.commands.session(timeout=0) is None) == (["resume", *switches][-1] == "pause")


def test_a_frame_and_a_pause_at_the_same_time() -> None:
    """A frame that is being published is out before the pause is reported, or does not go out."""
    for _ in range(20):
        camera = Camera()
        session = camera.session

        def work(session: Session = session) -> None:
            while not session.over:
                session.publish(samples.frame())

        worker = threading.Thread(target=work)
        worker.start()
        until(lambda camera=camera: camera.out)  # type: ignore[misc]  # bound for the loop
        camera.command("pause")
        worker.join(limit(10))
        assert camera.out.index(PAUSED) == len(camera.out) - 1


def test_a_resume_ends_the_wait_of_a_paused_camera() -> None:
    camera = Camera()
    camera.command("pause")
    got: list[Session | None] = []
    waiter = threading.Thread(target=lambda: got.append(camera.commands.session(timeout=limit(20))))
    waiter.start()
    camera.command("resume")
    waiter.join(limit(10))
    assert got == [camera.session]


@pytest.mark.parametrize(
    ("words", "is_requested", "refusals"),
    [
        ("", False, 0),
        ("snapshot", True, 0),
        ("snapshot snapshot", True, 0),
        ("snapshot pause resume", False, 0),
        ("pause snapshot snapshot resume", False, 1),  # logged once
    ],
)
def test_snapshots(words: str, is_requested: bool, refusals: int, caplog: pytest.LogCaptureFixture) -> None:
    """Requests before a picture are one; a pause cancels them."""
    caplog.set_level("INFO")
    camera = Camera()
    camera.command(*words.split())  # type: ignore[arg-type]
    assert camera.session.take_request() == is_requested
    assert not camera.session.take_request()
    assert [record.message for record in caplog.records] == ["snapshot of a paused camera refused"] * refusals
