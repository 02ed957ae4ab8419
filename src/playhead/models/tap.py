"""The tap at a model: one way to ask, whether the answer is recorded now or was recorded before.

An adapter for a framework says what is asked, how it is asked live, and how answers become JSON and back. Whether the
live way is ever gone is for the tap: one that records goes it and tapes what comes, one that replays never does.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, Final, Generic, TypeVar

from pydantic import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, TypeAdapter

from playhead.events.canonical import Path

T = TypeVar("T")

Request = Mapping[str, Any]
"""What is asked, as a mapping with a JSON form."""

Revive = Callable[[Mapping[str, Any]], Exception | None]
"""Makes the exception again of what a tape says of it, or None: `type`, `message`, and `args` where they are plain."""


def same(value: Any) -> Any:
    """Return the value."""
    return value


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How answers become JSON values and come back. `text_at` says where in a chunk text is, for redaction."""

    dump: Callable[[T], Any] = same
    load: Callable[[Any], T] = same
    text_at: tuple[Path, ...] = ()
    revive: Revive = lambda fault: None


PLAIN: Codec[Any] = Codec()
"""For values that are JSON already."""


class Tap(ABC):
    """Ask a model or a tool, through the tape.

    `live` is called at most once, and never in a replay. `kind` is `request` for a model and `tool_call` for a tool.
    In a replay, `ReplayMismatch` is raised for a question that was not recorded, and a recorded failure is raised as
    the codec makes it again, or as an exception of the same name.
    """

    @abstractmethod
    async def ask(
        self, request: Request, live: Callable[[], Awaitable[T]], codec: Codec[T] = PLAIN, *, kind: str = "request"
    ) -> T:
        """Return the answer as a whole."""

    @abstractmethod
    def ask_now(self, request: Request, live: Callable[[], T], codec: Codec[T] = PLAIN, *, kind: str = "request") -> T:
        """Return the answer as a whole, without an event loop."""

    @abstractmethod
    def stream(
        self, request: Request, live: Callable[[], AsyncIterable[T]], codec: Codec[T] = PLAIN
    ) -> AsyncIterator[T]:
        """Return an iterator over the chunks of the answer."""

    @abstractmethod
    def stream_now(self, request: Request, live: Callable[[], Iterable[T]], codec: Codec[T] = PLAIN) -> Iterator[T]:
        """Return an iterator over the chunks of the answer, without an event loop."""

    def tools(self, tools: Iterable[Callable[..., Any]]) -> list[Callable[..., Any]]:
        """Return these functions, each through the tap: name, signature and documentation stay.

        A replay gives the recorded results, in the recorded order of completion, and runs none of them.
        """
        return [self.tool(tool) for tool in tools]

    def tool(self, tool: Callable[..., Any], *, revive: Revive = lambda fault: None) -> Callable[..., Any]:
        """Return one function, or coroutine function, through the tap.

        `revive` makes again what a framework's tools raise. The context that a framework hands to a tool is not taped.
        """
        name = getattr(tool, "__name__", type(tool).__name__)
        codec = replace(_result_codec(tool), revive=revive)
        named = _Arguments(tool)

        @wraps(tool)
        async def ask(*args: Any, **kwargs: Any) -> Any:
            request = {"name": name, "arguments": named.of(args, kwargs)}
            return await self.ask(request, lambda: tool(*args, **kwargs), codec, kind="tool_call")

        @wraps(tool)
        def ask_now(*args: Any, **kwargs: Any) -> Any:
            request = {"name": name, "arguments": named.of(args, kwargs)}
            return self.ask_now(request, lambda: tool(*args, **kwargs), codec, kind="tool_call")

        return ask if iscoroutinefunction(tool) else ask_now


class _Arguments:
    """Tell the arguments of a function's calls by their names."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._signature = signature(function)

    def of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return arguments by name; those that a `**` takes are spread out, and a framework's context is left out."""
        bound = self._signature.bind(*args, **kwargs)
        found: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if self._signature.parameters[name].kind is Parameter.VAR_KEYWORD:
                found |= value
            elif not _is_context(value):
                found[name] = value
        return found


_CONTEXTS: Final = frozenset({"RunContext", "RunContextWrapper"})
"""The classes of what frameworks hand to a tool beside its arguments: pydantic-ai's and OpenAI Agents'."""


def _is_context(value: Any) -> bool:
    return any(kind.__name__ in _CONTEXTS for kind in type(value).__mro__)


def _result_codec(tool: Callable[..., Any]) -> Codec[Any]:
    """Return how a tool's results come back: as what its annotation says, if it says so."""
    try:
        annotation = signature(tool, eval_str=True).return_annotation
        if annotation in (Parameter.empty, Any, None):
            return PLAIN
        adapter = TypeAdapter(annotation)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, NameError, TypeError):
        return PLAIN
    return Codec(
        dump=lambda value: adapter.dump_python(value, mode="json", warnings=False), load=adapter.validate_python
    )
