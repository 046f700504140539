"""What the cloud can call."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cloud.methods import Methods, NotPossible
from bus import Command
from counter.database import LedgerUnavailable
from tests.support.values import anything


class Setup:
    """Methods whose deeds are kept."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.days: list[date | None] = []
        self.is_full = False
        self.methods = Methods(lambda: {"version": "1"}, lambda: ["back", "door"], self._counts, self._command, self._rollback)

    def _counts(self, camera: str, day: date | None) -> dict[str, Any]:
        self.days.append(day)
        return {"totals": {camera: 1}}

    def _command(self, command: Command) -> bool:
        self.commands.append(command)
        return not self.is_full

    def _rollback(self) -> str:
        raise NotPossible("there is no model to go back to")


@pytest.fixture
def setup() -> Setup:
    """Fresh ones."""
    return Setup()


def test_status_and_counts(setup: Setup) -> None:
    """Of all cameras or of one, of today or of a day."""
    assert setup.methods.answer("status", None) == (200, {"version": "1"})
    assert setup.methods.answer("counts", {}) == (
        200,
        {"cameras": {"back": {"totals": {"back": 1}}, "door": {"totals": {"door": 1}}}},
    )
    assert setup.methods.answer("counts", {"camera": "door", "day": "2026-11-01"})[0] == 200
    assert setup.days == [None, None, date(2026, 11, 1)]


def test_pause_and_resume(setup: Setup) -> None:
    """Are commands to the cameras."""
    assert setup.methods.answer("pause", None) == (200, {"cameras": ["back", "door"]})
    assert setup.methods.answer("resume", {"camera": "door"}) == (200, {"cameras": ["door"]})
    assert setup.commands == [Command("back", "pause"), Command("door", "pause"), Command("door", "resume")]
    setup.is_full = True
    assert setup.methods.answer("pause", None)[0] == 503


@pytest.mark.parametrize(
    ("name", "payload", "status", "reason"),
    [
        ("reboot", None, 404, "there are status, counts, pause, resume, rollback"),
        ("", None, 404, "no method ''"),
        ("counts", {"day": "yesterday"}, 400, "day"),
        ("counts", {"day": "0001-01-01"}, 400, "day"),
        ("counts", {"day": "9999-12-31"}, 400, "day"),
        ("counts", {"dya": "2026-11-01"}, 400, "dya"),
        ("counts", [1], 400, "payload"),
        ("status", "now", 400, "payload"),
        ("pause", {"camera": "../door"}, 400, "camera"),
        ("pause", {"camera": "window"}, 409, "known are back, door"),
        ("rollback", None, 409, "no model to go back to"),
    ],
)
def test_what_cannot_be_done_is_a_4xx_with_the_reason(setup: Setup, name: str, payload: object, status: int, reason: str) -> None:
    """The caller learns what was wrong; nothing is done."""
    answer = setup.methods.answer(name, payload)
    assert answer.status == status
    assert reason in answer.body["error"]
    assert not setup.commands


def test_a_ledger_that_cannot_be_read_is_a_503(setup: Setup) -> None:
    """It is nobody's fault, and may be asked again."""

    def fail(_camera: str, _day: date | None) -> dict[str, Any]:
        raise LedgerUnavailable("locked")

    setup.methods._counts = fail
    assert setup.methods.answer("counts", None) == (503, {"error": "locked"})


@given(name=st.sampled_from(["status", "counts", "pause", "resume", "rollback", "x"]), payload=anything)
def test_any_payload_is_answered(name: str, payload: object) -> None:
    """With a status, whatever is sent."""
    assert Setup().methods.answer(name, payload).status in (200, 400, 404, 409)
