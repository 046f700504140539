"""The direct methods that the cloud can call."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.database import OutboxUnavailable
from bridge.sinks.edgehub.observer import NotAnswered, Observer
from bus import Bus, Command, FootfallError, WantedModel
from bus.messages import Name
from runtime.explanation import first_problem

ANSWER_TIMEOUT = 3.0
"""Seconds to wait for another module; the caller waits five."""
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(5000, 12, 31)
_ALLOWED = {"allowed": f"must be a day such as 2026-11-23, from {FIRST_DAY} to {LAST_DAY}"}
_Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, json_schema_extra=_ALLOWED)]


class Answer(NamedTuple):
    """What the caller gets: a status as in HTTP, and a body that is sent as JSON."""

    status: int
    body: dict[str, Any]


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ForCamera(_Nothing):
    camera: Name | None = None


class _ForDay(_ForCamera):
    day: _Day | None = None


Do = Literal["pause", "resume", "snapshot"]


class NotPossible(FootfallError):
    """The request cannot be fulfilled in the current state."""


class Methods:
    """`status`, `counts`, `pause`, `resume`, `snapshot`, `rollback`; may be called from any thread."""

    def __init__(
        self, bus: Bus, observer: Observer, status: Callable[[], dict[str, Any]], timeout: float = ANSWER_TIMEOUT
    ) -> None:
        self._bus = bus
        self._observer = observer
        self._status = status
        self._timeout = timeout
        self._methods: dict[str, tuple[type[_Nothing], Callable[[Any], Answer]]] = {
            "status": (_Nothing, self._answer_status),
            "counts": (_ForDay, self._answer_counts),
            **{do: (_ForCamera, partial(self._command, do)) for do in get_args(Do)},
            "rollback": (_Nothing, self._roll_back),
        }
        """By name, with the kind of payload."""

    def answer(self, name: str, payload: object) -> Answer:
        """Execute a method; an unknown method gives 404, an invalid payload 400."""
        if name not in self._methods:
            return Answer(404, {"error": f"no method {name[:80]!r}; there are {', '.join(self._methods)}"})
        kind, method = self._methods[name]
        try:
            return method(kind.model_validate({} if payload is None else payload))
        except ValidationError as error:
            return Answer(400, {"error": first_problem(kind, error, "payload")[:500]})
        except (NotAnswered, OutboxUnavailable) as error:
            return Answer(503, {"error": str(error)[:500]})
        except FootfallError as error:
            return Answer(409, {"error": str(error)[:500]})

    def _answer_status(self, _payload: _Nothing) -> Answer:
        return Answer(200, self._status())

    def _answer_counts(self, wanted: _ForDay) -> Answer:
        report = self._observer.ask(wanted.day.isoformat() if wanted.day else None, self._timeout)
        names = _select(wanted.camera, sorted({*report.cameras, *self._observer.cameras}))
        cameras = {
            name: {"day": report.day, "totals": one.totals, "visits": one.visits, "counted": one.counted, "demo": one.demo}
            for name, one in report.cameras.items()
            if name in names
        }
        return Answer(200, {"cameras": cameras})

    def _command(self, do: Do, wanted: _ForCamera) -> Answer:
        names = _select(wanted.camera, list(self._observer.cameras))
        sent = [name for name in names if self._bus.publish(Command(name, do))]
        return Answer(200 if sent == names else 503, {"cameras": sent})

    def _roll_back(self, _payload: _Nothing) -> Answer:
        status = self._observer.classifier
        before = status.about.update if status else None
        if before is None or before.previous is None:
            raise NotPossible("there is no earlier model to go back to")
        if not self._bus.publish(WantedModel(rollback=True)):
            raise NotAnswered("there is no connection to the broker")
        if (status := self._observer.wait_for_update(before, self._timeout)) is None:
            raise NotAnswered(f"the classifier has not answered within {self._timeout:g} s; the twin will show the outcome")
        update = status.about.update
        if update is None or update.state not in ("rolled-back", "serving") or update.detail:
            raise NotPossible(update.detail if update and update.detail else "the classifier did not go back")
        return Answer(200, {"model": status.about.model or before.previous})


def _select(wanted: str | None, names: list[str]) -> list[str]:
    if wanted is None:
        return names
    if wanted not in names:
        raise NotPossible(f"no camera {wanted!r} is known; known are {', '.join(names) or 'none'}")
    return [wanted]
