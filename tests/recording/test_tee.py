"""A tee is invisible: whatever is done to it behaves as if it were done to the source."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.recording.tee import AsyncTee, Tee

pytestmark = pytest.mark.anyio


class Listed:
    """Be a track that lists what it was told."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.ends: list[BaseException | None] = []

    def take(self, item: Any) -> None:
        self.items.append(item)

    def finish(self, error: BaseException | None = None) -> None:
        self.ends.append(error)


class OddError(BaseException):
    """Be an exception of the kind that `except Exception` misses."""


ERRORS = (ValueError, KeyError, StopAsyncIteration, OddError, GeneratorExit, asyncio.CancelledError)
SOURCE = st.lists(
    st.one_of(
        st.tuples(st.just("yield"), st.integers()),
        st.tuples(st.just("raise"), st.sampled_from(ERRORS)),
        st.tuples(st.just("group"), st.sampled_from(ERRORS)),
        st.tuples(st.just("shield"), st.integers()),
    ),
    max_size=6,
)
"""What a source does, step by step; `shield` yields, and goes on when an exception is thrown in."""

DEEDS = st.lists(
    st.one_of(
        st.just(("next", None)),
        st.tuples(st.just("send"), st.integers() | st.none()),
        st.tuples(st.just("throw"), st.sampled_from(ERRORS)),
        st.just(("close", None)),
    ),
    max_size=8,
)
"""What a consumer does to it."""


def source(steps: list[tuple[str, Any]]) -> Generator[Any, Any, None]:
    """Do the steps as a generator. It answers what is sent."""
    for step, value in steps:
        try:
            if step == "raise":
                raise value("raised")
            if step == "group":
                raise BaseExceptionGroup("several", [value("one"), value("two")])
            sent = yield value
            if sent is not None:
                yield ("sent", sent)
        except (ValueError, KeyError):
            if step != "shield":
                raise


async def async_source(steps: list[tuple[str, Any]]) -> AsyncGenerator[Any, Any]:
    """Do the steps as an asynchronous generator."""
    for step, value in steps:
        try:
            if step == "raise":
                raise value("raised")
            if step == "group":
                raise BaseExceptionGroup("several", [value("one"), value("two")])
            sent = yield value
            if sent is not None:
                yield ("sent", sent)
        except (ValueError, KeyError):
            if step != "shield":
                raise


def shown(error: BaseException) -> str:
    """Return an exception as a trace keeps it."""
    cause = error.__cause__
    return f"{error!r} from {cause!r}"


def trace(iterator: Any, deeds: list[tuple[str, Any]]) -> list[Any]:
    """Do something to an iterator, and return what each deed gave or raised."""
    methods: dict[str, Callable[[Any], Any]] = {
        "next": lambda _: next(iterator),
        "send": lambda value: iterator.send(value),
        "throw": lambda kind: iterator.throw(kind("thrown")),
        "close": lambda _: iterator.close(),
    }
    found: list[Any] = []
    for deed, value in deeds:
        try:
            found.append(methods[deed](value))
        except BaseException as error:
            found.append(shown(error))
    return found


async def async_trace(iterator: Any, deeds: list[tuple[str, Any]]) -> list[Any]:
    """Do the same to an asynchronous iterator."""
    methods: dict[str, Callable[[Any], Any]] = {
        "next": lambda _: iterator.__anext__(),
        "send": lambda value: iterator.asend(value),
        "throw": lambda kind: iterator.athrow(kind("thrown")),
        "close": lambda _: iterator.aclose(),
    }
    found: list[Any] = []
    for deed, value in deeds:
        try:
            found.append(await methods[deed](value))
        except BaseException as error:
            found.append(shown(error))
    return found


