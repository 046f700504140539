"""The direct methods that the cloud can call."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bus import Command, FootfallError
from bus.messages import Name
from counter import hours
from counter.database import LedgerUnavailable
from runtime.explanation import first_problem


class Answer(NamedTuple):
    """What the caller gets: a status as HTTP has them, and what is sent as JSON."""

    status: int
    body: dict[str, Any]


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ForCamera(_Nothing):
    camera: Name | None = None


class _ForDay(_ForCamera):
    day: hours.Day | None = None


_PAYLOADS: dict[str, type[_Nothing]] = {"counts": _ForDay, "pause": _ForCamera, "resume": _ForCamera}
"""What the methods take that take something."""

W = TypeVar("W", bound=_Nothing)


class NotPossible(FootfallError):
    """What is asked for cannot be done as things are."""


class Methods:
    """`status`, `counts`, `pause`, `resume`, `rollback`; what they do comes from outside, from any thread."""

    def __init__(
        self,
        status: Callable[[], dict[str, Any]],
        cameras: Callable[[], list[str]],
        counts: Callable[[str, date | None], Mapping[str, Any]],
        command: Callable[[Command], bool],
        rollback: Callable[[], str],
    ) -> None:
        self._status = status
        self._cameras = cameras
        self._counts = counts
        self._command = command
        self._rollback = rollback

    def answer(self, name: str, payload: object) -> Answer:
        """Does what is asked; a method that there is not is 404, a payload that is not its own 400."""
        methods: dict[str, Callable[[object], Answer]] = {
            "status": self._tell_status,
            "counts": self._tell_counts,
            "pause": lambda payload: self._tell(payload, "pause"),
            "resume": lambda payload: self._tell(payload, "resume"),
            "rollback": self._turn_back,
        }
        if name not in methods:
            return Answer(404, {"error": f"no method {name[:80]!r}; there are {', '.join(methods)}"})
        try:
            return methods[name](payload)
        except ValidationError as error:
            return Answer(400, {"error": first_problem(_PAYLOADS.get(name, _Nothing), error, "payload")[:500]})
        except LedgerUnavailable as error:
            return Answer(503, {"error": str(error)[:500]})
        except FootfallError as error:
            return Answer(409, {"error": str(error)[:500]})

    def _tell_status(self, payload: object) -> Answer:
        _parsed(_Nothing, payload)
        return Answer(200, self._status())

    def _tell_counts(self, payload: object) -> Answer:
        wanted = _parsed(_ForDay, payload)
        return Answer(200, {"cameras": {name: self._counts(name, wanted.day) for name in self._of(wanted)}})

    def _tell(self, payload: object, do: Literal["pause", "resume"]) -> Answer:
        names = self._of(_parsed(_ForCamera, payload))
        sent = [name for name in names if self._command(Command(name, do))]
        return Answer(200 if sent == names else 503, {"cameras": sent})

    def _turn_back(self, payload: object) -> Answer:
        _parsed(_Nothing, payload)
        return Answer(200, {"model": self._rollback()})

    def _of(self, wanted: _ForCamera) -> list[str]:
        names = self._cameras()
        if wanted.camera is None:
            return names
        if wanted.camera not in names:
            raise NotPossible(f"no camera {wanted.camera!r} is known; known are {', '.join(names) or 'none'}")
        return [wanted.camera]


def _parsed(kind: type[W], payload: object) -> W:
    """No payload is an empty one. Raises pydantic's `ValidationError`."""
    return kind.model_validate({} if payload is None else payload)
