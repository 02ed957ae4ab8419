"""Where telemetry goes, and what is told with all of it.

Knows a tracer, the instruments and a clock. Does not know what happens in a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from playhead.adapters.otel.instruments import Instruments
from playhead.adapters.otel.names import Name
from playhead.adapters.otel.values import tidy, wall_ns, whole
from playhead.agent.hooks import RunInfo
from playhead.clock import Clock

Attributes = dict[str, AttributeValue]
"""What a span or a measurement is about."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold a time twice: for spans, in nanoseconds since 1970, and for durations, in those of a monotonic clock."""

    wall_ns: int
    monotonic_ns: int

    def since_s(self, earlier: "Moment") -> float:
        """Return how many seconds have passed."""
        return (self.monotonic_ns - earlier.monotonic_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Sink:
    """Hold where telemetry goes. `common` is told of each run, `provider` of whatever asks a model besides."""

    tracer: Tracer
    instruments: Instruments
    clock: Clock
    common: Mapping[str, str]
    provider: Mapping[str, str]
    tells_arguments: bool
    tells_results: bool

    def now(self) -> Moment:
        """Return the time."""
        return Moment(wall_ns(self.clock), self.clock.monotonic_ns())

    def about(self, operation: str, info: RunInfo) -> Attributes:
        """Return what the spans and measurements of an operation have in common in a run."""
        about: Attributes = {Name.OPERATION: operation, **self.common}
        if info.agent_name is not None:
            about[Name.AGENT] = tidy(info.agent_name)
        return about

    def error(self, text: str | None) -> str | None:
        """Return what may be told of an error's text: it often repeats content."""
        return whole(text) if text and self.tells_results else None

    def start(
        self,
        name: str | None,
        within: Context,
        since: Moment,
        about: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        """Begin a span, named after its operation and `name`."""
        operation = str(about[Name.OPERATION])
        title = f"{operation} {tidy(name)}" if name else operation
        return self.tracer.start_span(title, within, kind, about, start_time=since.wall_ns)
