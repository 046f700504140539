"""The interface of Custom Vision's own containers over HTTP, so that their clients go on working."""

from collections.abc import AsyncGenerator, Callable, Collection
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import AliasChoices, BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from bus import FootfallError, Label
from classifier.download import Limits, NotAllowed, fetch_picture
from classifier.interpreter import Result
from classifier.pipeline import Busy, Pipeline

LIMIT = 4 * 1024 * 1024
"""Bytes of a picture, as in Custom Vision."""
BODY_LIMIT = LIMIT + 64 * 1024
"""Including what a form adds."""
BODY_TIMEOUT = 30.0
"""Seconds in which the body of a request must be complete."""
URL_LIMITS = Limits(LIMIT, timeout=20.0, read_timeout=5.0)
"""Of a picture from another machine."""
PREFIXES = ("", "/{project}", "/{project}/classify/iterations/{iteration}", "/{project}/detect/iterations/{iteration}")


class BoundingBox(BaseModel):
    """In parts of the picture's width and height."""

    left: float
    top: float
    width: float
    height: float


class TagPrediction(BaseModel):
    """One label."""

    tagName: str  # noqa: N815  # as its clients know it
    probability: float
    tagId: str = ""  # noqa: N815
    boundingBox: BoundingBox | None = None  # noqa: N815


class ImagePrediction(BaseModel):
    """The labels of a picture."""

    id: str = ""
    project: str = ""
    iteration: str = ""
    created: str
    predictions: list[TagPrediction]


class Problem(BaseModel):
    """Why there is no answer."""

    code: str
    message: str


class PictureUrl(BaseModel):
    """The address of a picture: `url` as the containers spell it, `Url` as the cloud service does."""

    url: str = Field(validation_alias=AliasChoices("url", "Url", "URL"))


STATUSES: dict[type[Exception], HTTPStatus] = {NotAllowed: HTTPStatus.FORBIDDEN, Busy: HTTPStatus.SERVICE_UNAVAILABLE}
"""How errors are answered; the others are bad requests."""


def create_app(pipeline: Pipeline, about: Callable[[], dict[str, Any]], url_hosts: Collection[str]) -> FastAPI:
    """The application; `about` has model, labels and runtime, `url_hosts` are the machines that pictures may be fetched from."""
    app = FastAPI(title="Footfall classifier", description=__doc__ or "", responses={"4XX": {"model": Problem}})
    app.add_exception_handler(HTTPException, _problem)
    app.add_exception_handler(FootfallError, _problem)

    async def image(request: Request) -> ImagePrediction:
        """Classifies the picture in the body, or in the field `imageData` of a form."""
        return _prediction(await run_in_threadpool(pipeline.ask, await _picture(request)))

    async def url(request: Request) -> ImagePrediction:
        """Classifies the picture at an address: `{"url": "http://..."}`."""
        if not url_hosts:
            raise NotAllowed("no pictures are fetched: URL_HOSTS is not set")
        try:
            address = PictureUrl.model_validate_json(await _body(request, BODY_LIMIT)).url
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST, 'the body is not {"url": "..."}') from None
        picture = await run_in_threadpool(fetch_picture, address, url_hosts, URL_LIMITS)
        return _prediction(await run_in_threadpool(pipeline.ask, picture))

    for prefix in PREFIXES:
        for ending in ("", "/nostore"):
            is_shown = not prefix and not ending  # once in the API description is enough
            for name, route in (("image", image), ("url", url)):
                app.post(f"{prefix}/{name}{ending}", response_model=ImagePrediction, include_in_schema=is_shown)(route)

    @app.get("/")
    def model() -> dict[str, Any]:
        """The model that is served."""
        return about()

    @app.get("/healthz")
    def health() -> JSONResponse:
        """Whether the classifier makes progress."""
        stalled = pipeline.stalled
        status = HTTPStatus.OK if stalled < pipeline.ANSWER_TIMEOUT else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"stalled_seconds": round(stalled, 1)}, status)

    return app


async def _picture(request: Request) -> bytes:
    """The body; of a form the field `imageData`, in any case, with or without a file name; else the largest file or field."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "multipart/form-data":
        return await _body(request, LIMIT)
    # As Latin-1, Starlette's text of a field without a file name has its bytes.
    headers = Headers({"content-type": f"{kind}; charset=latin-1;{parameters}"})
    parser = MultiPartParser(headers, _once(await _body(request, BODY_LIMIT)), max_part_size=BODY_LIMIT)
    parser.spool_max_size = BODY_LIMIT  # in memory
    try:
        form = await parser.parse()
    except MultiPartException:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form cannot be read") from None
    fields = []
    for name, value in form.multi_items():
        content = value.encode("latin-1") if isinstance(value, str) else await value.read()
        fields.append((name.lower() == "imagedata", not isinstance(value, str), len(content), content))
    if not fields:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form has no field; imageData with a picture is needed")
    picture = max(fields)[-1]
    if len(picture) > LIMIT:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a picture has at most {LIMIT} bytes")
    return picture


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    try:
        with anyio.fail_after(BODY_TIMEOUT):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a picture has at most {LIMIT} bytes")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, f"the request did not come within {BODY_TIMEOUT:g} s") from None
    return bytes(body)


def _prediction(result: Result) -> ImagePrediction:
    created = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ImagePrediction(iteration=result.model, created=created, predictions=[_tag(label) for label in result.labels])


def _tag(label: Label) -> TagPrediction:
    box = label.box and BoundingBox(left=label.box.x, top=label.box.y, width=label.box.w, height=label.box.h)
    return TagPrediction(tagName=label.name, probability=label.probability, boundingBox=box)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, HTTPException):
        status, message, headers = HTTPStatus(error.status_code), error.detail, error.headers
    else:
        status, message, headers = STATUSES.get(type(error), HTTPStatus.BAD_REQUEST), str(error), None
    code = status.phrase.title().replace(" ", "").replace("-", "")
    return JSONResponse(Problem(code=code, message=message).model_dump(), status, headers)
