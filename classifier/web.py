"""The interface of Custom Vision's own containers over HTTP, so that their clients go on working."""

from collections.abc import Callable, Collection
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import AliasChoices, BaseModel, Field
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field as FormField
from python_multipart.multipart import File, FormParser, parse_options_header
from starlette.exceptions import HTTPException

from bus import InvalidMessage, Label
from classifier.download import DownloadFailed, DownloadRefused, Limits, NotAllowed, fetch_picture
from classifier.pipeline import Answer, Busy, Pipeline

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


def create_app(pipeline: Pipeline, about: Callable[[], dict[str, Any]], url_hosts: Collection[str]) -> FastAPI:
    """The application; `about` has model, labels and runtime, `url_hosts` are the machines that pictures may be fetched from."""
    app = FastAPI(title="Footfall classifier", description=__doc__ or "", responses={"4XX": {"model": Problem}})
    app.add_exception_handler(HTTPException, _problem)

    async def image(request: Request) -> ImagePrediction:
        """Classifies the picture in the body, or in the field `imageData` of a form."""
        return await run_in_threadpool(answer, await _picture(request))

    async def url(request: Request) -> ImagePrediction:
        """Classifies the picture at an address: `{"url": "http://..."}`."""
        if not url_hosts:
            raise HTTPException(HTTPStatus.FORBIDDEN, "no pictures are fetched: URL_HOSTS is not set")
        try:
            address = PictureUrl.model_validate_json(await _body(request, BODY_LIMIT)).url
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST, 'the body is not {"url": "..."}') from None
        try:
            picture = await run_in_threadpool(fetch_picture, address, url_hosts, URL_LIMITS)
        except NotAllowed as error:
            raise HTTPException(HTTPStatus.FORBIDDEN, str(error)) from None
        except (DownloadFailed, DownloadRefused) as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
        return await run_in_threadpool(answer, picture)

    def answer(picture: bytes) -> ImagePrediction:
        try:
            return _prediction(pipeline.ask(picture))
        except InvalidMessage as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
        except Busy as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None

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
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        return await _body(request, LIMIT)
    picture = _in_form(await _body(request, BODY_LIMIT), options.get(b"boundary", b""))
    if len(picture) > LIMIT:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a picture has at most {LIMIT} bytes")
    return picture


def _in_form(body: bytes, boundary: bytes) -> bytes:
    """The field `imageData`, in whatever case and with or without a file name; else the largest file or field."""
    fields: list[tuple[bool, bool, int, bytes]] = []

    def add(name: bytes | None, content: bytes, is_file: bool) -> None:
        fields.append(((name or b"").lower() == b"imagedata", is_file, len(content), content))

    def add_field(field: FormField) -> None:
        add(field.field_name, field.value or b"", False)

    def add_file(file: File) -> None:
        file.file_object.seek(0)
        add(file.field_name, file.file_object.read(), True)

    in_memory = {"MAX_MEMORY_FILE_SIZE": 2 * BODY_LIMIT}
    try:
        parser = FormParser("multipart/form-data", add_field, add_file, None, boundary, None, in_memory)
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form cannot be read") from None
    if not fields:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form has no field; imageData with a picture is needed")
    return max(fields)[-1]


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


def _prediction(answer: Answer) -> ImagePrediction:
    created = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ImagePrediction(iteration=answer.model, created=created, predictions=[_tag(label) for label in answer.labels])


def _tag(label: Label) -> TagPrediction:
    box = label.box and BoundingBox(left=label.box.x, top=label.box.y, width=label.box.w, height=label.box.h)
    return TagPrediction(tagName=label.name, probability=label.probability, boundingBox=box)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.title().replace(" ", "").replace("-", "")
    return JSONResponse(Problem(code=code, message=error.detail).model_dump(), error.status_code, error.headers)
