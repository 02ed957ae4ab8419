"""Running an agent against a scripted model in one particular way, and writing down all that can be seen of it.

Knows models, streams of events, and how to leave them. Judges nothing: `playhead.testing.agent_promises` does.
"""

import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from inspect import isasyncgenfunction, isawaitable, unwrap
from typing import Any, Final

import anyio

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.clocks.virtual import VirtualClock
from playhead.errors import ModelFailure, UsageError
from playhead.models.scripted import FunctionModel
from playhead.scripts.parts import Cut, Fail, Garbage, Hang
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import Step, Turn, turn
from playhead.testing.outputs import made_by, name_of
from playhead.testing.running import PATIENCE_S, REAL_LIMIT_S, Spinning, run_virtually
from playhead.testing.traces import resources

PROMPT: Final = "Plan a trip to Paris."
"""What an agent is asked."""

MAX_EVENTS: Final = 5_000
"""An agent that says more is taken to go on for ever."""

_MAX_CALLS: Final = 100
_SETTLE_S: Final = 0.001
_LATER_S: Final = 60.0
_FAILURES: Final = (Fail, Cut)


class Leaving(StrEnum):
    """Name the ways in which a run comes to its end, or is left before: at the event `at` of a trial."""

    RUN = "run"
    CLOSE = "close"
    CANCEL = "cancel"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Trial:
    """Say what the model answers, turn by turn, and how the run is left.

    With `close` the stream is closed after `at` events, with `cancel` the task that reads it is cancelled then, and
    with `stop` the agent's own `cancel()` is called, and the stream read to its end. After the last turn the model
    says "Done.", as often as it is asked.
    """

    turns: tuple[Turn, ...]
    how: Leaving = Leaving.RUN
    at: int = 0

    def has(self, *kinds: type) -> bool:
        """Say whether a part of one of these kinds is in the script."""
        return any(isinstance(part, kinds) for each in self.turns for part in each.parts)


