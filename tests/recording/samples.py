"""Events and sources that the tests of recording and replaying share."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from typing import Any, TypeVar

from playhead.clocks.virtual import VirtualClock
from playhead.events.locus import ModelChunkEvent, TerminateEvent, ThinkEvent, ToolCompleteEvent, ToolStartEvent

T = TypeVar("T")

START = VirtualClock().now()


def think(iteration: int = 1) -> ThinkEvent:
    """Return an event that begins a step."""
    return ThinkEvent(iteration=iteration, timestamp=START)


def chunk(content: str | None, *, done: bool = False) -> ModelChunkEvent:
    """Return a piece of an answer."""
    return ModelChunkEvent(content=content, done=done, timestamp=START)


def terminate(reason: str = "complete") -> TerminateEvent:
    """Return the event that ends a run."""
    return TerminateEvent(reason=reason, iterations_used=1, final_confidence=1.0, total_tool_calls=0, timestamp=START)


def run_of_a_tool() -> list[Any]:
    """Return a whole run that calls a tool."""
    return [
        think(),
        ToolStartEvent(tool_name="search", tool_call_id="c1", arguments={"city": "Paris"}, timestamp=START),
        ToolCompleteEvent(tool_name="search", tool_call_id="c1", result="sun", duration_ms=1.5, timestamp=START),
        think(2),
        terminate(),
    ]


async def later(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Yield items as an asynchronous generator."""
    for item in items:
        yield item


def failing(items: Iterable[T], error: BaseException) -> Iterator[T]:
    """Yield items, then raise."""
    yield from items
    raise error


async def later_failing(items: Iterable[T], error: BaseException) -> AsyncIterator[T]:
    """Do so as an asynchronous generator."""
    for item in items:
        yield item
    raise error


def made_up_key() -> str:
    """Return a text that looks like a provider's key, made here so that no scanner finds one in this file."""
    return "sk-" + "proj-" + "".join("Ab3dE5gH7jK9mN1pQ3sT5v"[number % 22] for number in range(64))
