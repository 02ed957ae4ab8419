"""locus' models and tools, through a tap.

Knows which of their methods ask, and what an agent reads off them beside. Does not know what a tap does with a
question. Importing this module without locus raises `UsageError`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextvars import copy_context
from copy import deepcopy
from functools import partial, wraps
from inspect import iscoroutinefunction, signature
from typing import Any

from pydantic import PrivateAttr

from playhead.adapters.locus.values import CHUNKS, RESPONSES, RESULTS, Reported, question_of, tool_question_of
from playhead.errors import UsageError
from playhead.models.tap import Tap

try:
    from locus.core import events
    from locus.core.interrupt import InterruptException
    from locus.core.messages import Message
    from locus.models.base import ModelProtocol, ModelResponse
    from locus.tools.context import ToolContext, forward_event, forwarding_events, progress_sink
    from locus.tools.decorator import Tool
    from locus.tools.decorator import tool as locus_tool
except ImportError as _error:
    raise UsageError("this needs locus, which is not installed: pip install 'playhead[locus]'") from _error


def model(real: Any, tap: Tap) -> ModelProtocol:
    """Return a model of locus that asks `real` through a tap, or in a replay nobody.

    Whatever else an agent reads off its model (`config`, `context_window`, `supports_structured_output` and so on) is
    read off `real`. What could be called there is not, but for `close`: it would go past the tape. In a replay `real`
    may be None, or anything with the attributes that the agent minds.

    What is asked is the messages, the tools' schemas and the options. Ids that locus itself gave to calls are numbered,
    and annotations of messages are left out: they are not the question's, and differ from run to run.
    """
    return _TapedModel(real, tap)


def tools(tools: Iterable[Tool | Callable[..., Any]], tap: Tap) -> list[Tool]:
    """Return these tools of locus, each through a tap; a plain function is made a tool first.

    All that an agent sees of a tool stays, but for its class, which is `Tool`. A replay gives the recorded results, in
    the recorded order of completion, and runs none of them; a tool that interrupted the run does so again. What a tool
    reported on the way is reported again, all at once before its result, unless it failed. A tool that runs an agent of
    its own must not be given: give the model and the tools of that agent.
    """
    return [_taped(each if isinstance(each, Tool) else locus_tool(each), tap) for each in tools]


class _TapedModel:
    """Ask a model through a tap."""

    def __init__(self, real: Any, tap: Tap) -> None:
        self._real = real
        self._tap = tap

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> ModelResponse:
        """Return the answer as a whole."""
        return await self._tap.ask(
            question_of(messages, tools, options),
            lambda: self._real.complete(messages=messages, tools=tools, **options),
            RESPONSES,
        )

    def stream(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> AsyncIterator[events.ModelChunkEvent]:
        """Return an iterator over the chunks of the answer."""
        return self._tap.stream(
            {**question_of(messages, tools, options), "stream": True},
            lambda: self._real.stream(messages=messages, tools=tools, **options),
            CHUNKS,
        )

    def __getattr__(self, name: str) -> Any:
        found = None if name.startswith("_") else getattr(self._real, name)
        if name != "close" and (found is None or callable(found)):
            raise AttributeError(f"{name!r} is not read through the tap of a model")
        return found

    def __deepcopy__(self, memo: dict[int, Any]) -> "_TapedModel":
        # There is one tape, whoever is copied.
        return _TapedModel(deepcopy(self._real, memo), self._tap)


class _TapedTool(Tool):
    """Run a tool through a tap, whether an agent executes it or somebody calls it."""

    _inner: Tool = PrivateAttr()
    _tap: Tap = PrivateAttr()

    async def execute(self, ctx: ToolContext | None = None, **kwargs: Any) -> Any:
        """Return the tool's result, as the agent sees it."""
        result = await self._tap.ask(
            tool_question_of(self.name, kwargs),
            partial(_reporting, self._inner.execute, ctx=ctx, **kwargs),
            RESULTS,
            kind="tool_call",
        )
        return _result(result)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> "_TapedTool":
        return _taped(deepcopy(self._inner, memo), self._tap)


def _taped(tool: Tool, tap: Tap) -> _TapedTool:
    # Whoever wraps this tool once more takes the function out of it, and that must not go past the tape.
    taped = _TapedTool(**{**dict(tool), "fn": _function(tool, tap)})
    taped._inner, taped._tap = tool, tap
    return taped


def _function(tool: Tool, tap: Tap) -> Callable[..., Any]:
    """Return what calls a tool through a tap, with the signature of its function."""
    parameters = signature(tool.fn)

    def question(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        return tool_question_of(tool.name, parameters.bind(*args, **kwargs).arguments)

    @wraps(tool.fn)
    async def ask(*args: Any, **kwargs: Any) -> Any:
        live = partial(_reporting, tool, *args, **kwargs)
        return _result(await tap.ask(question(args, kwargs), live, RESULTS, kind="tool_call"))

    @wraps(tool.fn)
    def ask_now(*args: Any, **kwargs: Any) -> Any:
        return tap.ask_now(question(args, kwargs), partial(tool, *args, **kwargs), RESULTS, kind="tool_call")

    return ask if iscoroutinefunction(tool.fn) else ask_now


async def _reporting(run: Callable[..., Awaitable[Any]], /, *args: Any, **kwargs: Any) -> Reported:
    """Run a tool. What it reports on the way is heard at once; what it asks a person is an answer, and no failure."""
    heard: list[events.LocusEvent] = []
    outside = copy_context()

    def hear(event: events.LocusEvent) -> None:
        heard.append(event)
        # A context is entered once at a time, and a tool may report from several threads.
        outside.copy().run(forward_event, event)

    with progress_sink(hear if forwarding_events() else None):
        try:
            return Reported(await run(*args, **kwargs), heard, is_live=True)
        except InterruptException as interrupt:
            return Reported(interrupt, heard, is_live=True)


def _result(answer: Any) -> Any:
    """Return a tool's result. In a replay, first report what it reported."""
    match answer:
        case Reported(result=result, events=heard, is_live=is_live):
            for event in () if is_live else heard:
                forward_event(event)
            return _result(result)
        case InterruptException():
            raise answer
    return answer
