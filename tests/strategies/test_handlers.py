"""Strategies for handlers, and what is registered for `from_type`."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.contracts.check import check
from playhead.errors import UsageError
from playhead.events.locus import ThinkEvent
from playhead.handlers.base import StreamHandler
from playhead.handlers.buffering import BufferingHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.scripts import Turn
from playhead.sse.message import SSEMessage
from playhead.strategies import FailingHandler, Run, handlers, register, runs
from tests.strategies.drawing import found

pytestmark = pytest.mark.anyio


async def feed(handler: StreamHandler, run: Run) -> None:
    """Feed a handler as an agent would, whatever it raises at the end."""
    for event in run:
        await handler.on_event(event)
    await handler.on_complete()


@settings(max_examples=40)
@given(handlers(failing=False), runs("locus", max_size=12))
async def test_healthy_handlers_take_every_run(handler: StreamHandler, run: Run) -> None:
    """No tree of our own handlers fails at a valid run."""
    await feed(handler, run)


@given(handlers(failing=False))
def test_without_failing_none_fails(handler: StreamHandler) -> None:
    """Failing handlers are only drawn where they are asked for."""
    assert "FailingHandler" not in repr(handler)


@pytest.mark.parametrize("kind", [BufferingHandler, CompositeHandler, FailingHandler, FilteringHandler])
def test_each_kind_comes_up(kind: type) -> None:
    """Leaves and what stands above them are drawn."""
    assert isinstance(found(handlers(), lambda handler: isinstance(handler, kind)), kind)


async def test_a_failing_handler_fails_where_it_should() -> None:
    """From the event on that was given, or at the end."""
    late = FailingHandler(after=1)
    await late.on_event(1)
    with pytest.raises(ValueError, match="after=1"):
        await late.on_event(2)
    assert late.seen == [1, 2]
    with pytest.raises(ValueError, match="on_complete"):
        await FailingHandler("on_complete").on_complete()
    with pytest.raises(UsageError, match="on_event, on_complete, on_error"):
        FailingHandler("on_evnt")


@settings(max_examples=30)
@given(
    st.from_type(ThinkEvent),
    st.from_type(Turn),
    st.from_type(SSEMessage),
    st.from_type(StreamHandler),  # type: ignore[type-abstract]
)
def test_types_are_registered(event: ThinkEvent, turn: Turn, message: SSEMessage, handler: StreamHandler) -> None:
    """`from_type` draws events of the class, turns, messages and handlers."""
    register()
    assert type(event) is ThinkEvent
    assert isinstance(turn, Turn)
    assert message.data is not None
    assert hasattr(handler, "on_event")


def test_hypothesis_finds_us_and_pays_nothing() -> None:
    """The entry point is installed, and loads nothing where events are not in use."""
    assert "playhead" in {each.name for each in entry_points(group="hypothesis")}
    program = "import hypothesis, sys; hypothesis.given; print([name for name in sys.modules if 'playhead' in name])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() in ("[]", "['playhead_hypothesis']")


def test_the_root_knows_the_strategies() -> None:
    """`playhead.strategies.runs(...)` needs no import of its own."""
    program = "import playhead; print(playhead.strategies.runs('locus').example is not None)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "True\n"
    )


@settings(max_examples=20)
@given(runs("shipit"))
def test_a_run_is_a_list_that_prints_as_its_code(run: Run) -> None:
    """What a falsifying example shows makes the same run again."""
    again = eval(repr(run), {"Run": Run})
    assert (again, again.dialect) == (run, "shipit")
    assert not list(check(again, dialect="shipit"))
