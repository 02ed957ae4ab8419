"""What tests of telemetry share: a hook that tells an SDK in memory, and what that was told."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from playhead.adapters.otel import TelemetryHook
from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.clocks import run
from playhead.clocks.virtual import VirtualClock

BACKENDS = ("asyncio", "trio")
"""The event loops whose time can be virtual."""

Attributes = dict[str, Any]
"""What a span or a measurement is about."""


class Ledger(SpanProcessor):
    """Remember which spans have begun and not ended."""

    def __init__(self) -> None:
        self.open: list[str] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note a beginning."""
        self.open.append(span.name)

    def on_end(self, span: ReadableSpan) -> None:
        """Note an end."""
        self.open.remove(span.name)


class Watch:
    """A hook, and the spans and metrics that it made. `clock` is the hook's; the agents take it too."""

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK, **options: Any) -> None:
        self.clock = clock
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.ledger = Ledger()
        self._tracers = TracerProvider()
        self._tracers.add_span_processor(self.ledger)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer = self._tracers.get_tracer("test")
        self.hook = TelemetryHook(
            tracer_provider=self._tracers,
            meter_provider=MeterProvider([self._reader], shutdown_on_exit=False),
            clock=clock,
            **options,
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, by their beginning; those that began at once, by their end."""
        return sorted(self._spans.get_finished_spans(), key=lambda span: (span.start_time or 0, -(span.end_time or 0)))

    def span(self, name: str) -> ReadableSpan:
        """Return the only span of that name."""
        (found,) = (span for span in self.spans if span.name == name)
        return found

    def tree(self) -> dict[str, Any]:
        """Return the names of all spans, each with those that lie in it; a number tells those of one name apart."""
        children: dict[int | None, list[ReadableSpan]] = {}
        for span in self.spans:
            children.setdefault(span.parent.span_id if span.parent else None, []).append(span)
        return _tree(children, None)

    def points(self, metric: str) -> list[Any]:
        """Return the data points of a metric."""
        data = self._reader.get_metrics_data()
        if data is None:
            return []
        found = [
            each for resource in data.resource_metrics for scope in resource.scope_metrics for each in scope.metrics
        ]
        return [point for each in found if each.name == metric for point in each.data.data_points]

    def everything(self) -> str:
        """Return all that was told, as text."""
        data = self._reader.get_metrics_data()
        return "\n".join([*(span.to_json() for span in self.spans), "" if data is None else data.to_json()])


def _tree(children: dict[int | None, list[ReadableSpan]], parent: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for span in children.get(parent, ()):
        assert span.context is not None
        name, number = span.name, 2
        while name in found:
            name, number = f"{span.name} #{number}", number + 1
        found[name] = _tree(children, span.context.span_id)
    return found


def attributes(span: ReadableSpan) -> Attributes:
    """Return what a span is about."""
    return {str(key): value for key, value in (span.attributes or {}).items()}


def seconds(span: ReadableSpan) -> tuple[float, float]:
    """Return when a span began and ended, in seconds since a virtual clock was made."""
    since_ns = round(VirtualClock().now().timestamp()) * 10**9
    return ((span.start_time or 0) - since_ns) / 1e9, ((span.end_time or 0) - since_ns) / 1e9


def virtually(main: Callable[[], Awaitable[None]], watch: Watch, backend: str) -> None:
    """Run a coroutine function on the virtual time of the watch."""
    assert isinstance(watch.clock, VirtualClock)
    run(main, backend=backend, clock=watch.clock)


def total(points: Iterable[Any]) -> Any:
    """Return the sum of histograms or counters."""
    return sum(point.sum if hasattr(point, "sum") else point.value for point in points)
