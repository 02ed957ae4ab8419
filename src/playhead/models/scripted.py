"""Models that answer from a script, or from a function.

Know what to say, in which order, and how long to take. Do not know agents, providers or wires.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from inspect import isawaitable
from typing import Any

from anyio import sleep_forever

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import ModelFailure, ReplayMismatch
from playhead.events.locus import ModelCompleteEvent
from playhead.models.base import SteppingModel, Tools, gathered, native_call, request_of, whole
from playhead.scripts.parts import Cut, Fail, Garbage, Hang, Part, Pause, Stop, Usage
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import Begin, End, Piece, Step, Turn, turn

Scripted = Turn | Part | str | Sequence[Part | str]
"""A turn, or what makes one: a part, a text, or a sequence of these."""

Reply = Callable[[ModelRequest], Scripted | Awaitable[Scripted]]
"""What answers a question: a function of it, or a coroutine function."""


class FunctionModel(SteppingModel):
    """Answer each question with what a function makes of it. `calls` keeps what was asked, in order.

    FunctionModel(lambda request: say(request.messages[-1]["content"].upper()))
    """

    def __init__(self, reply: Reply, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock
        self.calls: list[ModelRequest] = []
        self._reply = reply
        self._numbered = 0

    @property
    def call_count(self) -> int:
        """Return how often the model was asked."""
        return len(self.calls)

    async def steps(self, request: ModelRequest) -> AsyncGenerator[Step, None]:
        """Yield the steps of the answer in time. A pause is waited for, and a fault happens.

        `Fail` and `Cut` raise `ModelFailure`, but a clean cut ends without a `Stop`; `Hang` waits until it is
        cancelled; `Garbage` is yielded, for it means something on a wire only.
        """
        async with aclosing(self._played(await self._replied(request))) as steps:
            async for step in steps:
                yield step

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Tools = (), **options: Any
    ) -> ModelCompleteEvent:
        """Return the answer as a whole. Raises `ModelFailure` where it stopped before its end."""
        if type(self).steps is not FunctionModel.steps:
            # Whoever changes the steps changes the answer.
            return await super().complete(messages, tools, **options)
        answer = await self._replied(request_of(messages, tools, options))
        total = answer.sum
        if not total.is_smooth:
            return await gathered(self._played(answer), self.clock)
        calls = [native_call(call) for call in total.calls]
        return whole(total.text, calls, total.usage, stop_reason=total.stop_reason, clock=self.clock)

    async def _replied(self, request: ModelRequest) -> Turn:
        """Return what is answered, with its calls numbered."""
        self.calls.append(request)
        found = self._reply(request)
        if not isinstance(found, Turn):
            found = as_turn(await found if isawaitable(found) else found)
        first = self._numbered + 1
        self._numbered += found.sum.unnamed
        return found.numbered(first)

    async def _played(self, answer: Turn) -> AsyncGenerator[Step, None]:
        for step in answer.steps():
            match step:
                case Begin() | Piece() | End() | Usage() | Stop() | Garbage():
                    yield step
                case Pause(seconds=seconds):
                    await self.clock.sleep(seconds)
                case Fail(failure=failure):
                    raise ModelFailure(
                        failure.message,
                        kind=failure.kind,
                        status=failure.status,
                        retry_after_s=failure.retry_after_s,
                    )
                case Cut(clean=True):
                    return
                case Cut():
                    raise ModelFailure("the connection was lost", kind="cut")
                case Hang():
                    await sleep_forever()


class ScriptedModel(FunctionModel):
    """Answer each question with the next turn of a script.

    Raises `ReplayMismatch` when it is asked more often than the script has turns; `assert_complete` raises it again,
    and where turns are left over.
    """

    def __init__(self, turns: Iterable[Scripted], *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(self._next, clock=clock)
        self.turns: tuple[Turn, ...] = tuple(map(as_turn, turns))

    def assert_complete(self) -> None:
        """Raise `ReplayMismatch` unless each turn was played, and no more was asked."""
        if self.call_count > len(self.turns):
            raise self._overrun()
        if self.call_count < len(self.turns):
            raise ReplayMismatch(
                f"the script has {len(self.turns)} turns and the model was asked {self.call_count} times: "
                f"turn {self.call_count + 1} is left, {_outline(self.turns[self.call_count])}"
            )

    def _next(self, request: ModelRequest) -> Turn:
        if self.call_count > len(self.turns):
            raise self._overrun()
        return self.turns[self.call_count - 1]

    def _overrun(self) -> ReplayMismatch:
        asked = self.calls[len(self.turns)].messages
        last = f", the last message being {str(dict(asked[-1]))[:200]}" if asked else ""
        return ReplayMismatch(
            f"the script has {len(self.turns)} turns, and the model was asked {self.call_count} times{last}: add a turn"
        )


def as_turn(scripted: Scripted) -> Turn:
    """Return a turn of what stands for one. Raises `UsageError` for what does not."""
    if isinstance(scripted, Turn):
        return scripted
    if isinstance(scripted, Sequence) and not isinstance(scripted, str):
        return turn(*scripted)
    return turn(scripted)


def _outline(turn: Turn) -> str:
    """Say in a few words what a turn is."""
    words = [repr(turn.text)[:80]] if turn.text else []
    words += [f"{call.tool}({call.text[:60]})" for call in turn.calls]
    words += [type(part).__name__.lower() for part in turn.parts if isinstance(part, Fail | Cut | Hang | Garbage)]
    return ", ".join(words) or "silence"