class WatchedModel(FunctionModel):
    """Answer by a script, and remember how each answer ended: `complete`, `failed`, `cut`, `left` or `open`."""

    def __init__(self, turns: tuple[Turn, ...], *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(self._answer, clock=clock)
        self.turns = turns
        self.endings: list[str] = []

    async def steps(self, request: ModelRequest) -> AsyncGenerator[Step, None]:
        """Yield the steps of the next answer."""
        number = len(self.endings)
        self.endings.append("open")
        ending = "left"
        try:
            async with aclosing(super().steps(request)) as steps:
                async for step in steps:
                    yield step
            is_cut = any(isinstance(part, Cut) for part in self._turn(number).parts)
            ending = "cut" if is_cut else "complete"
        except ModelFailure:
            ending = "failed"
            raise
        finally:
            self.endings[number] = ending

    def _answer(self, request: ModelRequest) -> Turn:
        if self.call_count > _MAX_CALLS:
            raise ModelFailure(f"the model was asked {self.call_count} times: the agent does not come to an end")
        return self._turn(self.call_count - 1)

    def _turn(self, number: int) -> Turn:
        return self.turns[number] if number < len(self.turns) else turn("Done.")


@dataclass(slots=True)
class AgentSeen:
    """Hold what was seen of a run. `hung` says what never came back, `left` what was left behind."""

    trial: Trial
    events: list[Any] = field(default_factory=list)
    raised: Exception | None = None
    hung: str = ""
    left: list[str] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    tools: tuple[Any, ...] = ()
    is_sync: bool = False
    has_stop: bool = False
    was_left: bool = False
    is_endless: bool = False

    @property
    def is_over(self) -> bool:
        """Say whether the stream was read to its end."""
        return not (self.hung or self.was_left or self.is_endless)


def run_agent(factory: Callable[[Any], Any], trial: Trial) -> AgentSeen:
    """Run a new agent once: in virtual time, or in a thread where its stream is a plain iterator.

    Raises `UsageError` where the factory makes nothing that runs.
    """
    seen = AgentSeen(trial)
    model = WatchedModel(trial.turns)
    try:
        run_virtually(lambda: _run(factory, model, seen))
    except Spinning as error:
        seen.hung = str(error)
    if seen.is_sync:
        # Answers of a model take no time there: nothing in a thread of its own knows the time of our loop.
        model = WatchedModel(trial.turns, clock=VirtualClock())
        _run_in_thread(factory, model, seen)
    seen.endings = model.endings
    seen.tools = model.calls[0].tools if model.calls else ()
    return seen


async def _run(factory: Callable[[Any], Any], model: WatchedModel, seen: AgentSeen) -> None:
    before = resources()
    agent = await made_by(factory, model)
    stream = _stream_of(agent, factory)
    if isawaitable(stream):
        stream = await stream
    if not hasattr(stream, "__aiter__"):
        seen.is_sync = True
        return
    seen.has_stop = callable(getattr(agent, "cancel", None))
    with anyio.CancelScope() as scope:
        try:
            await _read(aiter(stream), agent, seen, scope)
        except Exception as error:
            seen.raised = error
    with anyio.move_on_after(PATIENCE_S) as patience:
        if hasattr(stream, "aclose"):
            await stream.aclose()
    if patience.cancel_called:
        seen.hung = "aclose() never returned"
    asked = len(model.endings)
    await anyio.sleep(_LATER_S)
    seen.left = sorted(resources() - before)
    if len(model.endings) > asked:
        seen.left.append("a run that still asks its model")
    if "open" in model.endings:
        seen.left.append("an answer of the model that nobody closed")


async def _read(stream: AsyncIterator[Any], agent: Any, seen: AgentSeen, scope: anyio.CancelScope) -> None:
    trial = seen.trial
    while len(seen.events) < MAX_EVENTS:
        if len(seen.events) == trial.at and trial.how is not Leaving.RUN:
            if trial.how is Leaving.STOP and seen.has_stop:
                result = agent.cancel()
                if isawaitable(result):
                    await result
            elif trial.how is Leaving.CLOSE:
                seen.was_left = True
                return
            elif trial.how is Leaving.CANCEL:
                seen.was_left = True
                # It is cancelled while it waits for the next event, which may never come.
                scope.deadline = anyio.current_time() + _SETTLE_S
        with anyio.move_on_after(PATIENCE_S) as patience:
            try:
                event = await anext(stream)
            except StopAsyncIteration:
                return
        if patience.cancel_called:
            seen.hung = "the next event never came"
            return
        seen.events.append(event)
    seen.is_endless = True


def _run_in_thread(factory: Callable[[Any], Any], model: WatchedModel, seen: AgentSeen) -> None:
    """Run an agent whose stream is a plain iterator. A thread that hangs is left: nothing can stop it."""

    def work() -> None:
        agent = factory(model)
        seen.has_stop = callable(getattr(agent, "cancel", None))
        try:
            _read_plainly(iter(_stream_of(agent, factory)), agent, seen)
        except Exception as error:
            seen.raised = error

    thread = threading.Thread(target=work, name="playhead agent", daemon=True)
    thread.start()
    thread.join(REAL_LIMIT_S)
    if thread.is_alive():
        seen.hung = f"it was still running after {REAL_LIMIT_S:.0f} s of real time"


def _read_plainly(stream: Iterator[Any], agent: Any, seen: AgentSeen) -> None:
    trial = seen.trial
    while len(seen.events) < MAX_EVENTS:
        if len(seen.events) == trial.at:
            if trial.how is Leaving.STOP and seen.has_stop:
                agent.cancel()
            elif trial.how in (Leaving.CLOSE, Leaving.CANCEL):
                seen.was_left = True
                if hasattr(stream, "close"):
                    stream.close()
                return
        try:
            seen.events.append(next(stream))
        except StopIteration:
            return
    seen.is_endless = True


def _stream_of(agent: Any, factory: Callable[..., Any]) -> Any:
    """Return the stream of events of one run: of `run`, `stream`, of the agent as a function, or the agent itself."""
    if hasattr(agent, "__anext__") or hasattr(agent, "__next__"):
        return agent
    run, stream = getattr(agent, "run", None), getattr(agent, "stream", None)
    if callable(run) and (isasyncgenfunction(unwrap(run)) or not callable(stream)):
        return run(PROMPT)
    if callable(stream):
        return stream(PROMPT)
    if callable(agent):
        return agent(PROMPT)
    raise UsageError(
        f"{name_of(factory)} returned {type(agent).__name__}, which is no agent: it has no run(prompt) or "
        f"stream(prompt), is no function of a prompt, and no iterator of events"
    )


def has_fault(trial: Trial) -> bool:
    """Say whether the model does not only answer."""
    return trial.has(*_FAILURES, Hang, Garbage)
