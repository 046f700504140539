"""The HTTP interface of Custom Vision's containers, so that existing clients keep working."""

import logging
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
from starlette.requests import ClientDisconnect

from bus import Box, FootfallError, Label
from classifier.download import AddressNotAllowed, Limits, fetch_picture
from classifier.pipeline import Busy, Pipeline
from classifier.recogniser import Result

MAX_PICTURE_BYTES = 4 * 1024 * 1024
"""Custom Vision's limit."""
MAX_BODY_BYTES = MAX_PICTURE_BYTES + 64 * 1024
"""Includes the overhead of a form."""
MAX_URL_BYTES = 16 * 1024
"""Upper bound of the body of POST /url."""
BODY_TIMEOUT = 30.0
"""Seconds within which the body of a request must arrive."""
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

    async def image(request: Request) -> ImagePrediction:
        """Classifies the picture in the body, or in the form field `imageData`."""
        return _to_prediction(await run_in_threadpool(pipeline.classify, await _read_picture(request)))

    async def url(request: Request) -> ImagePrediction:
        """Classifies the picture at an address: `{"url": "http://..."}`."""
        if not url_hosts:
            raise AddressNotAllowed("POST /url is off: URL_HOSTS is not set")
        try:
            address = PictureUrl.model_validate_json(
                await _read_body(request, MAX_URL_BYTES, f"the body has at most {MAX_URL_BYTES} bytes")
            ).url
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST, 'the body must be {"url": "..."}') from None
        picture = await run_in_threadpool(fetch_picture, address, url_hosts, URL_LIMITS)
        return _to_prediction(await run_in_threadpool(pipeline.classify, picture))

    for prefix in PREFIXES:
        for suffix in ("", "/nostore"):
            is_documented = not prefix and not suffix  # lists each route once in the API description
            for name, route in (("image", image), ("url", url)):
                app.post(f"{prefix}/{name}{suffix}", response_model=ImagePrediction, include_in_schema=is_documented)(route)

    @app.get("/")
    def model() -> dict[str, Any]:
        """Returns the served model, its labels and its runtime."""
        return about()

    @app.get("/healthz")
    def health() -> JSONResponse:
        """Returns 200 while the classifier makes progress, otherwise 503."""
        stalled = pipeline.stalled
        status = HTTPStatus.OK if stalled < pipeline.ANSWER_TIMEOUT else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"stalled_seconds": round(stalled, 1)}, status)

    return app


async def _read_picture(request: Request) -> bytes:
    """Returns the body or, from a form, the field `imageData` in any case; else the largest file; else the largest field."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "multipart/form-data":
        return await _read_body(request, MAX_PICTURE_BYTES)
    # Starlette decodes fields without a file name; Latin-1 keeps their bytes. Of several charsets the last one counts.
    headers = Headers({"content-type": f"{kind};{parameters}; charset=latin-1"})
    parser = MultiPartParser(headers, _single_chunk(await _read_body(request, MAX_BODY_BYTES)), max_part_size=MAX_BODY_BYTES)
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
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a picture has at most {MAX_PICTURE_BYTES} bytes")
    return picture


async def _single_chunk(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _read_body(request: Request, limit: int, rule: str = f"a picture has at most {MAX_PICTURE_BYTES} bytes") -> bytes:
    body = bytearray()
    try:
        with anyio.fail_after(BODY_TIMEOUT):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, rule)
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, f"the body did not arrive within {BODY_TIMEOUT:g} s") from None
    except ClientDisconnect:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the client left before its body was complete") from None
    return bytes(body)


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
