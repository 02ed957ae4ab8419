"""Running the call of a tool: its hooks, its deadline, and the events that tell of it.

Knows one call from its start to its completion. Does not know what runs beside it, nor what the model asked.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Final, NamedTuple

from anyio import to_thread
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from playhead.agent.batch import Put
from playhead.agent.deadlines import Deadlines
from playhead.agent.faults import is_harness_failure
from playhead.agent.hooks import MAX_ATTEMPTS, AfterToolCall, BeforeToolCall, Hooks, Steering
from playhead.agent.setup import Setup
from playhead.agent.tools import CURRENT, Paused, Running, Tool
from playhead.events.frozen import freeze
from playhead.events.locus import AgentEvent, ToolCall, ToolCompleteEvent, ToolStartEvent
from playhead.events.made import maker

_START: Final = maker(ToolStartEvent)
_COMPLETE: Final = maker(ToolCompleteEvent)


class Outcome(NamedTuple):
    """Say how a call ended: with a result, an error, a question to a person, or a failure that is not the tool's."""

    result: str | None = None
    error: str | None = None
    structured: dict[str, Any] | None = None
    paused: Paused | None = None
    failure: Exception | None = None


class Called(NamedTuple):
    """Hold a call that was made, with the arguments that were used."""

    call: ToolCall
    outcome: Outcome
    duration_ms: float


@dataclass(slots=True)
class Caller:
    """Make the calls of one run, called `run_key`; each has `timeout_s()` seconds.

    `made` holds the calls of the answer that is worked on, by their position in it.
    """

    setup: Setup
    hooks: Hooks
    run_key: str
    timeout_s: Callable[[], float]
    deadlines: Deadlines
    made: dict[int, Called] = field(default_factory=dict)
    count: int = 0

    @property
    def is_held_up(self) -> bool:
        """Say whether a call has paused or failed the run, so that no further one may begin."""
        return any(each.outcome.paused or each.outcome.failure for each in self.made.values())

    async def call(self, put: Put, *, position: int, call: ToolCall, answers: tuple[Any, ...]) -> None:
        """Make a call, tell of it, and note how it ended. Raises nothing but its own cancellation."""
        self.count += 1
        number, start_ns, is_told = self.count, self.setup.clock.monotonic_ns(), False
        try:
            call, cancelled = await self._before(number, call, put)
            put(self._start(call))
            is_told = True
            if cancelled is None:
                outcome = await self._run(number, call, answers, put)
            else:
                outcome = Outcome(error=cancelled)
        except Exception as failure:
            outcome = Outcome(error=str(failure), failure=failure)
        self.made[position] = made = Called(call, outcome, self._since_ms(start_ns))
        if is_told and outcome.paused is None:
            put(self._complete(made))

    def given_up(self, error: str) -> list[AgentEvent]:
        """Return the completions of calls that asked a person who will not be asked."""
        asking = [made for made in self.made.values() if made.outcome.paused]
        return [self._complete(made._replace(outcome=Outcome(error=error))) for made in asking]

    async def _before(self, number: int, call: ToolCall, put: Put) -> tuple[ToolCall, str | None]:
        """Return the call as the hooks want it, and why it is not to be made, if so."""
        if BeforeToolCall not in self.hooks.heard:
            return call, None
        steering = await self.hooks.tell(
            BeforeToolCall, number=number, tool_name=call.name, tool_call_id=call.id, arguments=call.arguments
        )
        emit_all(steering, put)
        if steering.arguments is not None:
            call = ToolCall(id=call.id, name=call.name, arguments=dict(steering.arguments))
        return call, steering.cancelled

    async def _run(self, number: int, call: ToolCall, answers: tuple[Any, ...], put: Put) -> Outcome:
        """Run the tool, and again while a hook says so, as long as there is time."""
        setup, attempt = self.setup, 0
        while True:
            attempt += 1
            start_ns = setup.clock.monotonic_ns()
            running = Running(call, put, setup.clock, setup.name, list(answers), self.run_key)
            outcome = await run_tool(
                setup.tools.get(call.name), running, timeout_s=self.timeout_s(), deadlines=self.deadlines
            )
            if outcome.failure is not None or AfterToolCall not in self.hooks.heard:
                return outcome
            steering = await self.hooks.tell(
                AfterToolCall,
                number=number,
                tool_name=call.name,
                tool_call_id=call.id,
                arguments=call.arguments,
                result=outcome.result,
                error=outcome.error,
                duration_ms=self._since_ms(start_ns),
                paused=outcome.paused is not None,
            )
            emit_all(steering, put)
            if not steering.retried or attempt == MAX_ATTEMPTS or self.timeout_s() <= 0:
                return outcome if steering.result is None else Outcome(result=steering.result)
            await setup.clock.sleep(steering.delay_s)

    def _start(self, call: ToolCall) -> ToolStartEvent:
        return _START(
            tool_name=call.name,
            tool_call_id=call.id,
            arguments=call.arguments,
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )

    def _complete(self, made: Called) -> ToolCompleteEvent:
        return _COMPLETE(
            tool_name=made.call.name,
            tool_call_id=made.call.id,
            result=made.outcome.result,
            error=made.outcome.error,
            duration_ms=made.duration_ms,
            structured_content=freeze(made.outcome.structured),
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )

    def _since_ms(self, start_ns: int) -> float:
        return (self.setup.clock.monotonic_ns() - start_ns) / 1e6


