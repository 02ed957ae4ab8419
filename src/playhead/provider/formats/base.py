"""What a wire format is: how a request is read from it, and how an answer and a refusal are written in it.

Knows what all formats share. Values in, bytes and values out: knows no socket, and takes ids and the time as arguments.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from playhead.errors import ModelFailure, WireError
from playhead.ids import Ids
from playhead.scripts.parts import Call, Garbage, Said, Stop, Usage
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import Begin, End, Piece, Step
from playhead.sse.message import SSEMessage

STATUSES: Final = MappingProxyType(
    {"rate_limit": 429, "overloaded": 529, "server_error": 500, "bad_request": 400, "unauthorized": 401}
)
"""The HTTP status of each kind of failure, where the failure does not say."""


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer is made with: the request that it answers, what makes its ids, and when it began.

    `request_id` names the exchange, in the head of the response and in errors.
    """

    request: ModelRequest
    ids: Ids
    created: datetime
    request_id: str = ""

    @property
    def created_s(self) -> int:
        """Return the whole seconds of Unix time at which the answer began."""
        return int(self.created.timestamp())


@dataclass(slots=True)
class Spoken:
    """A part as far as it has been said.

    `position` counts the parts of the answer, `number` those of its class: the second call of a tool has number 1. `id`
    is the provider's for the part, where the format gives it one.
    """

    part: Said
    position: int
    number: int
    id: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return what has been said, of a call the JSON of its arguments."""
        return "".join(self.pieces)

    @property
    def tool(self) -> str:
        """Return the tool that is called, "" where the part is no call."""
        return self.part.tool if isinstance(self.part, Call) else ""

    @property
    def call_id(self) -> str:
        """Return the id of a call, "" where the part is none."""
        return (self.part.id or "") if isinstance(self.part, Call) else ""

    @property
    def arguments(self) -> Any:
        """Return the arguments of a call; None where their text is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass(slots=True)
class Answer:
    """An answer as far as it has come. `stop` is None until the model says why it stops."""

    spoken: dict[int, Spoken] = field(default_factory=dict)
    tokens: Usage | None = None
    stop: str | None = None

    @property
    def usage(self) -> Usage:
        """Return how many tokens it took: as the model says, else nothing in and one a piece out."""
        return self.tokens or Usage(0, sum(len(spoken.pieces) for spoken in self.spoken.values()))

    def of(self, kind: type[Said]) -> list[Spoken]:
        """Return the parts of one class, in order."""
        return [spoken for spoken in self.spoken.values() if isinstance(spoken.part, kind)]

    def text(self, kind: type[Said]) -> str | None:
        """Return all that the parts of one class say, None where there is none."""
        found = self.of(kind)
        return "".join(spoken.text for spoken in found) if found else None


class Encoder(ABC):
    """Write one answer, step by step. Every method returns the bytes that its step becomes, b"" for none.

    An answer that does not stream is fed in the same way, its bytes are dropped, and `whole` is what is sent.
    """

    def __init__(self, head: Head) -> None:
        self.head = head
        self.answer: Answer = Answer()

    @abstractmethod
    def begin(self) -> bytes:
        """Open the stream."""

    def feed(self, step: Step) -> bytes:
        """Write a step. A `Stop` writes all that ends the stream, so a `Usage` is to come before it.

        Raises `KeyError` for a piece or an end of a part that did not begin.
        """
        spoken = self.answer.spoken
        match step:
            case Begin(index=index, part=part):
                number = len(self.answer.of(type(part)))
                spoken[index] = Spoken(part, position=len(spoken), number=number)
                return self.opened(spoken[index])
            case Piece(index=index, text=text):
                spoken[index].pieces.append(text)
                return self.said(spoken[index], text)
            case End(index=index):
                return self.closed(spoken[index])
            case Usage():
                self.answer.tokens = step
            case Stop(reason=reason):
                self.answer.stop = reason
                return self.stopped()
            case Garbage(data=data):
                return data
            case _:
                pass
        return b""

    @abstractmethod
    def opened(self, spoken: Spoken) -> bytes:
        """Write that a part begins."""

    @abstractmethod
    def said(self, spoken: Spoken, text: str) -> bytes:
        """Write a piece, the last of the part so far."""

    @abstractmethod
    def closed(self, spoken: Spoken) -> bytes:
        """Write that a part ends."""

    @abstractmethod
    def stopped(self) -> bytes:
        """Write the end of the stream."""

    @abstractmethod
    def failed(self, failure: ModelFailure) -> bytes:
        """Write that the model fails in the middle of the stream. Nothing comes after it."""

    @abstractmethod
    def whole(self) -> dict[str, Any]:
        """Return the answer as it is sent where the request does not ask for a stream."""


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One provider's way to be asked and to answer.

    `path` finds the path of a request, behind any prefix. `read` takes the path, the query and the body, and raises
    `WireError` for what is no request. `error` is the body of a failure; `overloaded` the status that stands for 529.
    `request_id` is the header that names an answer.
    """

    name: str
    path: re.Pattern[str]
    known_as: tuple[str, ...]
    read: Callable[[str, Mapping[str, str], Mapping[str, Any]], ModelRequest]
    encoder: Callable[[Head], Encoder]
    error: Callable[[ModelFailure, str], dict[str, Any]]
    overloaded: int
    request_id: str

    def request(self, path: str, query: Mapping[str, str], body: bytes) -> ModelRequest:
        """Return what is asked. Raises `WireError` for a body that is no JSON object, or asks nothing."""
        try:
            found = json.loads(body)
        except ValueError as error:
            raise WireError(f"the body of the request is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise WireError(f"the body of the request must be an object, and is {json_text(found)[:80]}")
        return self.read(path, query, found)

    def status(self, failure: ModelFailure) -> int:
        """Return the HTTP status of a refusal."""
        status = failure.status or STATUSES.get(failure.kind, STATUSES["server_error"])
        return self.overloaded if status == STATUSES["overloaded"] else status


def json_text(value: Any) -> str:
    """Return compact JSON as providers send it. What UTF-8 cannot say, a lone surrogate, is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def message(value: Any, *, event: str | None = None) -> bytes:
    """Return a value as one message of an event stream."""
    return SSEMessage(event, json_text(value)).encode()


def items(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return a list of objects in a body, empty where there is none. Raises `WireError` for anything else."""
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise WireError(f"{name!r} must be a list of objects, and is {json_text(found)[:80]}")
    return found


def messages(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the messages in a body. Raises `WireError` where there are none."""
    found = items(body, name)
    if not found:
        raise WireError(f"the request has no {name!r}: a model is asked with at least one")
    return found


def rest(body: Mapping[str, Any], read: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a body that were not read."""
    return {name: value for name, value in body.items() if name not in read}
