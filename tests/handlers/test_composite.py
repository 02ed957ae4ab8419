"""What a composite handler does beyond the guarantees, which the conformance suite checks."""

from typing import Any

import anyio
import pytest

from playhead.handlers.base import BaseStreamHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from tests.handlers.conformance import Probe, Waiting, event

pytestmark = pytest.mark.anyio


class Changing(BaseStreamHandler):
    """Do something to the composite in the middle of a dispatch."""

    def __init__(self) -> None:
        self.change: Any = None

    async def on_event(self, event: Any) -> None:
        await self.change()


async def test_handlers_are_a_list_of_their_own() -> None:
    """The children are a list of their own, which can be looked at."""
    given = [Probe()]
    composite = CompositeHandler(given)
    assert composite.handlers == given
    assert composite.handlers is not given
    assert CompositeHandler().handlers == []


async def test_adding_takes_effect_with_the_next_event() -> None:
    """A child that is added during a dispatch misses the event under way."""
    changing, added = Changing(), Probe()
    composite = CompositeHandler([changing])

    async def add() -> None:
        if added not in composite.handlers:
            composite.add_handler(added)

    changing.change = add
    await composite.on_event(event(1))
    await composite.on_event(event(2))
    assert added.calls == [2]


async def test_removing_takes_effect_with_the_next_event() -> None:
    """A child that is removed during a dispatch still gets the event under way."""
    changing, removed, last = Changing(), Probe(), Probe()
    composite = CompositeHandler([changing, removed, last])

    async def remove() -> None:
        if removed in composite.handlers:
            composite.remove_handler(removed)

    changing.change = remove
    await composite.on_event(event(1))
    await composite.on_event(event(2))
    assert (removed.calls, last.calls) == ([1], [1, 2])


async def test_removing_a_stranger_is_an_error() -> None:
    """Only a child can be removed."""
    with pytest.raises(ValueError, match="not in list"):
        CompositeHandler().remove_handler(Probe())


async def test_an_end_inside_a_dispatch_overtakes_the_event() -> None:
    """A child that ends the composite: those after it get the end, and not the event after it."""
    changing, after = Changing(), Probe()
    composite = CompositeHandler([changing, after])
    changing.change = composite.on_complete
    await composite.on_event(event(1))
    assert after.calls == ["complete"]
    assert composite.late == 1


async def test_the_group_says_who_failed_at_what() -> None:
    """The message of the group names the call and the failing children, and holds their errors as they are."""
    first, second = ValueError("first"), KeyError("second")
    composite = CompositeHandler([Probe(first), BufferingHandler(), Probe(second)])
    with pytest.raises(ExceptionGroup, match=r"2 failed in on_event\('tool_start'\): Probe, Probe") as caught:
        await composite.on_event(event(1))
    assert caught.value.exceptions == (first, second)
    with pytest.raises(ExceptionGroup, match=r"2 failed in on_error\(OSError\): Probe, Probe"):
        await composite.on_error(OSError("x"))


async def test_one_error_is_a_group_too() -> None:
    """Callers need to know one form only."""
    with pytest.raises(ExceptionGroup, match=r"1 failed in on_complete\(\): Probe"):
        await CompositeHandler([Probe(ValueError("x"))]).on_complete()


async def test_a_failing_child_gets_the_next_event() -> None:
    """One failure does not put a child out."""
    probe = Probe(ValueError("x"))
    composite = CompositeHandler([probe])
    for number in (1, 2):
        with pytest.raises(ExceptionGroup):
            await composite.on_event(event(number))
    assert probe.calls == [1, 2]


async def test_cancellation_bears_the_errors_before_it() -> None:
    """What children raised before a cancellation is not lost: it is in the notes."""
    composite = CompositeHandler([Probe(ValueError("planted")), Waiting()])
    caught: list[BaseException] = []

    async def feed() -> None:
        try:
            await composite.on_event(event(1))
        except BaseException as error:
            caught.append(error)
            raise

    async with anyio.create_task_group() as group:
        group.start_soon(feed)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert caught[0].__notes__ == ["Before this, Probe raised ValueError('planted')."]


class Exits(BaseStreamHandler):
    """Leave the program."""

    async def on_event(self, event: Any) -> None:
        raise SystemExit(3)


async def test_what_is_no_exception_passes_at_once() -> None:
    """Leaving the program is no failure of a child, and nobody is called after it."""
    probe = Probe()
    with pytest.raises(SystemExit):
        await CompositeHandler([Exits(), probe]).on_event(event(1))
    assert probe.calls == []


async def test_a_child_that_is_listed_twice_hears_one_end() -> None:
    """An event reaches it twice, as was asked for, but no handler may end twice."""
    probe = Probe()
    composite = CompositeHandler([probe, probe])
    await composite.on_event(event(1))
    await composite.on_complete()
    assert probe.calls == [1, 1, "complete"]


async def test_clear_reaches_children_that_can() -> None:
    """Clearing a composite makes it whole again, whether or not a child knows how to be cleared."""
    buffering, probe = BufferingHandler(), Probe()
    composite = CompositeHandler([buffering, probe])
    await composite.on_complete()
    composite.clear()
    await composite.on_event(event(1))
    assert (len(buffering.get_events()), probe.calls) == (1, ["complete", 1])
