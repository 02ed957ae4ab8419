"""What goes into events as it is given has to be text, and is looked at where it is given."""

from typing import Any

import pytest

from playhead.agent.agent import Agent
from playhead.agent.hooks import AfterToolCall, BeforeToolCall, HookProvider
from playhead.errors import UsageError
from playhead.events.locus import TerminateEvent
from playhead.models.scripted import ScriptedModel
from playhead.scripts import call


class Careless(HookProvider):
    """Give a number where a text is wanted."""

    def __init__(self, moment: str) -> None:
        self.moment = moment

    async def on_before_tool_call(self, event: BeforeToolCall) -> None:
        """Cancel with a number."""
        number: Any = 5
        if self.moment == "before":
            event.cancel(number)

    async def on_after_tool_call(self, event: AfterToolCall) -> None:
        """Replace the result with a number."""
        number: Any = 5
        event.replace_result(number)


def look() -> str:
    """Stand for a tool."""
    return "sunny"


@pytest.mark.anyio
@pytest.mark.parametrize(("moment", "method"), [("before", "cancel"), ("after", "replace_result")])
async def test_hooks_give_texts(moment: str, method: str) -> None:
    """A hook that gives something else fails the run, and the last event says which method it was."""
    agent = Agent(ScriptedModel([call("look"), "Done."]), [look], hooks=[Careless(moment)])
    last = [event async for event in agent.run("Rain?")][-1]
    assert isinstance(last, TerminateEvent)
    assert (last.reason, f"{method}() takes a text, and this is int" in str(last.error)) == ("hook_failed", True)


def test_a_name_is_a_text() -> None:
    """Every event carries it."""
    name: Any = 5
    with pytest.raises(UsageError, match="name=5: a name is a text"):
        Agent(ScriptedModel([]), name=name)
