"""What of a run becomes instances of a schema."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from playhead.clocks.running import run
from playhead.events import locus
from playhead.handlers.structured import StructuredStream, stream_structured

pytestmark = pytest.mark.anyio


class Person(BaseModel):
    """Be what the model is asked for."""

    name: str = ""
    age: int | None = None


ALICE = Person(name="Alice", age=34)
TEXT = '{"name": "Alice", "age": 34}'


class Stream:
    """Give events, and know whether it was closed."""

    def __init__(self, events: Iterable[Any], error: Exception | None = None) -> None:
        self.events = events
        self.error = error
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            for event in self.events:
                yield event
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def chunks(*texts: str) -> list[Any]:
    """Make the chunks of one model turn."""
    *first, last = texts
    return [*(locus.ModelChunkEvent(content=text) for text in first), locus.ModelChunkEvent(content=last, done=True)]


def end(reason: str = "complete", message: str | None = None) -> locus.TerminateEvent:
    """Make the end of a run."""
    return locus.TerminateEvent(
        reason=reason, iterations_used=1, final_confidence=1, total_tool_calls=0, final_message=message
    )


async def read(events: Iterable[Any], **options: Any) -> tuple[list[Person], StructuredStream[Person]]:
    """Read a stream to its end, and return its partials and itself."""
    stream = StructuredStream(aiter(Stream(events)), Person, **options)
    return [partial async for partial in stream], stream


async def test_partials_and_final() -> None:
    """Partials come as the text does; the final instance is the validated whole, and the reason is kept."""
    partials, stream = await read([*chunks('{"name": "Al', 'ice", "age": 3', "4}"), end(message=TEXT)])
    assert partials == [Person(name="Al"), Person(name="Alice"), ALICE]
    assert (stream.final, stream.terminate_reason) == (ALICE, "complete")
    assert partials[0].model_fields_set == {"name"}


async def test_the_factory_is_the_class() -> None:
    """The function gives the same stream."""
    stream = stream_structured(aiter(Stream(chunks(TEXT))), Person, emit_unchanged=True)
    assert isinstance(stream, StructuredStream)
    assert [partial async for partial in stream] == [ALICE]


async def test_emit_unchanged() -> None:
    """On request every piece of text gives a partial, be it the same as before."""
    pieces = ['{"name": "Alice"', ", ", '"age": 34', "}", "\n"]
    once, _ = await read(chunks(*pieces))
    every, _ = await read(chunks(*pieces), emit_unchanged=True)
    assert once == [Person(name="Alice"), ALICE]
    assert every == [Person(name="Alice")] * 3 + [ALICE] * 2


async def test_each_turn_begins_anew() -> None:
    """Text of an earlier turn, be it half a value, is not continued by a later one."""
    events = [
        *chunks('{"name": "Bob'),
        locus.ThinkEvent(iteration=1),
        *chunks("{", '"name": "Alice", "age": 34}'),
        end(),
    ]
    partials, stream = await read(events)
    assert partials == [Person(name="Bob"), ALICE]
    assert stream.final == ALICE


@pytest.mark.parametrize(
    "event",
    [
        locus.ThinkEvent(iteration=1),
        locus.ModelCompleteEvent(),
        locus.ToolStartEvent(tool_name="t", tool_call_id="1", arguments={}),
        locus.ModelRetryEvent(attempt=1, delay_seconds=1, reason="x", error="x"),
    ],
)
async def test_what_ends_a_turn(event: Any) -> None:
    """A turn also ends without a last chunk: a retry begins the text again."""
    events = [locus.ModelChunkEvent(content='{"name": "Bo'), event, *chunks(TEXT)]
    assert (await read(events))[1].final == ALICE


async def test_other_events_do_not_end_a_turn() -> None:
    """A hook's own event in the middle of the text changes nothing."""
    first, last = chunks('{"name": "Al', 'ice", "age": 34}')
    _, stream = await read([first, locus.CustomEvent(name="x"), last])
    assert stream.final == ALICE


@pytest.mark.parametrize(
    ("events", "final"),
    [
        ([*chunks(TEXT), end()], ALICE),
        ([*chunks(TEXT)], ALICE),
        ([end(message=f"```json\n{TEXT}\n```")], ALICE),
        ([*chunks(TEXT), end(message="Done.")], ALICE),
        ([*chunks('{"name": "Bob"}'), end(message=TEXT)], ALICE),
        ([*chunks('{"name": "Alice"'), end("error")], None),
        ([*chunks('{"name": 1}'), end()], None),
        ([*chunks("No JSON."), end(message="No JSON.")], None),
        ([*chunks(TEXT), *chunks("Done.")], None),
        ([], None),
    ],
)
async def test_final_is_validated_or_none(events: list[Any], final: Person | None) -> None:
    """The final message counts if it validates, else the last turn's text, and only when it is complete."""
    _, stream = await read(events)
    assert stream.final == final


async def test_the_error_of_the_run_passes() -> None:
    """What the run raises reaches the reader after its partials."""
    stream = StructuredStream(aiter(Stream(chunks('{"name": "Al'), ValueError("planted"))), Person)
    assert await anext(stream) == Person(name="Al")
    with pytest.raises(ValueError, match="planted"):
        await anext(stream)
    assert [partial async for partial in stream] == []


async def test_aclose_closes_the_run() -> None:
    """Leaving early closes the stream of events."""
    source = Stream(chunks('{"name": "Al', 'ice"}'))
    stream = StructuredStream(aiter(source), Person)
    await anext(stream)
    await anyio.lowlevel.checkpoint()
    await stream.aclose()
    assert source.closed
    assert [partial async for partial in stream] == []


@given(size=st.integers(1, 12), fenced=st.booleans(), name=st.text(max_size=20))
def test_pieces_do_not_matter(size: int, fenced: bool, name: str) -> None:
    """However the text is cut, the last partial and the final instance are the whole."""
    person = Person(name=name, age=7)
    text = f"```json\n{person.model_dump_json()}\n```" if fenced else person.model_dump_json()
    events = chunks(*(text[start : start + size] for start in range(0, len(text), size)))
    partials, stream = run(read, events)
    assert partials[-1] == stream.final == person
    assert all(name.startswith(partial.name) for partial in partials)
