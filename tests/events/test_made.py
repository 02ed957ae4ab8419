"""Events that are made without validation are those that validation would have made."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from playhead.clock import utc_now
from playhead.events.codec import event_json
from playhead.events.frozen import FrozenDict, FrozenList
from playhead.events.locus import (
    ModelChunkEvent,
    ModelCompleteEvent,
    ThinkEvent,
    ToolCall,
    ToolCompleteEvent,
    ToolStartEvent,
)
from playhead.events.made import maker

NOW = utc_now()
CALL = ToolCall(id="c1", name="search", arguments={"q": ["x"]})
CALLS = FrozenList([CALL])
SAMPLES: list[tuple[Callable[..., BaseModel], dict[str, Any]]] = [
    (ToolCall, {"id": "c1", "name": "search", "arguments": FrozenDict({"q": "x"})}),
    (ToolCall, {"name": "search", "id": "c1"}),
    (ThinkEvent, {"iteration": 1, "reasoning": "hm", "tool_calls": CALLS, "agent_name": "a", "timestamp": NOW}),
    (ThinkEvent, {"timestamp": NOW, "iteration": 2}),
    (ToolStartEvent, {"tool_name": "search", "tool_call_id": "", "arguments": CALL.arguments, "timestamp": NOW}),
    (ToolCompleteEvent, {"tool_call_id": "c1", "tool_name": "s", "result": "\ud800", "timestamp": NOW}),
    (ModelChunkEvent, {"content": "x", "timestamp": NOW}),
    (ModelCompleteEvent, {"tool_calls": CALLS, "usage": FrozenDict({"total_tokens": 1}), "timestamp": NOW}),
]


@pytest.mark.parametrize(("model", "fields"), SAMPLES)
def test_it_is_what_validation_makes(model: Callable[..., BaseModel], fields: dict[str, Any]) -> None:
    """It is equal, has the fields in their order, says which were given, and is written in the same bytes."""
    made, validated = maker(model)(**fields), model(**fields)
    assert made == validated
    assert list(vars(made).items()) == list(vars(validated).items())
    assert made.model_fields_set == validated.model_fields_set
    assert event_json(made) == event_json(validated)
    assert repr(made) == repr(validated)


@pytest.mark.parametrize(("model", "fields"), SAMPLES)
def test_it_can_be_copied_and_sent(model: Callable[..., BaseModel], fields: dict[str, Any]) -> None:
    """A copy and a pickle of it are equal to it, and none of them can be changed."""
    made = maker(model)(**fields)
    for copied in (made.model_copy(), made.model_copy(deep=True), pickle.loads(pickle.dumps(made))):
        assert copied == made
        with pytest.raises(ValidationError, match="frozen"):
            setattr(copied, next(iter(fields)), None)


def test_what_is_made_up_is_made_up_each_time() -> None:
    """A field with a factory has a value of its own in each event that was not given one."""
    make = maker(ThinkEvent)
    first, second = make(iteration=1), make(iteration=2)
    assert NOW <= first.timestamp <= second.timestamp <= utc_now()
    assert first.tool_calls is not second.tool_calls
    assert (first.tool_calls, first.iteration, second.iteration) == ([], 1, 2)
