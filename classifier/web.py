"""The HTTP interface of Custom Vision's containers, so that existing clients keep working."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
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

from bus import Box, FootfallError, Label
from classifier.bodies import Bodies
from classifier.download import AddressNotAllowed, Limits, fetch_picture
from classifier.pipeline import Busy, Pipeline
from classifier.recogniser import Result

MAX_PICTURE_BYTES = 4 * 1024 * 1024
"""Custom Vision's limit."""
PICTURE_RULE = f"a picture has at most {MAX_PICTURE_BYTES} bytes"
MAX_BODY_BYTES = MAX_PICTURE_BYTES + 64 * 1024
"""Includes the overhead of a form."""
MAX_URL_BYTES = 16 * 1024
"""Upper bound of the body of POST /url."""
MAX_DOWNLOADS = 4
"""Pictures that are fetched for POST /url at the same time."""
URL_LIMITS = Limits(MAX_PICTURE_BYTES, timeout=20.0, read_timeout=5.0)
"""Limits of a download for POST /url."""
PREFIXES = ("", "/{project}", "/{project}/classify/iterations/{iteration}", "/{project}/detect/iterations/{iteration}")


class BoundingBox(BaseModel):
    """A box, in fractions of the picture's width and height."""

    left: float
    top: float
    width: float
    height: float


class TagPrediction(BaseModel):
    """A label with its probability."""

    tagName: str  # noqa: N815  # Custom Vision's name
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
    """The body of an error response."""

    code: str
    message: str


class PictureUrl(BaseModel):
    """The address of a picture. The containers spell the field `url`, the cloud service `Url`."""

    url: str = Field(validation_alias=AliasChoices("url", "Url", "URL"))


ERROR_STATUS: dict[type[Exception], HTTPStatus] = {AddressNotAllowed: HTTPStatus.FORBIDDEN, Busy: HTTPStatus.SERVICE_UNAVAILABLE}
"""HTTP status by error; all other errors are bad requests."""


def create_app(pipeline: Pipeline, about: Callable[[], dict[str, Any]], url_hosts: Collection[str]) -> FastAPI:
    """Returns the application. `about` returns model, labels and runtime. POST /url fetches from `url_hosts` only."""
    app = FastAPI(title="Footfall classifier", description=__doc__ or "", responses={"4XX": {"model": Problem}})
    app.add_exception_handler(HTTPException, _error_response)
    app.add_exception_handler(FootfallError, _error_response)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each invalid form, without a limit
    bodies, downloads = Bodies(), anyio.Semaphore(MAX_DOWNLOADS)

    async def image(request: Request) -> ImagePrediction:
        """Classifies the picture in the body, or in the form field `imageData`."""
        async with _read_picture(bodies, request) as picture:
            return _to_prediction(await run_in_threadpool(pipeline.classify, picture))

    async def url(request: Request) -> ImagePrediction:
        """Classifies the picture at an address: `{"url": "http://..."}`."""
        if not url_hosts:
            raise AddressNotAllowed("POST /url is off: URL_HOSTS is not set")
        try:
            async with bodies.read(request, MAX_URL_BYTES, f"the body has at most {MAX_URL_BYTES} bytes") as body:
                address = PictureUrl.model_validate_json(body).url
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST, 'the body must be {"url": "..."}') from None
        try:
            downloads.acquire_nowait()
        except anyio.WouldBlock:
            raise Busy(f"{MAX_DOWNLOADS} other pictures are being fetched; try again later") from None
        try:
            picture = await run_in_threadpool(fetch_picture, address, url_hosts, URL_LIMITS)
            return _to_prediction(await run_in_threadpool(pipeline.classify, picture))
        finally:
            downloads.release()

    for prefix in PREFIXES:
        for suffix in ("", "/nostore"):
            is_documented = not prefix and not suffix  # lists each route once in the API description
            for name, route in (("image", image), ("url", url)):
                app.post(f"{prefix}/{name}{suffix}", response_model=ImagePrediction, include_in_schema=is_documented)(route)

    @app.get("/")
    async def model() -> dict[str, Any]:
        """Returns the served model, its labels and its runtime."""
        return about()

    @app.get("/healthz")
    async def health() -> JSONResponse:
        """Returns 200 while the classifier makes progress, otherwise 503."""
        stalled = pipeline.stalled
        status = HTTPStatus.OK if stalled < pipeline.ANSWER_TIMEOUT else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"stalled_seconds": round(stalled, 1)}, status)

    return app


@asynccontextmanager
async def _read_picture(bodies: Bodies, request: Request) -> AsyncIterator[bytes]:
    """Yields the body or, of a form, its picture."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    is_form = kind.strip().lower() == "multipart/form-data"
    async with bodies.read(request, MAX_BODY_BYTES if is_form else MAX_PICTURE_BYTES, PICTURE_RULE) as body:
        # Starlette decodes fields without a file name; Latin-1 keeps their bytes. Of several charsets the last one counts.
        yield await _find_picture(body, f"{kind};{parameters}; charset=latin-1") if is_form else body


async def _find_picture(body: bytes, content_type: str) -> bytes:
    """Returns the field `imageData` of a form, in any case; else the largest file; else the largest field."""
    parser = MultiPartParser(Headers({"content-type": content_type}), _single_chunk(body), max_part_size=MAX_BODY_BYTES)
    parser.spool_max_size = MAX_BODY_BYTES  # keeps it in memory
    try:
        form = await parser.parse()
        fields = []
        for name, value in form.multi_items():
            content = value.encode("latin-1") if isinstance(value, str) else await value.read()
            fields.append((name.lower() == "imagedata", not isinstance(value, str), len(content), content))
    except (MultiPartException, UnicodeError):  # a damaged header can hide the charset
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the body is not a valid form") from None
    if not fields:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form has no fields; it must have a picture in imageData")
    picture = max(fields)[-1]
    if len(picture) > MAX_PICTURE_BYTES:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, PICTURE_RULE)
    return picture


async def _single_chunk(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def _to_prediction(result: Result) -> ImagePrediction:
    """Returns the labels, or the first label of each detection that has one."""
    created = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    tags = [_to_tag(label, None) for label in result.labels]
    tags += [_to_tag(one.labels[0], one.box) for one in result.detections if one.labels]
    return ImagePrediction(iteration=result.model, created=created, predictions=tags)


def _to_tag(label: Label, box: Box | None) -> TagPrediction:
    bounds = box and BoundingBox(left=box.x, top=box.y, width=box.w, height=box.h)
    return TagPrediction(tagName=label.name, probability=label.probability, boundingBox=bounds)


def _error_response(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, HTTPException):
        status, message, headers = HTTPStatus(error.status_code), error.detail, error.headers
    else:
        status, message, headers = ERROR_STATUS.get(type(error), HTTPStatus.BAD_REQUEST), str(error), None
    code = status.phrase.title().replace(" ", "").replace("-", "")
    return JSONResponse(Problem(code=code, message=message).model_dump(), status, headers)
