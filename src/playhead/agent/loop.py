"""The loop: ask the model, run the tools that it wants, until it wants none or a condition says that it is enough.

Whatever happens, the stream of a run has one last event: `terminate`, or `interrupt` where a person is asked. Knows the
native taxonomy. Does not know that it is recorded, where states are kept, or how a question is asked.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from types import AsyncGeneratorType
from typing import Any, Final, cast

from anyio import move_on_after

from playhead.agent.asker import Asker
from playhead.agent.batch import GRACE_S, InCallOrder, run_jobs
from playhead.agent.calls import Called, Caller
from playhead.agent.deadlines import Deadlines
from playhead.agent.faults import Fault
from playhead.agent.hooks import AfterInvocation, AfterIteration, BeforeInvocation, BeforeIteration, HookEvent, Hooks
from playhead.agent.judging import Look, grounded, reflected, verified
from playhead.agent.setup import Setup
from playhead.agent.state import AgentState, Message, Pause, Progress, ToolExecution
from playhead.agent.steps import NOTHING, Events, Step, Told
from playhead.events.frozen import FrozenDict, FrozenList
from playhead.events.locus import AgentEvent, InterruptEvent, TerminateEvent, ThinkEvent, ToolCall
from playhead.events.made import maker

_LOG = logging.getLogger(__name__)

Save = Callable[[AgentState], Awaitable[Any]]
"""Keeps a state, for whoever goes on from it."""

COMPLETE: Final = "complete"
"""The reason of a run whose model has given its final answer."""

PAUSED: Final = "interrupt"
"""How hooks are told that a run is over for now: a person is asked."""

_THINK: Final = maker(ThinkEvent)
_TERMINATE: Final = maker(TerminateEvent)


@dataclass(slots=True)
class Run:
    """One run of an agent, from a state to its end. `events` may be called once."""

    setup: Setup
    before: AgentState
    save: Save
    hooks: Hooks
    streams: bool = True
    _failure: Exception | None = None
    _is_rejected: bool = False
    _now: Progress = field(init=False)
    _settled: AgentState = field(init=False)
    _since_ns: float = field(init=False)
    _limit_s: float = field(init=False)
    _deadlines: Deadlines = field(default_factory=Deadlines)
    _asker: Asker = field(init=False)
    _caller: Caller = field(init=False)

    def __post_init__(self) -> None:
        self._settled = self.before
        self._now = Progress.of(self.before)
        self._since_ns = self.setup.clock.monotonic_ns() - self.before.elapsed_s * 1e9
        self._limit_s = self.setup.condition.limit_s()
        self._asker = Asker(self.setup, self.hooks, self._left_s, self.streams, self._deadlines)
        self._caller = Caller(self.setup, self.hooks, self.before.id, self._tool_s, self._deadlines)

    async def events(self) -> Events:
        """Yield the events of the run in the order in which they occur, each as it occurs.

        What goes wrong with the model, a hook or a limit ends the run with a reason. What nobody foresaw ends it with
        the reason `error`, and is raised behind that.
        """
        left: str | None = "cancelled"
        try:
            fault = None
            try:
                for step in self._steps():
                    if isinstance(step, AsyncGeneratorType):
                        async with aclosing(step) as events:
                            async for event in events:
                                yield event
                        continue
                    told, fault = step if isinstance(step, tuple) else await cast("Awaitable[Told]", step)
                    for event in told:
                        yield event
                    if fault is not None:
                        break
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
            self._deadlines.close()
            if left is not None:
                await self._leave(left)
        if self._failure is not None:
            raise self._failure

    def _steps(self) -> Iterator[Step]:
        """Yield what is to be done next, as long as there is something."""
        now, tell, heard = self._now, self._tell, self.hooks.heard
        if BeforeInvocation in heard:
            yield tell(BeforeInvocation, prompt=str(now.messages[-1].get("content")), is_resumed=now.iteration > 0)
        while now.reason is None:
            if not now.pending:
                now.iteration += 1
                if BeforeIteration in heard:
                    yield tell(BeforeIteration, iteration=now.iteration)
                yield self._asker.ask(self._asked(), iteration=now.iteration)
                yield self._think()
            if not now.pending:
                yield from self._conclude()
            else:
                yield self._run_tools()
                self._take_results()
                if now.pause is not None:
                    return
            if now.calls and self.setup.reflexion is not None:
                yield self._look(reflected)
            if AfterIteration in heard:
                yield tell(AfterIteration, iteration=now.iteration)
            yield self._settle()

    async def _tell(self, moment: Callable[..., HookEvent], **told: Any) -> Told:
        steering = await self.hooks.tell(moment, **told)
        return steering.emitted, steering.fault

    def _think(self) -> Told:
        """Take the model's answer in."""
        answer, now = self._asker.answer, self._now
        now.answer, now.calls = answer.text, tuple(answer.calls)
        now.pending = now.calls
        now.usage = _added(now.usage, answer.usage)
        now.messages += (_assistant(now.answer, now.calls),)
        event = _THINK(
            iteration=now.iteration,
            reasoning=now.answer or None,
            tool_calls=FrozenList(answer.calls),
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )
        return (event,), None

    def _run_tools(self) -> Events:
        """Run the calls that are pending."""
        setup, caller, pause = self.setup, self._caller, self._now.pause
        caller.made.clear()
        jobs = [
            partial(caller.call, position=position, call=call, answers=pause.answers if pause and not position else ())
            for position, call in enumerate(self._now.pending)
        ]
        order = InCallOrder(setup.clock) if setup.in_call_order else None
        return run_jobs(jobs, at_once=setup.is_concurrent, go_on=lambda: not caller.is_held_up, order=order)

    def _conclude(self) -> Iterator[Step]:
        """Look at the final answer. What is wrong with it is told to the model; otherwise the run is over."""
        for is_wanted, look in ((self.setup.grounding, grounded), (self.setup.output_schema, verified)):
            if is_wanted is not None:
                yield self._look(look)
                if self._is_rejected:
                    return
        self._now.reason = self.setup.condition.check(self._state()) or COMPLETE

    async def _look(self, look: Look) -> Told:
        """Look back, and take in what was found."""
        found = await look(self._state(), self.setup)
        self._now.take(found.state)
        self._is_rejected = found.is_rejected
        return found.events, found.fault

    async def _settle(self) -> Told:
        """End an iteration: see whether it is enough, and save the state if not."""
        now = self._now
        if now.reason is None:
            state = self._state()
            now.reason = self.setup.condition.check(state)
            if now.reason is None:
                self._settled = state
                await self._save(state)
        return NOTHING

    async def _last(self, fault: Fault | None) -> list[AgentEvent]:
        """End the run, and return its last events."""
        events: list[AgentEvent] = []
        if fault is None:
            self._settled = self._state()
        try:
            await self._save(self._settled if fault is None else replace(self._settled, reason=fault.reason))
        except Fault as raised:
            fault = fault or raised
        try:
            if AfterInvocation in self.hooks.heard:
                steering = await self.hooks.tell(AfterInvocation, **self._outcome(*self._ending(fault)))
                events += steering.emitted
        except Fault as raised:
            fault = fault or raised
        reason, error = self._ending(fault)
        if reason == PAUSED:
            return [*events, self._interrupt()]
        return [*events, *self._caller.given_up(error or reason), self._terminate(reason, error)]

    def _ending(self, fault: Fault | None) -> tuple[str, str | None]:
        """Return why the run is over, and what more there is to tell of that."""
        if fault is not None:
            return fault.reason, fault.error
        return PAUSED if self._now.pause else self._now.reason or COMPLETE, None

    async def _leave(self, reason: str) -> None:
        """Note that the run was left before its end. Nobody is there to be told of what goes wrong: it is logged."""
        for last in (
            partial(self._save, replace(self._settled, reason=reason)),
            partial(self.hooks.tell, AfterInvocation, **self._outcome(reason, None)),
        ):
            try:
                with move_on_after(GRACE_S, shield=True):
                    await last()
            except Exception:
                _LOG.exception("a run was left (%s), and that could not be noted", reason)

    async def _save(self, state: AgentState) -> None:
        try:
            await self.save(state)
        except Exception as error:
            raise Fault("checkpoint_failed", f"{type(error).__name__}: {error}") from error

    def _take_results(self) -> None:
        """Take in what the calls returned. Those that have not run, or ask a person, stay pending."""
        made, now = self._caller.made, self._now
        for each in made.values():
            if each.outcome.failure is not None:
                raise each.outcome.failure
        asking: list[int] = []
        left: list[int] = []
        for position in range(len(now.pending)):
            called = made.get(position)
            if called is None:
                left.append(position)
            elif called.outcome.paused is not None:
                asking.append(position)
            else:
                now.executions += (_execution(called),)
                now.messages += (_result(called),)
        now.pause = self._pause(asking[0]) if asking else None
        now.pending = tuple([now.pending[position] for position in (*asking, *left)])

    def _pause(self, position: int) -> Pause:
        """Return what the call there asks. It may have been answered before, and ask again."""
        before, asked = self._now.pause, self._caller.made[position].outcome.paused
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

    def _state(self) -> AgentState:
        self._now.elapsed_s = self._elapsed_s()
        return self._now.state()

    def _elapsed_s(self) -> float:
        return (self.setup.clock.monotonic_ns() - self._since_ns) / 1e9

    def _left_s(self) -> float:
        return math.inf if self._limit_s == math.inf else max(0.0, self._limit_s - self._elapsed_s())

    def _tool_s(self) -> float:
        return min(self.setup.patience.tool_s, self._left_s())

    def _asked(self) -> tuple[Message, ...]:
        prompt = self.setup.system_prompt
        return ({"role": "system", "content": prompt}, *self._now.messages) if prompt else self._now.messages

    def _outcome(self, reason: str, error: str | None) -> dict[str, Any]:
        now = self._now
        return {
            "reason": reason,
            "error": error,
            "iterations": now.iteration,
            "message": now.answer or None,
            "usage": now.usage,
        }

    def _interrupt(self) -> InterruptEvent:
        pause = self._now.pause
        assert pause is not None
        return InterruptEvent(
            question=pause.question,
            options=None if pause.options is None else list(pause.options),
            interrupt_id=pause.interrupt_id,
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )

    def _terminate(self, reason: str, error: str | None) -> TerminateEvent:
        now = self._now
        return _TERMINATE(
            reason=reason,
            iterations_used=now.iteration,
            final_confidence=now.confidence,
            total_tool_calls=len(now.executions),
            final_message=now.answer or None,
            usage=FrozenDict(now.usage) or None,
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
    total = dict(usage)
    total.pop("total_tokens", None)
    for name, count in more.items():
        if isinstance(count, int) and name != "total_tokens":
            total[name] = total.get(name, 0) + count
    return {**total, "total_tokens": sum(total.values())} if total else total
