"""Tools: plain functions, with a schema made from their annotations, that can talk to whoever watches the run.

    def search(query: str, limit: int = 10) -> list[str]:
        '''Search the web.'''
        report_progress(0, limit)
        ...

A coroutine function runs on the event loop, any other in a thread. Knows how a tool is described and called. Does not
know when: the loop does.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import getdoc, iscoroutinefunction, isroutine
from typing import Any, Final, Protocol, runtime_checkable

from anyio import from_thread
from pydantic import PydanticUserError, TypeAdapter
from pydantic_core import ArgsKwargs

from playhead.clock import Clock
from playhead.errors import UsageError
from playhead.events.locus import AgentEvent, ToolCall, ToolProgressEvent

OWN_EVENTS: Final = frozenset(
    {
        "final_answer_verification",
        "grounding",
        "interrupt",
        "model_chunk",
        "model_complete",
        "model_retry",
        "reflect",
        "terminate",
        "think",
        "tool_complete",
        "tool_progress",
        "tool_start",
    }
)
"""The types of events that the loop alone puts into a stream. A tool may emit any other."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Hold a tool: what the model is told of it, and what is called.

    `parameters` is a JSON schema. `function` takes the model's arguments as one mapping, and checks them. Where
    `is_async`, it returns an awaitable and must not block.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Callable[[Mapping[str, Any]], Any]
    is_async: bool = True

    def describe(self) -> dict[str, Any]:
        """Return what a model is told."""
        return {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}


@runtime_checkable
class Toolable(Protocol):
    """Whatever makes a tool of itself, as an agent does."""

    def as_tool(self) -> Tool:
        """Return the tool."""
        ...


def tool_of(source: Tool | Toolable | Callable[..., Any]) -> Tool:
    """Return the tool that a function is. Its name and documentation are what the model is told.

    Raises `UsageError` for a function whose arguments cannot be given by name, or have annotations without a schema.
    """
    if isinstance(source, Tool):
        return source
    if isinstance(source, Toolable):
        return source.as_tool()
    name = getattr(source, "__name__", type(source).__name__)
    function: Any = source if isroutine(source) else source.__call__  # type: ignore[operator]
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(function)
        schema = adapter.json_schema()
    except (PydanticUserError, NameError, TypeError) as error:
        raise UsageError(f"{name!r} cannot be a tool: its arguments have no schema: {error}") from error
    if schema.get("type") != "object":
        raise UsageError(f"{name!r} cannot be a tool: a model gives arguments by name, and some of these have none")
    return Tool(
        name=name,
        description=getdoc(function) or "",
        parameters=schema,
        function=lambda arguments: adapter.validator.validate_python(ArgsKwargs((), dict(arguments))),
        is_async=iscoroutinefunction(function),
    )


class Paused(BaseException):
    """Leave a tool that asks a person. No `Exception`: tools catch broadly."""

    def __init__(self, question: str, options: tuple[str, ...] | None) -> None:
        super().__init__(question)
        self.question = question
        self.options = options


@dataclass(slots=True)
class Running:
    """Hold what a tool that runs can reach: the stream of its run, and the answers that a person has given.

    `run_key` is the run's own, the same when it is resumed.
    """

    call: ToolCall
    put: Callable[[AgentEvent], None]
    clock: Clock
    agent_name: str | None
    answers: list[Any]
    run_key: str
    in_thread: bool = False

    def send(self, event: AgentEvent) -> None:
        """Put an event into the stream, from the loop's thread or from the tool's."""
        if self.in_thread:
            from_thread.run_sync(self.put, event)
        else:
            self.put(event)


CURRENT: Final[ContextVar[Running]] = ContextVar("playhead_tool")
"""The call that the code is part of."""


def interrupt(question: str, options: list[str] | None = None) -> Any:
    """Ask a person, from inside a tool, and return the answer.

    The run pauses here with an `InterruptEvent`. When it is resumed, with an answer, the tool is called again from its
    beginning, with the same arguments, and this call returns the answer: what a tool does before it asks, it does
    twice. Tools that run beside it are not stopped.

    Raises `UsageError` outside a tool.
    """
    running = running_call("interrupt")
    if running.answers:
        return running.answers.pop(0)
    raise Paused(question, None if options is None else tuple(options))


def report_progress(progress: float, total: float | None = None, *, message: str | None = None) -> None:
    """Say, from inside a tool, how far it has come: `progress` of `total`. Raises `UsageError` outside a tool."""
    running = running_call("report_progress")
    running.send(
        ToolProgressEvent(
            tool_name=running.call.name,
            tool_call_id=running.call.id,
            progress=progress,
            total=total,
            message=message,
            agent_name=running.agent_name,
            timestamp=running.clock.now(),
        )
    )


def emit(event: AgentEvent) -> None:
    """Put an event into the stream, from inside a tool: a `CustomEvent`, or one of a specialist or of a causal graph.

    Raises `UsageError` outside a tool, and for an event that is the loop's own to send.
    """
    running = running_call("emit")
    if event.event_type in OWN_EVENTS:
        raise UsageError(f"{event.event_type!r} is the loop's own to send; a tool emits custom events, for instance")
    running.send(event)


def running_call(name: str) -> Running:
    """Return the call that the code is part of. Raises `UsageError`, naming the function, where there is none."""
    try:
        return CURRENT.get()
    except LookupError:
        raise UsageError(f"{name}() is for the inside of a tool, while an agent runs it") from None
