"""The reference agent: a model, its tools, and what one may want to know of a run or steer in it.

    agent = Agent(model, [search], system_prompt="You plan trips.")
    async for event in agent.run("Plan a trip to Paris."):
        ...

It is no framework: it has no prompts of its own, and no features of a vendor. Knows how runs begin. What happens in one
is the loop's.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Literal, get_args

from pydantic import BaseModel

from playhead.agent.asking import Model
from playhead.agent.blocking import iterate
from playhead.agent.hooks import HookProvider, Hooks, RunInfo, listeners_of
from playhead.agent.loop import Run
from playhead.agent.results import AgentResult
from playhead.agent.sessions import Session
from playhead.agent.setup import Patience, Saver, Setup
from playhead.agent.state import AgentState
from playhead.agent.subagents import agent_tool
from playhead.agent.termination import MaxIterations, TerminationCondition
from playhead.agent.thinking import Grounder, Reflexion
from playhead.agent.threads import Threads, answered, asked
from playhead.agent.tools import Tool, Toolable, tool_of
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.errors import UsageError
from playhead.events.locus import AgentEvent
from playhead.ids import SYSTEM_IDS, Ids

ToolExecutionMode = Literal["concurrent", "sequential"]
"""Whether the tools of one answer run at once, or one after the other."""

ToolEventOrder = Literal["completion", "sequential"]
"""Whether completions of tools are told as they come, or in the order of the calls."""


class Agent:
    """Answer prompts with a model and tools, as a stream of native events.

    - `tools`: plain functions, coroutine functions, agents.
    - `hooks`: watch runs and steer them (`playhead.agent.hooks`).
    - `checkpointer`: keeps the states of threads; without one they are kept in memory.
    - `termination`: when to stop, beside `max_iterations`: `TokenLimit(9000) | TimeLimit(60)`.
    - `reflexion` and `grounding`: functions of the state (`playhead.agent.thinking`).
    - `output_schema`: the final answer has to hold an instance of it, or the model is asked again.
    - `model_timeout_s`: how long the model may be silent; `answer_timeout_s` and `tool_timeout_s`: how long an answer
      and a tool may take.

    An agent holds no run: it may have any number of them at a time, on asyncio and trio. Raises `UsageError` for
    options that there are not, for two tools of one name, and for what cannot be a tool.
    """

    def __init__(
        self,
        model: Model,
        tools: Iterable[Tool | Toolable | Callable[..., Any]] = (),
        *,
        name: str | None = None,
        system_prompt: str | None = None,
        hooks: Sequence[HookProvider] = (),
        checkpointer: Saver | None = None,
        termination: TerminationCondition | None = None,
        reflexion: Reflexion | None = None,
        grounding: Grounder | None = None,
        output_schema: type[BaseModel] | None = None,
        max_iterations: int = 20,
        tool_execution: ToolExecutionMode = "concurrent",
        tool_event_order: ToolEventOrder = "completion",
        model_timeout_s: float = 60.0,
        answer_timeout_s: float = 600.0,
        tool_timeout_s: float = 600.0,
        clock: Clock = SYSTEM_CLOCK,
        ids: Ids = SYSTEM_IDS,
    ) -> None:
        _check("tool_execution", tool_execution, ToolExecutionMode)
        _check("tool_event_order", tool_event_order, ToolEventOrder)
        if not isinstance(name, str | None):
            raise UsageError(f"name={name!r}: a name is a text, for events carry it")
        known = _by_name(map(tool_of, tools))
        limit = MaxIterations(max_iterations)
        self._threads = Threads(checkpointer)
        self._setup = Setup(
            model=model,
            tools=known,
            descriptions=tuple(tool.describe() for tool in known.values()),
            name=name,
            system_prompt=system_prompt,
            listeners=listeners_of(hooks),
            condition=limit if termination is None else termination | limit,
            reflexion=reflexion,
            grounding=grounding,
            output_schema=output_schema,
            is_concurrent=tool_execution == "concurrent",
            in_call_order=tool_event_order == "sequential",
            patience=Patience(model_timeout_s, answer_timeout_s, tool_timeout_s),
            clock=clock,
            ids=ids,
        )

    @property
    def name(self) -> str | None:
        """Return the name that events carry as `agent_name`."""
        return self._setup.name

    @property
    def checkpointer(self) -> Saver | None:
        """Return what keeps the states of threads."""
        return self._threads.saver

    @property
    def tools(self) -> Mapping[str, Tool]:
        """Return the tools by their names."""
        return self._setup.tools

    @property
    def termination(self) -> TerminationCondition:
        """Return the condition on which runs end, `max_iterations` included."""
        return self._setup.condition

    async def run(
        self,
        prompt: str,
        *,
        thread_id: str | None = None,
        checkpoint_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        stream_tokens: bool = True,
    ) -> AsyncGenerator[AgentEvent, None]:
        """Yield the events of a run, in the order in which they occur, each as it occurs.

        The last one is `terminate`, or `interrupt` if a tool asks a person. Leaving the loop or closing the stream
        cancels the run; after `aclose()` nothing of it is left. With a `thread_id`, the conversation of that thread
        goes on, from `checkpoint_id` if that is given. `metadata` is for hooks. Without `stream_tokens` there are no
        pieces of answers.

        Raises `UsageError` before the first event for a thread that waits for an answer. Behind the last event it
        raises what nobody foresaw; a failing model, tool or hook is told by events alone.
        """
        before = await self._threads.load(thread_id, checkpoint_id)
        state = asked(before, prompt, run_id=self._setup.ids.new(), thread_id=thread_id)
        async with aclosing(self._events(state, thread_id, metadata, stream_tokens)) as events:
            async for event in events:
                yield event

    async def resume(
        self,
        answer: Any = None,
        *,
        thread_id: str | None = None,
        checkpoint_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        stream_tokens: bool = True,
    ) -> AsyncGenerator[AgentEvent, None]:
        """Go on with the answer to an interrupt: the rest of the events, as `run` yields them.

        Without an answer, a run that broke off goes on from its newest checkpoint, or from `checkpoint_id`. Without a
        `thread_id`, it is the last run of this agent that had none and was paused. Raises `UsageError` before the
        first event where there is nothing to go on with.
        """
        before = await self._threads.load(thread_id, checkpoint_id)
        state = answered(before, answer, thread_id=thread_id)
        async with aclosing(self._events(state, thread_id, metadata, stream_tokens)) as events:
            async for event in events:
                yield event

    def stream(self, prompt: str, **options: Any) -> Generator[AgentEvent, None, None]:
        """Yield the events of a run, without an event loop. Leaving the loop cleans up. The options are those of `run`.

        It may be read from any thread. Raises `UsageError` where an event loop is running.
        """
        return iterate(lambda: self.run(prompt, **options), name="stream")

    def run_sync(self, prompt: str, **options: Any) -> AgentResult:
        """Run to the end and return what came of it. The options are those of `run`.

        Raises `UsageError` where an event loop is running.
        """
        return AgentResult.of(iterate(lambda: self.run(prompt, **options), name="run_sync"))

    def resume_sync(self, answer: Any = None, **options: Any) -> AgentResult:
        """Go on to the end and return what came of it: `resume` without an event loop."""
        return AgentResult.of(iterate(lambda: self.resume(answer, **options), name="resume_sync"))

    def as_tool(self, name: str | None = None, description: str | None = None) -> Tool:
        """Return this agent as a tool of another one: its events come as `subagent` events inside the call of it.

        Raises `UsageError` where neither the agent nor the tool has a name.
        """
        chosen = name or self.name
        if chosen is None:
            raise UsageError("an agent that is a tool needs a name: Agent(name=...), or as_tool(name)")
        return agent_tool(self, name=chosen, description=description or self._setup.system_prompt or "")

    def chat_session(self, session_id: str) -> Session:
        """Return a session: a thread of that id, prompt by prompt."""
        return Session(session_id, self.run, self.resume)

    def forget(self, thread_id: str) -> None:
        """Let go of a thread that is kept in memory. What a checkpointer has stays there."""
        self._threads.forget(thread_id)

    def _events(
        self, state: AgentState, thread_id: str | None, metadata: Mapping[str, Any] | None, streams: bool
    ) -> AsyncGenerator[AgentEvent, None]:
        setup = self._setup
        info = RunInfo(setup.ids.new(), setup.name, thread_id, dict(metadata or {})) if setup.listeners else None
        save = partial(self._threads.save, thread_id)
        return Run(setup, state, save, Hooks(setup.listeners, info), streams).events()


def _by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    known: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in known:
            raise UsageError(f"two tools are called {tool.name!r}: a model tells them apart by their names")
        known[tool.name] = tool
    return known


def _check(name: str, value: str, choices: Any) -> None:
    if value not in get_args(choices):
        raise UsageError(f"{name}={value!r}: it is one of {', '.join(map(repr, get_args(choices)))}")
