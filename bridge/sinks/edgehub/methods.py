"""The direct methods that the cloud can call."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.database import OutboxUnavailable
from bridge.sinks.edgehub.observer import NotAnswered, Observer
from bus import Bus, Command, FootfallError, WantedModel
from bus.fields import Name
from runtime.explanation import first_problem

REPLY_TIMEOUT = 3.0
"""Seconds to wait for another module; the cloud waits five seconds for the response."""
MAX_RESPONSE = 128 * 1024
"""Maximum size of a response in bytes, from "Understand and invoke direct methods from IoT Hub"."""
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(5000, 12, 31)
_ALLOWED = {"allowed": f"must be a day such as 2026-11-23, from {FIRST_DAY} to {LAST_DAY}"}
_Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, json_schema_extra=_ALLOWED)]


class Response(NamedTuple):
    """The response to a direct method: an HTTP status code and a body, which is sent as JSON."""

    status: int
    body: dict[str, Any]


class _NoPayload(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _CameraPayload(_NoPayload):
    camera: Name | None = None


class _CountsPayload(_CameraPayload):
    day: _Day | None = None


_Action = Literal["pause", "resume", "snapshot"]


class NotPossible(FootfallError):
    """Raised when a method cannot be executed in the current state."""


class Methods:
    """The direct methods `status`, `counts`, `occupancy`, `pause`, `resume`, `snapshot` and `rollback`. Thread-safe."""

    def __init__(
        self, bus: Bus, observer: Observer, read_status: Callable[[], dict[str, Any]], timeout: float = REPLY_TIMEOUT
    ) -> None:
        self._bus = bus
        self._observer = observer
        self._read_status = read_status
        self._timeout = timeout
        self._methods: dict[str, tuple[type[_NoPayload], Callable[[Any], Response]]] = {
            "status": (_NoPayload, self._report_status),
            "counts": (_CountsPayload, self._report_counts),
            "occupancy": (_CameraPayload, self._report_occupancy),
            **{do: (_CameraPayload, partial(self._send_command, do)) for do in get_args(_Action)},
            "rollback": (_NoPayload, self._roll_back),
        }
        """By name, the payload's model and the function."""

    def execute(self, name: str, payload: object) -> Response:
        """Executes a method. An error becomes a response.

        400: an invalid payload; 404: an unknown method; 409: it is not possible; 413: the answer is too large; 503: no answer of
        another module.
        """
        if name not in self._methods:
            return Response(404, {"error": f"{name[:80]!r} is not a method; allowed are {', '.join(self._methods)}"})
        model, method = self._methods[name]
        try:
            response = method(model.model_validate({} if payload is None else payload))
        except ValidationError as error:
            return Response(400, {"error": first_problem(model, error, "payload")[:500]})
        except (NotAnswered, OutboxUnavailable) as error:
            return Response(503, {"error": str(error)[:500]})
        except FootfallError as error:
            return Response(409, {"error": str(error)[:500]})
        if (size := len(json.dumps(response.body))) > MAX_RESPONSE:
            return Response(413, {"error": f"the answer has {size} bytes; at most {MAX_RESPONSE} are allowed; name a camera"})
        return response

    def _report_status(self, _: _NoPayload) -> Response:
        return Response(200, self._read_status())

    def _report_counts(self, payload: _CountsPayload) -> Response:
        report = self._observer.ask(payload.day.isoformat() if payload.day else None, self._timeout)
        names = _select_cameras(payload.camera, sorted({*report.cameras, *self._observer.cameras}))
        return Response(200, {"cameras": {name: asdict(day) for name, day in report.cameras.items() if name in names}})

    def _report_occupancy(self, payload: _CameraPayload) -> Response:
        names = _select_cameras(payload.camera, list(self._observer.cameras))
        found = self._observer.occupancies
        return Response(200, {"cameras": {name: asdict(one) for name, one in found.items() if name in names}})

    def _send_command(self, do: _Action, payload: _CameraPayload) -> Response:
        names = _select_cameras(payload.camera, list(self._observer.cameras))
        sent = [name for name in names if self._bus.publish(Command(name, do))]
        return Response(200 if sent == names else 503, {"cameras": sent})

    def _roll_back(self, _: _NoPayload) -> Response:
        status = self._observer.classifier
        before = status.about.update if status else None
        if before is None or before.previous is None:
            raise NotPossible("there is no previous model")
        if not self._bus.publish(WantedModel(rollback=True)):
            raise NotAnswered("not connected to the broker")
        if (status := self._observer.wait_for_update(before, self._timeout)) is None:
            raise NotAnswered(f"no answer from the classifier within {self._timeout:g} s; the twin will report the outcome")
        update = status.about.update
        if update is None or update.state not in ("rolled-back", "serving") or update.detail:
            raise NotPossible(update.detail if update and update.detail else "the classifier did not restore the previous model")
        return Response(200, {"model": status.about.model or before.previous})


def _select_cameras(camera: str | None, names: list[str]) -> list[str]:
    if camera is None:
        return names
    if camera not in names:
        raise NotPossible(f"unknown camera {camera!r}; known cameras: {', '.join(names) or 'none'}")
    return [camera]