@given(steps=SOURCE, deeds=DEEDS)
def test_a_plain_tee_is_invisible(steps: list[tuple[str, Any]], deeds: list[tuple[str, Any]]) -> None:
    """Whatever a consumer does, it sees the same with the tee and without."""
    track = Listed()
    bare, teed = source(steps), Tee(source(steps), track)
    expected = trace(bare, deeds)
    assert trace(teed, deeds) == expected
    assert track.items == [each for each in expected if not isinstance(each, str) and each is not None]


@given(steps=SOURCE, deeds=DEEDS, backend=st.sampled_from(["asyncio", "trio"]))
def test_an_async_tee_is_invisible(steps: list[tuple[str, Any]], deeds: list[tuple[str, Any]], backend: str) -> None:
    """So it does with an asynchronous one, on asyncio and on trio."""

    async def main() -> None:
        track = Listed()
        bare, teed = async_source(steps), async_source(steps)
        expected = await async_trace(bare, deeds)
        assert await async_trace(AsyncTee(teed, track), deeds) == expected
        assert track.items == [each for each in expected if not isinstance(each, str) and each is not None]
        # What is left half-read would draw a warning from trio.
        for left in (bare, teed):
            await left.aclose()

    anyio.run(main, backend=backend)


def test_the_very_object_passes() -> None:
    """Consumer and track get the object that the source yields, not a copy."""
    thing, track = object(), Listed()
    assert all(got is thing for got in Tee([thing], track))
    assert track.items[0] is thing
    assert track.ends == [None]


def test_a_returned_value_passes() -> None:
    """`yield from` through a tee gives what the generator returns."""

    def inner() -> Generator[int, None, int]:
        yield 1
        return 7

    def outer() -> Generator[int, None, None]:
        teed: Any = Tee(inner(), Listed())
        yield (yield from teed)

    assert list(outer()) == [1, 7]


def test_nothing_is_read_ahead() -> None:
    """The tee asks its source for an item only when it is asked for one."""
    asked: list[int] = []

    def asking() -> Iterator[int]:
        for number in range(5):
            asked.append(number)
            yield number

    tee = Tee(asking(), Listed())
    assert asked == []
    next(tee)
    assert asked == [0]


def test_a_source_without_methods_has_none() -> None:
    """What the source cannot do, the tee cannot either; closing it does no harm."""
    track = Listed()
    tee = Tee([1, 2], track)
    with pytest.raises(AttributeError):
        tee.send(1)
    tee.close()
    assert [type(end) for end in track.ends] == [GeneratorExit]


def test_closing_closes_the_source_at_once() -> None:
    """The source's clean-up has run when `close` returns; what it raises passes, and is the end."""

    def failing() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise RuntimeError("the clean-up failed")

    track = Listed()
    tee = Tee(failing(), track)
    next(tee)
    with pytest.raises(RuntimeError, match="the clean-up failed"):
        tee.close()
    assert [type(end) for end in track.ends] == [RuntimeError]


async def test_cancelling_reaches_a_source_that_waits() -> None:
    """A cancelled consumer cancels what the source waits for, and its clean-up runs."""
    log: list[str] = []

    async def waiting() -> AsyncIterator[int]:
        try:
            yield 1
            await anyio.sleep_forever()
        finally:
            log.append("cleaned up")

    track = Listed()
    tee = AsyncTee(waiting(), track)
    await anext(tee)
    with anyio.move_on_after(0) as scope:
        await anext(tee)
    assert scope.cancelled_caught
    assert log == ["cleaned up"]
    assert len(track.ends) == 1
    assert type(track.ends[0]).__name__ in {"CancelledError", "Cancelled"}


async def test_an_error_raised_when_asked_is_an_end_too() -> None:
    """A source whose `__anext__` raises before it waits is seen to fail."""

    class Eager:
        def __aiter__(self) -> "Eager":
            return self

        def __anext__(self) -> Any:
            raise RuntimeError("at once")

    track = Listed()
    with pytest.raises(RuntimeError, match="at once"):
        await anext(AsyncTee(Eager(), track))
    assert [type(end) for end in track.ends] == [RuntimeError]
