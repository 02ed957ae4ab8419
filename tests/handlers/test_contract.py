"""A live stream is held to its contracts."""

import pytest

from playhead.contracts.limits import Limits
from playhead.contracts.violation import Violation
from playhead.errors import ContractViolation, UsageError
from playhead.events import ThinkEvent, decode_event
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.contract import ContractHandler
from tests.contracts.streams import DONE, END, HEALTHY, THINK, Event

pytestmark = pytest.mark.anyio


async def feed(handler: ContractHandler, *events: Event) -> None:
    """Feed events, typed and as plain objects in turn."""
    for number, event in enumerate(events):
        await handler.on_event(decode_event(event) if number % 2 else event)


async def test_a_healthy_stream_passes() -> None:
    """Nothing is raised and nothing is found, whatever kind of objects the events are."""
    handler = ContractHandler()
    await feed(handler, *HEALTHY)
    await handler.on_complete()
    assert handler.violations == []


async def test_a_broken_rule_is_raised_at_once() -> None:
    """The call that brings the event raises, with the text of the finding; the handler goes on."""
    handler = ContractHandler()
    await feed(handler, THINK)
    with pytest.raises(ContractViolation, match="event 1: ORD001 tool_complete closes tool span 'c1'"):
        await handler.on_event(DONE)
    await feed(handler, END)
    await handler.on_complete()
    assert [each.code for each in handler.violations] == ["ORD001"]


async def test_what_is_missing_is_raised_at_the_end() -> None:
    """Each end is held to its own promises."""
    handler = ContractHandler()
    await feed(handler, THINK)
    with pytest.raises(ContractViolation, match="TRM001"):
        await handler.on_complete()
    handler.clear()
    await feed(handler, THINK, END)
    with pytest.raises(ContractViolation, match="TRM005"):
        await handler.on_error(ValueError("boom"))
    handler.clear()
    await feed(handler, THINK)
    await handler.on_error(ValueError("boom"))
    assert handler.violations == []


async def test_findings_are_collected_or_told() -> None:
    """With "collect" nothing is raised; a function is called with each finding."""
    quiet = ContractHandler(on_violation="collect")
    await feed(quiet, DONE)
    await quiet.on_complete()
    assert [each.code for each in quiet.violations] == ["ORD001", "TRM001"]
    told: list[Violation] = []
    telling = ContractHandler(on_violation=told.append)
    await feed(telling, DONE)
    assert told == telling.violations != []


async def test_a_warning_is_never_raised() -> None:
    """A clock that goes back only looks wrong."""
    handler = ContractHandler()
    await handler.on_event(decode_event({**THINK, "timestamp": "2030-01-01T00:00:05Z"}))
    await handler.on_event(decode_event({**END, "timestamp": "2030-01-01T00:00:04Z"}))
    await handler.on_complete()
    assert [each.code for each in handler.violations] == ["ORD008"]


async def test_rules_and_limits_are_chosen() -> None:
    """Only what was asked for speaks; an opt-in rule that somebody asked for is raised too."""
    handler = ContractHandler(["ORD"], limits=Limits(steps=1))
    await feed(handler, THINK)
    await handler.on_complete()
    limited = ContractHandler(limits=Limits(steps=1))
    await feed(limited, THINK)
    with pytest.raises(ContractViolation, match="TRM007"):
        await limited.on_event(ThinkEvent(iteration=2))


async def test_nothing_follows_the_end() -> None:
    """What comes after the end is counted and not checked."""
    handler = ContractHandler()
    await feed(handler, *HEALTHY)
    await handler.on_complete()
    await feed(handler, DONE)
    await handler.on_complete()
    assert (handler.late, handler.violations) == (2, [])


async def test_it_works_in_a_composition() -> None:
    """The composite hands the violation on as it does any handler's exception."""
    inner = ContractHandler(on_violation="collect", dialect="shipit")
    await CompositeHandler([inner]).on_event({"type": "tool_completed", "payload": {"call_id": "c"}})
    assert [each.code for each in inner.violations] == ["ORD009", "ORD001"]


async def test_bad_options_are_refused() -> None:
    """The message says what can be given."""
    with pytest.raises(UsageError, match="on_violation='explode' is none of"):
        ContractHandler(on_violation="explode")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="there is no rule 'ODR'"):
        ContractHandler(["ODR"])
    with pytest.raises(UsageError, match="an event is a pydantic model"):
        await ContractHandler().on_event(5)
