"""Hooks: what watches a run from inside, and may steer it.

A hook is told of eight moments, each with a frozen event. It steers with the event's methods and with nothing else: one
that means nothing at that moment is a `UsageError`. Hooks never see the stream of events and cannot change what is in
it, but for the custom events that they emit.

    class Guard(HookProvider):
        async def on_before_tool_call(self, event: BeforeToolCall) -> None:
            if event.tool_name == "delete_all":
                event.cancel("not while I am watching")
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from playhead.agent.faults import Fault
from playhead.agent.state import Message
from playhead.errors import UsageError
from playhead.events.locus import CustomEvent, ToolCall

_CANCEL: Final = "cancel"
_RETRY: Final = "retry"
_ARGUMENTS: Final = "replace_arguments"
_RESULT: Final = "replace_result"


MAX_ATTEMPTS: Final = 100
"""How often hooks may have one question asked, or one tool called."""


@dataclass(frozen=True, slots=True, eq=False)
class RunInfo:
    """Say which run a hook is told of. `run_id` is new for each call of `run` or `resume`.

    It is equal to itself alone, for two agents may count their runs alike: what belongs to a run is kept by it.
    """

    run_id: str
    agent_name: str | None = None
    thread_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Steering:
    """Hold what the hooks of one moment want. The loop reads it when all of them have spoken."""

    cancelled: str | None = None
    retried: bool = False
    delay_s: float = 0.0
    arguments: Mapping[str, Any] | None = None
    result: str | None = None
    emitted: list[CustomEvent] = field(default_factory=list)
    is_over: bool = False

    @property
    def fault(self) -> Fault | None:
        """Return how the run ends where a hook has cancelled it."""
        return None if self.cancelled is None else Fault("cancelled", self.cancelled)

    def heed(self) -> None:
        """Raise the fault, if there is one."""
        if self.fault is not None:
            raise self.fault


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """Hold what a hook is told, and let it steer."""

    may: ClassVar[frozenset[str]] = frozenset()
    """The methods that mean something at this moment, beside `emit`."""

    run: RunInfo
    steering: Steering = field(default_factory=Steering, repr=False, compare=False)

    def emit(self, event: CustomEvent) -> None:
        """Put a custom event into the stream, here. Raises `UsageError` for any other event."""
        self._open("emit")
        if not isinstance(event, CustomEvent):
            raise UsageError(f"a hook emits a CustomEvent, and this is {type(event).__name__}: the rest is the loop's")
        self.steering.emitted.append(event)

    def cancel(self, reason: str) -> None:
        """Stop here: the run, or before a tool the call of it, whose error is the reason then.

        Raises `UsageError` where there is nothing left to stop.
        """
        self._open(_CANCEL)
        self.steering.cancelled = _text(_CANCEL, reason)

    def retry(self, *, delay_s: float = 0.0) -> None:
        """Do it once more, after so many seconds: the model's answer, or the call of a tool.

        Raises `UsageError` at another moment than after one of these.
        """
        self._open(_RETRY)
        self.steering.retried, self.steering.delay_s = True, delay_s

    def replace_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Call the tool with these arguments. Raises `UsageError` at another moment than before it."""
        self._open(_ARGUMENTS)
        self.steering.arguments = dict(arguments)

    def replace_result(self, result: str) -> None:
        """Let this be the tool's result, even if it failed. Raises `UsageError` at another moment than after it."""
        self._open(_RESULT)
        self.steering.result = _text(_RESULT, result)

    def _open(self, method: str) -> None:
        if method != "emit" and method not in self.may:
            known = ", ".join(sorted({"emit", *self.may}))
            raise UsageError(f"{type(self).__name__}.{method}() means nothing: at this moment there are {known}")
        if self.steering.is_over:
            raise UsageError(f"{type(self).__name__}.{method}() comes too late: the hook has returned, the run went on")


