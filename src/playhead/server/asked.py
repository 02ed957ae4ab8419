"""What clients ask, read and bounded: bodies, query parameters, and the message behind which to go on.

Whatever is wrong with a request is an `HTTPException` whose text says what. Does not know agents.
"""

from collections.abc import Collection
from http import HTTPStatus
from typing import Any, ClassVar, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request

from playhead.errors import UsageError
from playhead.server.frames import read_id

MAX_THREAD_ID: Final = 512
"""How many characters the name of a thread may have."""

_MAX_TOLD: Final = 3
_PARAMETERS: Final = ("prompt", "thread_id", "checkpoint_id")

ModelT = TypeVar("ModelT", bound=BaseModel)


class Asked(BaseModel):
    """Hold what every request for a run may say."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=True)

    thread_id: str | None = Field(default=None, max_length=MAX_THREAD_ID)
    checkpoint_id: str | None = Field(default=None, max_length=MAX_THREAD_ID)
    metadata: dict[str, Any] | None = None


class Prompt(Asked):
    """Ask for a run."""

    prompt: str = Field(min_length=1)


class Answer(Asked):
    """Answer the question of a run that is paused, or without an answer, go on with one that broke off."""

    answer: Any = None


def parse(raw: bytes | str, model: type[ModelT]) -> ModelT:
    """Return what JSON text asks. Raises `HTTPException`: 400 for what is no JSON, 422 for fields that are wrong."""
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"this is no JSON: {error}") from None
    return validate(value, model)


def validate(value: Any, model: type[ModelT]) -> ModelT:
    """Return what a JSON value asks. Raises `HTTPException` 422 that names the fields that are wrong."""
    if not isinstance(value, dict):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "send a JSON object")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        told = [f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in wrong[:_MAX_TOLD]]
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(told)) from None


async def read_json(request: Request, model: type[ModelT], *, max_bytes: int) -> ModelT:
    """Return what a request's body asks. Raises `HTTPException`: 415 for another type, 413 for too much of it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # A form of another site's page cannot have this type, so such a page has to ask first.
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send `Content-Type: application/json`")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {max_bytes:,} bytes")
    return parse(bytes(body), model)


def read_query(request: Request, *, metadata: Collection[str] = ()) -> Prompt:
    """Return what the parameters `prompt`, `thread_id` and `checkpoint_id` ask, and those that are `metadata`.

    Others are not looked at.
    """
    given = request.query_params
    asked: dict[str, Any] = {name: given[name] for name in _PARAMETERS if name in given}
    if more := {name: given[name] for name in metadata if name in given}:
        asked["metadata"] = more
    return validate(asked, Prompt)


def read_position(request: Request) -> tuple[str, int] | None:
    """Return the run and the number behind which a client goes on; None for one that begins.

    The header counts before the parameter: a browser that reconnects sends both.
    """
    given = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    return position_of(given) if given else None


def position_of(id: str) -> tuple[str, int]:
    """Return the run and the number that an id names. Raises `HTTPException` 400 for what is no id."""
    try:
        return read_id(id)
    except UsageError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
