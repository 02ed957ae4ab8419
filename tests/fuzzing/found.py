"""What is driven in the tests of `docs/found.md`: real handlers, agents and checkpointers of locus and shipit."""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

from datetime import UTC, datetime
from typing import Any

from locus.agent import Agent as LocusAgent
from locus.core.messages import Message
from locus.core.state import AgentState
from locus.streaming.sse import SSEMessage
from locus.tools import tool
from shipit_agent.agent import Agent as ShipitAgent
from shipit_agent.tools.function import FunctionTool

from playhead.adapters.locus import scripted as scripted_for_locus
from playhead.adapters.shipit import scripted as scripted_for_shipit

AT = datetime(2030, 1, 1, tzinfo=UTC)


@tool
async def weather(city: str) -> str:
    """Say what the weather is like in a city."""
    return f"sun in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def locus_agent(model: Any) -> LocusAgent:
    """Make a real agent of locus."""
    return LocusAgent(model=scripted_for_locus(model), tools=[weather], context_window=10_000)


def shipit_agent(model: Any) -> ShipitAgent:
    """Make a real agent of shipit."""
    tools = [FunctionTool.from_callable(add)]
    return ShipitAgent(llm=scripted_for_shipit(model), tools=tools, session_id="user-42")


def locus_encode(event: str, data: str, id: str) -> str:
    """Write a message as locus does."""
    return SSEMessage(event=event, data=data, id=id).format()


def locus_state(text: str) -> AgentState:
    """Make a state of locus' that holds a text."""
    # A set of several is spelled in another order after each start of Python.
    return AgentState(
        agent_id="a",
        run_id="r",
        started_at=AT,
        updated_at=AT,
        messages=(Message.user(text),),
        tool_loop_read_only_tools=frozenset({"read"}),
    )