def _text(method: str, value: object) -> str:
    # It goes into an event, which is not validated again.
    if not isinstance(value, str):
        raise UsageError(f"{method}() takes a text, and this is {type(value).__name__}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeInvocation(HookEvent):
    """A run begins: `prompt` is what the agent is asked, or, if `is_resumed`, the answer to what it asked."""

    may: ClassVar[frozenset[str]] = frozenset({_CANCEL})
    prompt: str
    is_resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterInvocation(HookEvent):
    """A run is over. `reason` is that of `terminate`; or `interrupt` if it paused, `closed` if it was left."""

    reason: str
    error: str | None = None
    iterations: int
    message: str | None = None
    usage: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeIteration(HookEvent):
    """An iteration begins. They count from 1."""

    may: ClassVar[frozenset[str]] = frozenset({_CANCEL})
    iteration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterIteration(HookEvent):
    """An iteration is over: the model has answered, and the tools that it asked for have run."""

    may: ClassVar[frozenset[str]] = frozenset({_CANCEL})
    iteration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeModelCall(HookEvent):
    """The model is asked. `attempt` counts from 1 within an iteration."""

    may: ClassVar[frozenset[str]] = frozenset({_CANCEL})
    iteration: int
    attempt: int
    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterModelCall(HookEvent):
    """The model has answered, or failed: `fault` says how (`rate_limit`, `timeout`, `cut` ...), `error` in words."""

    may: ClassVar[frozenset[str]] = frozenset({_CANCEL, _RETRY})
    iteration: int
    attempt: int
    answer: str
    calls: Sequence[ToolCall]
    usage: Mapping[str, int]
    stop_reason: str | None = None
    model: str | None = None
    fault: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeToolCall(HookEvent):
    """A tool is about to run. `number` tells its calls apart: ids of calls may repeat, or be empty."""

    may: ClassVar[frozenset[str]] = frozenset({_CANCEL, _ARGUMENTS})
    number: int
    tool_name: str
    tool_call_id: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterToolCall(HookEvent):
    """A tool has run: `result` or `error` is there. `arguments` are those that were used, `number` as before the call.

    `paused` is true where it asked a person and has neither.
    """

    may: ClassVar[frozenset[str]] = frozenset({_RETRY, _RESULT})
    number: int
    tool_name: str
    tool_call_id: str
    arguments: Mapping[str, Any]
    result: str | None
    error: str | None
    duration_ms: float
    paused: bool = False


class HookProvider:
    """Watch runs: override the methods that you need. They are coroutines, and run in the order of registration.

    A method that raises fails the run, with a terminal event that names it. `on_after_invocation` is called for every
    run that began, also for one that was left; whoever left waits for it.
    """

    async def on_before_invocation(self, event: BeforeInvocation) -> None:
        """Be told that a run begins."""

    async def on_after_invocation(self, event: AfterInvocation) -> None:
        """Be told that a run is over."""

    async def on_before_iteration(self, event: BeforeIteration) -> None:
        """Be told that an iteration begins."""

    async def on_after_iteration(self, event: AfterIteration) -> None:
        """Be told that an iteration is over."""

    async def on_before_model_call(self, event: BeforeModelCall) -> None:
        """Be told that the model is asked."""

    async def on_after_model_call(self, event: AfterModelCall) -> None:
        """Be told what the model answered, or how it failed."""

    async def on_before_tool_call(self, event: BeforeToolCall) -> None:
        """Be told that a tool is about to run."""

    async def on_after_tool_call(self, event: AfterToolCall) -> None:
        """Be told how a tool ended."""


MOMENTS: Final[Mapping[type[HookEvent], str]] = {
    BeforeInvocation: "on_before_invocation",
    AfterInvocation: "on_after_invocation",
    BeforeIteration: "on_before_iteration",
    AfterIteration: "on_after_iteration",
    BeforeModelCall: "on_before_model_call",
    AfterModelCall: "on_after_model_call",
    BeforeToolCall: "on_before_tool_call",
    AfterToolCall: "on_after_tool_call",
}
"""Each event with the method that is told of it."""


Listeners = Mapping[Callable[..., HookEvent], Sequence[Callable[[Any], Awaitable[None]]]]
"""Who is told of each moment that somebody listens to."""


def listeners_of(providers: Iterable[HookProvider]) -> Listeners:
    """Return who is told of each moment: the providers that override its method, in their order."""
    known = tuple(providers)
    told = {
        moment: [
            getattr(each, method)
            for each in known
            if getattr(type(each), method, None) is not getattr(HookProvider, method) and hasattr(each, method)
        ]
        for moment, method in MOMENTS.items()
    }
    return {moment: listeners for moment, listeners in told.items() if listeners}


class Hooks:
    """Tell hooks of the moments of one run. Those that are not `heard` need not be told."""

    def __init__(self, listeners: Listeners, run: RunInfo | None) -> None:
        self.heard: Collection[Callable[..., HookEvent]] = listeners.keys()
        self._run = run
        self._listeners = listeners

    async def tell(self, moment: Callable[..., HookEvent], **told: Any) -> Steering:
        """Tell every hook, in order, and return what they want. Raises `Fault` for the first one that raises.

        Those behind it are only told if the run is over: of that, all are. `moment` is the class of the event, and
        `told` its fields.
        """
        listeners = self._listeners.get(moment)
        if listeners is None:
            return _NOTHING
        event = moment(run=self._run, **told)
        steering = event.steering
        failed: Fault | None = None
        for listener in listeners:
            try:
                await listener(event)
            except Exception as error:
                name = getattr(listener, "__qualname__", repr(listener))
                failed = failed or Fault("hook_failed", f"{type(error).__name__} in {name}: {error}")
                if moment is not AfterInvocation:
                    break
        if failed is not None:
            raise failed
        steering.is_over = True
        return steering


_NOTHING: Final = Steering(is_over=True)
