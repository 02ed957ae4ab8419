"""A hook that tells OpenTelemetry of an agent's runs while they happen: spans and metrics.

Knows which runs are under way. What is told of one is `runs`' to know.
"""

from importlib.metadata import version

from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import TracerProvider, get_tracer

from playhead.adapters.otel.instruments import Instruments
from playhead.adapters.otel.names import Name
from playhead.adapters.otel.runs import RunSpan
from playhead.adapters.otel.sink import Sink
from playhead.agent.hooks import (
    AfterInvocation,
    AfterIteration,
    AfterModelCall,
    AfterToolCall,
    BeforeInvocation,
    BeforeModelCall,
    BeforeToolCall,
    HookEvent,
    HookProvider,
    RunInfo,
)
from playhead.clock import SYSTEM_CLOCK, Clock


class TelemetryHook(HookProvider):
    """Tell OpenTelemetry of every run, model call and call of a tool, as spans and metrics.

    A run is a span `invoke_agent NAME`, within the span in which it was started: one of your own, or that of the tool
    that runs it as a sub-agent. In it lie a `chat MODEL` for each time the model is asked, and an `execute_tool NAME`
    for each call of a tool, from its first attempt to its last; for the tool's code it is the current span. What was
    open when a run was left ends with the run, and has `playhead.unfinished`.

    Prompts and answers are never told. Arguments and results of tools are where `record_arguments` or `record_results`
    is true; texts of errors often repeat them, so they count as results. Without, of an error its type alone is told.

    Spans and metrics go to `tracer_provider` and `meter_provider`, by default those that the program has set.
    `service_name` is told as the attribute `service.name` of each, for a program whose agents are several services; it
    stands beside the one that the SDK's resource has. `provider_name` is who serves the model, which no run says. One
    hook can watch any number of runs at once, in any number of threads.
    """

    def __init__(
        self,
        service_name: str | None = None,
        *,
        record_arguments: bool = False,
        record_results: bool = False,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        provider_name: str = "playhead",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        made = version("playhead")
        self._sink = Sink(
            tracer=get_tracer("playhead", made, tracer_provider),
            instruments=Instruments(get_meter("playhead", made, meter_provider)),
            clock=clock,
            common={} if service_name is None else {Name.SERVICE: service_name},
            provider={Name.PROVIDER: provider_name},
            tells_arguments=record_arguments,
            tells_results=record_results,
        )
        self._runs: dict[RunInfo, RunSpan] = {}

    async def on_before_invocation(self, event: BeforeInvocation) -> None:
        """Begin the span of a run."""
        self._runs[event.run] = RunSpan(self._sink, event)

    async def on_after_invocation(self, event: AfterInvocation) -> None:
        """End the span of a run, if it began: a hook that came before may have failed first."""
        run = self._runs.pop(event.run, None)
        if run is not None:
            run.end(event)

    async def on_before_model_call(self, event: BeforeModelCall) -> None:
        """Note when the model is asked."""
        self._run_of(event).ask(event)

    async def on_after_model_call(self, event: AfterModelCall) -> None:
        """Write the span of a model call."""
        self._run_of(event).answer(event)

    async def on_before_tool_call(self, event: BeforeToolCall) -> None:
        """Begin the span of a call of a tool, and make it the current one."""
        self._run_of(event).begin_call(event)

    async def on_after_tool_call(self, event: AfterToolCall) -> None:
        """Note how an attempt ended."""
        self._run_of(event).try_call(event)

    async def on_after_iteration(self, event: AfterIteration) -> None:
        """End the spans of the calls that the iteration made."""
        self._run_of(event).end_calls()

    def _run_of(self, event: HookEvent) -> RunSpan:
        return self._runs[event.run]
