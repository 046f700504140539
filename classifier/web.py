"""The interface of Custom Vision's own containers over HTTP, so that their clients go on working."""

from collections.abc import Callable, Collection
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from bus import InvalidMessage, Label
from classifier.fetch import FetchFailed, NotAllowed, fetch
from classifier.pipeline import Answer, Busy, Pipeline

LIMIT = 4 * 1024 * 1024
"""Bytes of a picture, as in Custom Vision."""
BODY_LIMIT = LIMIT + 64 * 1024
"""With what a form adds."""
PATIENCE = 30.0
"""Seconds in which a request must have come."""
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
    """What the model says of a picture."""

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
    """Where a picture is."""

    url: str


def app_of(pipeline: Pipeline, served: Callable[[], dict[str, Any]], url_hosts: Collection[str]) -> FastAPI:
    """The application; `served` tells what is served, `url_hosts` are the machines that pictures may be fetched from."""
    app = FastAPI(title="Footfall classifier", description=__doc__ or "", responses={"4XX": {"model": Problem}})
    app.add_exception_handler(HTTPException, _problem)

    async def image(request: Request) -> ImagePrediction:
        """Classifies the picture in the body, or in the field `imageData` of a form."""
        return await run_in_threadpool(answer, await _picture(request))

    async def url(request: Request) -> ImagePrediction:
        """Classifies the picture at an address: `{"url": "http://..."}`."""
        if not url_hosts:
            raise HTTPException(HTTPStatus.FORBIDDEN, "pictures are fetched from nowhere: URL_HOSTS is not set")
        try:
            address = PictureUrl.model_validate_json(await _body(request, BODY_LIMIT)).url
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST, 'the body is not {"url": "..."}') from None
        try:
            picture = await run_in_threadpool(fetch, address, url_hosts, LIMIT)
        except NotAllowed as error:
            raise HTTPException(HTTPStatus.FORBIDDEN, str(error)) from None
        except FetchFailed as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
        return await run_in_threadpool(answer, picture)

    def answer(picture: bytes) -> ImagePrediction:
        try:
            return _told(pipeline.ask(picture))
        except InvalidMessage as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
        except Busy as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None

    for prefix in PREFIXES:
        for ending in ("", "/nostore"):
            is_told = not prefix and not ending  # once in the description is enough
            for name, route in (("image", image), ("url", url)):
                app.post(f"{prefix}/{name}{ending}", response_model=ImagePrediction, include_in_schema=is_told)(route)

    @app.get("/")
    def about() -> dict[str, Any]:
        """What is served."""
        return served()

    @app.get("/healthz")
    def health() -> JSONResponse:
        """Whether the classifier makes progress."""
        stalled = pipeline.stalled
        status = HTTPStatus.OK if stalled < pipeline.PATIENCE else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"stalled_seconds": round(stalled, 1)}, status)

    return app


async def _picture(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _body(request, LIMIT)
    body = await _body(request, BODY_LIMIT)

    async def whole() -> Any:
        yield body

    parser = MultiPartParser(request.headers, whole(), max_files=8, max_fields=8)
    parser.spool_max_size = BODY_LIMIT  # never to the disk
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form cannot be read") from None
    field = form.get("imageData")
    if not isinstance(field, UploadFile):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form has no file imageData")
    picture = await field.read()
    if len(picture) > LIMIT:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a picture has at most {LIMIT} bytes")
    return picture


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    try:
        with anyio.fail_after(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a picture has at most {LIMIT} bytes")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, f"the request did not come within {PATIENCE:g} s") from None
    return bytes(body)


def _told(answer: Answer) -> ImagePrediction:
    created = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ImagePrediction(iteration=answer.model, created=created, predictions=[_tag(label) for label in answer.labels])


def _tag(label: Label) -> TagPrediction:
    box = label.box and BoundingBox(left=label.box.x, top=label.box.y, width=label.box.w, height=label.box.h)
    return TagPrediction(tagName=label.name, probability=label.probability, boundingBox=box)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.title().replace(" ", "").replace("-", "")
    return JSONResponse(Problem(code=code, message=error.detail).model_dump(), error.status_code, error.headers)