def emit_all(steering: Steering, put: Put) -> None:
    """Put the events that hooks emitted into the stream."""
    for event in steering.emitted:
        put(event)


async def run_tool(tool: Tool | None, running: Running, *, timeout_s: float, deadlines: Deadlines) -> Outcome:
    """Run a tool and return how it ended. Raises nothing but its own cancellation.

    A function in a thread cannot be stopped: after the deadline, or when the run is left, its thread goes on and nobody
    listens to it.
    """
    call = running.call
    if tool is None:
        return Outcome(error=f"there is no tool {call.name!r}")
    if call.malformed_arguments is not None:
        return Outcome(error=f"the arguments are no JSON object: {call.malformed_arguments[:200]}")
    token = CURRENT.set(running)
    try:
        with deadlines.within(timeout_s):
            return _outcome(await _value(tool, running))
        return Outcome(error=f"TimeoutError: the tool was still running after {timeout_s:g} s")
    except Paused as paused:
        return Outcome(paused=paused)
    except BaseExceptionGroup as group:
        return _grouped(group)
    except Exception as error:
        return _failed(error, tool.name)
    finally:
        CURRENT.reset(token)


async def _value(tool: Tool, running: Running) -> Any:
    if tool.is_async:
        return await tool.function(running.call.arguments)
    running.in_thread = True
    value = await to_thread.run_sync(tool.function, running.call.arguments, abandon_on_cancel=True)
    running.in_thread = False
    return await value if isawaitable(value) else value


def _outcome(value: Any) -> Outcome:
    """Return a tool's value as the model reads it: text as it is, nothing as empty text, all else as JSON."""
    if value is None or isinstance(value, str):
        return Outcome(result=value or "")
    try:
        text = to_json(value).decode()
    except (PydanticSerializationError, UnicodeError):
        return Outcome(result=str(value))
    return Outcome(result=text, structured=json.loads(text) if isinstance(value, dict) else None)


def _failed(error: Exception, name: str) -> Outcome:
    if is_harness_failure(error):
        return Outcome(error=str(error), failure=error)
    if isinstance(error, ValidationError) and error.title in (name, f"call[{name}]"):
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return Outcome(error=f"the arguments do not fit: {wrong}")
    return Outcome(error=f"{type(error).__name__}: {error}")


def _grouped(group: BaseExceptionGroup[BaseException]) -> Outcome:
    """Return the outcome of a tool whose own tasks failed: a question among the failures is asked."""
    first: BaseException | None = group.subgroup(Paused)
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, Paused):
        return Outcome(paused=first)
    if not isinstance(group, Exception):
        raise group
    return Outcome(error=f"{type(group).__name__}: {group}")
