"""The loop: ask the model, run the tools that it wants, until it wants none or a condition says that it is enough.

Whatever happens, the stream of a run has one last event: `terminate`, or `interrupt` where a person is asked. Knows the
native taxonomy. Does not know that it is recorded, where states are kept, or how a question is asked.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from anyio import move_on_after

from playhead.agent.asker import Asker
from playhead.agent.batch import GRACE_S, Events, in_call_order, run_jobs
from playhead.agent.calls import Called, Caller
from playhead.agent.faults import Fault
from playhead.agent.hooks import AfterInvocation, AfterIteration, BeforeInvocation, BeforeIteration, Hooks
from playhead.agent.judging import grounded, reflected, verified
from playhead.agent.setup import Setup
from playhead.agent.state import AgentState, Message, Pause, ToolExecution
from playhead.events.locus import (
    AgentEvent,
    InterruptEvent,
    TerminateEvent,
    ThinkEvent,
    ToolCall,
)

Save = Callable[[AgentState], Awaitable[Any]]
"""Keeps a state, for whoever goes on from it."""

COMPLETE: Final = "complete"
"""The reason of a run whose model has given its final answer."""

PAUSED: Final = "interrupt"
"""How hooks are told that a run is over for now: a person is asked."""


@dataclass(slots=True)
class Run:
    """One run of an agent, from a state to its end. `events` may be called once."""

    setup: Setup
    state: AgentState
    hooks: Hooks
    save: Save
    streams: bool = True
    _failure: Exception | None = None
    _settled: AgentState = field(init=False)
    _since_ns: float = field(init=False)
    _asker: Asker = field(init=False)
    _caller: Caller = field(init=False)

    def __post_init__(self) -> None:
        self._settled = self.state
        self._since_ns = self.setup.clock.monotonic_ns() - self.state.elapsed_s * 1e9
        self._asker = Asker(self.setup, self.hooks, self._left_s, self.streams)
        self._caller = Caller(self.setup, self.hooks, self.state.id, self._tool_s)

    async def events(self) -> Events:
        """Yield the events of the run in the order in which they occur, each as it occurs.

        What goes wrong with the model, a hook or a limit ends the run with a reason. What nobody foresaw ends it with
        the reason `error`, and is raised behind that.
        """
        left: str | None = "cancelled"
        try:
            fault = None
            try:
                for stage in self._stages():
                    async with aclosing(stage) as events:
                        async for event in events:
                            yield event
            except Exception as raised:
                fault = self._fault(raised)
            last = await self._last(fault)
            left = None
            for event in last:
                yield event
        except GeneratorExit:
            left = left and "closed"
            raise
        finally:
            if left is not None:
                with move_on_after(GRACE_S, shield=True):
                    await self._leave(left)
        if self._failure is not None:
            raise self._failure

    def _stages(self) -> Iterator[Events]:
        """Yield what is to be done next, as long as there is something."""
        yield self._begin()
        while self.state.reason is None:
            if not self.state.pending:
                yield self._ask()
            if not self.state.pending:
                yield self._conclude()
            else:
                yield self._run_tools()
                if self.state.pause is not None:
                    return
            yield self._settle()

    async def _begin(self) -> Events:
        state = self.state
        steering = await self.hooks.tell(
            BeforeInvocation, prompt=str(state.messages[-1].get("content")), is_resumed=state.iteration > 0
        )
        for event in steering.emitted:
            yield event
        steering.heed()

    async def _ask(self) -> Events:
        """Ask the model, and take its answer in."""
        iteration = self.state.iteration + 1
        self.state = replace(self.state, iteration=iteration)
        steering = await self.hooks.tell(BeforeIteration, iteration=iteration)
        for event in steering.emitted:
            yield event
        steering.heed()
        async with aclosing(self._asker.ask(self._asked(), iteration=iteration)) as pieces:
            async for piece in pieces:
                yield piece
        answer = self._asker.answer
        text, calls = answer.text, tuple(answer.calls)
        self.state = replace(
            self.state,
            answer=text,
            calls=calls,
            pending=calls,
            usage=_added(self.state.usage, answer.usage),
            messages=(*self.state.messages, _assistant(text, calls)),
        )
        yield ThinkEvent(
            iteration=iteration,
            reasoning=text or None,
            tool_calls=answer.calls,
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )

    async def _run_tools(self) -> Events:
        """Run the calls that are pending, and take their results in. One that asks a person pauses the run."""
        setup, caller, pause = self.setup, self._caller, self.state.pause
        caller.made.clear()
        jobs = [
            partial(caller.call, position=position, call=call, answers=pause.answers if pause and not position else ())
            for position, call in enumerate(self.state.pending)
        ]
        events = run_jobs(jobs, at_once=setup.is_concurrent, go_on=lambda: not caller.is_held_up)
        async with aclosing(in_call_order(events, clock=setup.clock) if setup.in_call_order else events) as told:
            async for _, event in told:
                yield event
        self._take_results()

    async def _conclude(self) -> Events:
        """Look at the final answer. What is wrong with it is told to the model; otherwise the run is over."""
        for look in (grounded, verified):
            found = await look(self.state, self.setup)
            self.state = found.state
            for event in found.events:
                yield event
            if found.fault is not None:
                raise found.fault
            if found.is_rejected:
                return
        self.state = replace(self.state, reason=self._condition() or COMPLETE)

    async def _settle(self) -> Events:
        """End an iteration: look back, see whether it is enough, and save the state."""
        if self.state.calls:
            found = await reflected(self.state, self.setup)
            self.state = found.state
            for event in found.events:
                yield event
        steering = await self.hooks.tell(AfterIteration, iteration=self.state.iteration)
        for event in steering.emitted:
            yield event
        steering.heed()
        self.state = replace(self.state, reason=self.state.reason or self._condition(), elapsed_s=self._elapsed_s())
        self._settled = self.state
        if self.state.reason is None:
            await self._save(self.state)

    async def _last(self, fault: Fault | None) -> list[AgentEvent]:
        """End the run, and return its last events."""
        reason = fault.reason if fault else PAUSED if self.state.pause else self.state.reason or COMPLETE
        events: list[AgentEvent] = []
        error = None if fault is None else fault.error
        try:
            if fault is None:
                self._settled = replace(self.state, elapsed_s=self._elapsed_s())
                await self._save(self._settled)
            else:
                await self._save(replace(self._settled, reason=reason))
            steering = await self.hooks.tell(AfterInvocation, **self._outcome(reason, error))
            events += steering.emitted
        except Exception as raised:
            fault = fault or self._fault(raised)
            reason, error = fault.reason, fault.error
            events += self._caller.given_up(error or reason)
        events.append(self._interrupt() if reason == PAUSED else self._terminate(reason, error))
        return events

    async def _leave(self, reason: str) -> None:
        """Note that the run was left before its end."""
        await self._save(replace(self._settled, reason=reason))
        await self.hooks.tell(AfterInvocation, **self._outcome(reason, None))

    async def _save(self, state: AgentState) -> None:
        try:
            await self.save(state)
        except Exception as error:
            raise Fault("checkpoint_failed", f"{type(error).__name__}: {error}") from error

    def _take_results(self) -> None:
        """Take in what the calls returned. Those that have not run, or ask a person, stay pending."""
        made, pending = self._caller.made, self.state.pending
        for each in made.values():
            if each.outcome.failure is not None:
                raise each.outcome.failure
        done = [made[position] for position in sorted(made) if made[position].outcome.paused is None]
        asking = [position for position in sorted(made) if made[position].outcome.paused is not None]
        left = [position for position in range(len(pending)) if position not in made]
        self.state = replace(
            self.state,
            pending=tuple(pending[position] for position in (*asking, *left)),
            pause=self._pause(asking[0]) if asking else None,
            executions=(*self.state.executions, *map(_execution, done)),
            messages=(*self.state.messages, *map(_result, done)),
        )

    def _pause(self, position: int) -> Pause:
        """Return what the call there asks. It may have been answered before, and ask again."""
        before, asked = self.state.pause, self._caller.made[position].outcome.paused
        assert asked is not None
        return Pause(
            question=asked.question,
            options=asked.options,
            interrupt_id=self.setup.ids.new(),
            answers=before.answers if before and position == 0 else (),
        )

    def _fault(self, error: Exception) -> Fault:
        """Return how an exception ends the run. One that nobody foresaw is raised behind the last event."""
        if not isinstance(error, Fault):
            self._failure = error
            return Fault("error", f"{type(error).__name__}: {error}")
        if error.reason == "timeout" and self._left_s() <= 0:
            return Fault("time_budget", error.error)
        return error

    def _condition(self) -> str | None:
        return self.setup.condition.check(replace(self.state, elapsed_s=self._elapsed_s()))

    def _elapsed_s(self) -> float:
        return (self.setup.clock.monotonic_ns() - self._since_ns) / 1e9

    def _left_s(self) -> float:
        return max(0.0, self.setup.condition.limit_s() - self._elapsed_s())

    def _tool_s(self) -> float:
        return min(self.setup.patience.tool_s, self._left_s())

    def _asked(self) -> tuple[Message, ...]:
        prompt = self.setup.system_prompt
        return ({"role": "system", "content": prompt}, *self.state.messages) if prompt else self.state.messages

    def _outcome(self, reason: str, error: str | None) -> dict[str, Any]:
        state = self.state
        return {
            "reason": reason,
            "error": error,
            "iterations": state.iteration,
            "message": state.answer or None,
            "usage": state.usage,
        }

    def _interrupt(self) -> InterruptEvent:
        pause = self.state.pause
        assert pause is not None
        return InterruptEvent(
            question=pause.question,
            options=None if pause.options is None else list(pause.options),
            interrupt_id=pause.interrupt_id,
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )

    def _terminate(self, reason: str, error: str | None) -> TerminateEvent:
        state = self.state
        return TerminateEvent(
            reason=reason,
            iterations_used=state.iteration,
            final_confidence=state.confidence,
            total_tool_calls=len(state.executions),
            final_message=state.answer or None,
            usage=dict(state.usage) or None,
            error=error,
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )


def _assistant(text: str, calls: Sequence[ToolCall]) -> Message:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    return message | {"tool_calls": [call.model_dump() for call in calls]} if calls else message


def _result(made: Called) -> Message:
    outcome = made.outcome
    content = outcome.result if outcome.error is None else f"Error: {outcome.error}"
    return {"role": "tool", "tool_call_id": made.call.id, "content": content}


def _execution(made: Called) -> ToolExecution:
    return ToolExecution(
        tool_name=made.call.name,
        tool_call_id=made.call.id,
        arguments=made.call.arguments,
        result=made.outcome.result,
        error=made.outcome.error,
        duration_ms=made.duration_ms,
    )


def _added(usage: Mapping[str, int], more: Mapping[str, Any]) -> dict[str, int]:
    """Return the sum of two counts of tokens, with their total."""
    counts = {name: count for name, count in more.items() if isinstance(count, int) and name != "total_tokens"}
    total = {name: usage.get(name, 0) + counts.get(name, 0) for name in {**usage, **counts} if name != "total_tokens"}
    return {**total, "total_tokens": sum(total.values())} if total else {}
