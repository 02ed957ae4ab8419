"""Asking the model for one answer: with the hooks around it, and again while they say so.

Knows one answer from the question to its last piece. Does not know what is done with it.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from playhead.agent.asking import Answer, Asking
from playhead.agent.deadlines import Deadlines
from playhead.agent.faults import Fault
from playhead.agent.hooks import MAX_ATTEMPTS, AfterModelCall, BeforeModelCall, Hooks
from playhead.agent.setup import Setup
from playhead.agent.state import Message
from playhead.agent.steps import NOTHING, Events, Step, Told
from playhead.events.locus import ModelChunkEvent, ModelRetryEvent


@dataclass(slots=True)
class Asker:
    """Ask the model in one run, which has `left_s()` seconds. `answer` is the last one that came whole."""

    setup: Setup
    hooks: Hooks
    left_s: Callable[[], float]
    streams: bool
    deadlines: Deadlines
    answer: Answer = field(default_factory=Answer)

    def ask(self, messages: Sequence[Message], *, iteration: int) -> Step:
        """Return the asking, to be done: with pieces if they are wanted. Raises `Fault` where there is no answer."""
        if self.streams or BeforeModelCall in self.hooks.heard or AfterModelCall in self.hooks.heard:
            return self._aloud(messages, iteration)
        return self._quietly(messages)

    async def _quietly(self, messages: Sequence[Message]) -> Told:
        self.answer = Answer()
        await self._asking(messages).whole(self.answer)
        return NOTHING

    async def _aloud(self, messages: Sequence[Message], iteration: int) -> Events:
        told: dict[str, Any] = {"iteration": iteration}
        fault: Fault | None = None
        for attempt in range(1, MAX_ATTEMPTS + 1):
            told["attempt"] = attempt
            steering = await self.hooks.tell(BeforeModelCall, messages=messages, tools=self.setup.descriptions, **told)
            for event in steering.emitted:
                yield event
            steering.heed()
            fault = None
            try:
                asking, self.answer = self._asking(messages), Answer()
                if not self.streams:
                    await asking.whole(self.answer)
                else:
                    async with aclosing(asking.pieces(self.answer)) as pieces:
                        async for piece in pieces:
                            yield self._named(piece)
            except Fault as raised:
                fault = raised
            if AfterModelCall not in self.hooks.heard:
                break
            steering = await self.hooks.tell(AfterModelCall, **told, **self._outcome(fault))
            for event in steering.emitted:
                yield event
            steering.heed()
            if not steering.retried or attempt == MAX_ATTEMPTS:
                break
            yield self._retry(attempt, steering.delay_s, fault)
            await self.setup.clock.sleep(steering.delay_s)
        if fault is not None:
            raise fault

    def _asking(self, messages: Sequence[Message]) -> Asking:
        setup, clock = self.setup, self.setup.clock
        until_ns = clock.monotonic_ns() + min(setup.patience.answer_s, self.left_s()) * 1e9
        return Asking(
            setup.model,
            messages,
            setup.descriptions,
            setup.patience.silence_s,
            lambda: max(0.0, (until_ns - clock.monotonic_ns()) / 1e9),
            self.deadlines,
        )

    def _named(self, piece: ModelChunkEvent) -> ModelChunkEvent:
        name = self.setup.name
        return piece if name is None else piece.model_copy(update={"agent_name": name})

    def _outcome(self, fault: Fault | None) -> dict[str, Any]:
        answer = self.answer
        return {
            "answer": answer.text,
            "calls": tuple(answer.calls),
            "usage": answer.usage,
            "stop_reason": answer.stop_reason,
            "model": answer.model,
            "fault": fault and fault.reason,
            "error": fault and fault.error,
        }

    def _retry(self, attempt: int, delay_s: float, fault: Fault | None) -> ModelRetryEvent:
        return ModelRetryEvent(
            attempt=attempt,
            delay_seconds=delay_s,
            reason=fault.reason if fault else "hook",
            status_code=fault.status if fault else None,
            error=(fault and fault.error) or "a hook wants another answer",
            from_retry_after=fault is not None and fault.retry_after_s == delay_s,
            agent_name=self.setup.name,
            timestamp=self.setup.clock.now(),
        )
