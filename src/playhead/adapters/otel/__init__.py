"""OpenTelemetry: a tape as spans, with the times that were recorded, and an agent's runs as spans and metrics, live.

    with playhead.open("trip.jsonl") as tape:
        export_spans(tape, tracer)

    agent = Agent(model, [search], hooks=[TelemetryHook()])

Nothing outside this package imports `opentelemetry`, and of it this is the API alone: whoever wants to see spans brings
an SDK. Names are those of the semantic conventions for generative AI, in one table.
"""

from playhead.adapters.otel.export import export_spans
from playhead.adapters.otel.names import ATTRIBUTES, CONVENTIONS, OPERATIONS, PROVIDERS, Metric, Name, Own
from playhead.adapters.otel.telemetry import TelemetryHook

__all__ = [
    "ATTRIBUTES",
    "CONVENTIONS",
    "OPERATIONS",
    "PROVIDERS",
    "Metric",
    "Name",
    "Own",
    "TelemetryHook",
    "export_spans",
]
