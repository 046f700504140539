"""Commands: what a pause keeps in, what a resume begins, and pictures out of turn."""

import threading
import time
from collections.abc import Generator
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Command, Frame
from capture.commands import Commands, Session
from capture.reader import Reader
from capture.source import Picture, SourceLost
from tests.support import samples, videos
from tests.support.wait import limit, until

Word = Literal["pause", "resume", "snapshot"]


class Camera:
    """Commands whose words and frames are kept, in one order."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.commands = Commands(self.publish, lambda state, detail: self.out.append(state))

    def publish(self, frame: Frame) -> bool:
        """Takes a moment, in which a pause may come."""
        time.sleep(0.001)
        self.out.append("frame")
        return True

    def obey(self, *words: Word) -> None:
        """Commands it these, one after the other."""
        for word in words:
            self.commands.obey(Command("door", word))

    @property
    def session(self) -> Session:
        """The one that is on."""
        session = self.commands.session(timeout=0)
        assert session
        return session


def test_a_camera_is_on_at_first() -> None:
    """At the start it is not paused, and says nothing of its own; what is published and told goes through."""
    camera = Camera()
    assert camera.session.publish(samples.frame())
    camera.session.tell("running", "")
    assert camera.out == ["frame", "running"]


def test_nothing_comes_out_of_a_paused_camera() -> None:
    """After a pause no frame goes out of the session before, and its state is not told, whoever still works for it."""
    camera = Camera()
    before = camera.session
    camera.obey("pause")
    assert before.over
    assert not before.publish(samples.frame())
    before.tell("camera-lost", "unplugged")
    assert camera.commands.session(timeout=0) is None
    camera.obey("resume")
    assert not before.publish(samples.frame())
    before.tell("running", "")
    assert camera.out == ["paused", "starting"]


def test_a_resume_begins_a_session_of_its_own() -> None:
    """The camera is opened anew even when pause and resume come at once."""
    camera = Camera()
    before = camera.session
    camera.obey("pause", "resume")
    assert camera.session is not before
    assert not camera.session.over
    assert camera.session.publish(samples.frame())


@given(st.lists(st.sampled_from(["pause", "resume", "snapshot"])))
def test_repeated_commands_change_nothing(words: list[Word]) -> None:
    """Whatever is commanded, each pause and each resume that changed something is told once, and the last one counts."""
    camera = Camera()
    camera.obey(*words)
    switches = [word for word in words if word != "snapshot"]
    changes = [word for before, word in zip(["resume", *switches], switches, strict=False) if word != before]
    assert camera.out == [{"pause": "paused", "resume": "starting"}[word] for word in changes]
    assert (camera.commands.session(timeout=0) is None) == (["resume", *switches][-1] == "pause")


def test_a_resume_repeated_leaves_the_session() -> None:
    """A camera that is on is not opened again."""
    camera = Camera()
    before = camera.session
    camera.obey("resume")
    assert camera.session is before
    assert not before.over


def test_a_frame_and_a_pause_at_the_same_time() -> None:
    """A frame that is on its way out is before the word that the camera is paused, or does not go out."""
    for _ in range(20):
        camera = Camera()
        session = camera.session

        def work(session: Session = session) -> None:
            while not session.over:
                session.publish(samples.frame())

        worker = threading.Thread(target=work)
        worker.start()
        until(lambda camera=camera: camera.out)  # type: ignore[misc]  # bound for the loop
        camera.obey("pause")
        worker.join(limit(10))
        assert camera.out.index("paused") == len(camera.out) - 1


def test_who_waits_while_paused_is_woken_by_the_resume() -> None:
    """A resume is seen at once, not at the end of the wait."""
    camera = Camera()
    camera.obey("pause")
    got: list[Session | None] = []
    waiter = threading.Thread(target=lambda: got.append(camera.commands.session(timeout=limit(20))))
    waiter.start()
    camera.obey("resume")
    waiter.join(limit(10))
    assert got == [camera.session]


def test_a_snapshot_is_asked_for_once() -> None:
    """Each one asks for one picture; two that come before a picture are one."""
    camera = Camera()
    assert not camera.session.asked()
    camera.obey("snapshot", "snapshot")
    assert camera.session.asked()
    assert not camera.session.asked()
    camera.obey("snapshot")
    assert camera.session.asked()


def test_a_snapshot_of_a_paused_camera_is_logged_only(caplog: pytest.LogCaptureFixture) -> None:
    """It is not taken, nor made up for after the resume; asked for often, it is said once."""
    caplog.set_level("INFO")
    camera = Camera()
    camera.obey("pause", "snapshot", "snapshot", "resume")
    assert not camera.session.asked()
    assert [record.message for record in caplog.records] == ["a snapshot of a paused camera was asked for, and not taken"]


def test_a_pause_forgets_the_snapshot_before_it() -> None:
    """What was asked for and did not come before the pause does not come after the resume."""
    camera = Camera()
    camera.obey("snapshot", "pause", "resume")
    assert not camera.session.asked()


def test_a_camera_that_hangs_does_not_speak_up_while_paused() -> None:
    """Lost long after the pause, in a thread that was left behind, it stays paused."""
    release, ended = threading.Event(), threading.Event()

    class Hanging:
        def pictures(self) -> Generator[Picture, None, None]:
            try:
                yield videos.numbered(0)
                release.wait(limit(30))
                raise SourceLost("it stopped giving pictures")
            finally:
                ended.set()

    camera = Camera()
    with Reader(Hanging(), camera.session.tell) as reader:
        until(lambda: reader.take(0.1))
        camera.obey("pause")
    release.set()
    until(ended.is_set)
    reader._thread.join(limit(10))
    assert camera.out == ["running", "paused"]
