"""Models that answer from a script, or from a function.

Know what to say, in which order, and how long to take. Do not know agents, providers or wires.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from inspect import isawaitable

from anyio import sleep_forever

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import ModelFailure, ReplayMismatch
from playhead.models.base import SteppingModel
from playhead.scripts.parts import Cut, Fail, Garbage, Hang, Part, Pause
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import Step, Turn, turn

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
        self.calls.append(request)
        found = self._reply(request)
        answer = as_turn(await found if isawaitable(found) else found)
        first = self._numbered + 1
        self._numbered += sum(1 for call in answer.calls if call.id is None)
        for step in answer.steps(first_call=first):
            match step:
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
                case _:
                    yield step


class ScriptedModel(FunctionModel):
    """Answer each question with the next turn of a script.

    Raises `ReplayMismatch` when it is asked more often than the script has turns; `assert_complete` raises it again,
    and where turns are left over.
    """

    def __init__(self, turns: Iterable[Scripted], *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(self._next, clock=clock)
        self.turns: tuple[Turn, ...] = tuple(as_turn(each) for each in turns)

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
    if isinstance(scripted, Sequence) and not isinstance(scripted, str):
        return turn(*scripted)
    return turn(scripted)


def _outline(turn: Turn) -> str:
    """Say in a few words what a turn is."""
    words = [repr(turn.text)[:80]] if turn.text else []
    words += [f"{call.tool}({call.text[:60]})" for call in turn.calls]
    words += [type(part).__name__.lower() for part in turn.parts if isinstance(part, Fail | Cut | Hang | Garbage)]
    return ", ".join(words) or "silence"
