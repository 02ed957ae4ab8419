"""The instruments that measure an agent's runs, as a table.

Knows names, units and buckets. Does not know what is measured, nor when.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry.metrics import Meter
from opentelemetry.util.types import AttributeValue

from playhead.adapters.otel.names import Metric

Attributes = Mapping[str, AttributeValue]
"""What a measurement is about."""

_DOUBLING = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)

HISTOGRAMS: Final[Mapping[Metric, tuple[str, str, Sequence[float]]]] = {
    Metric.TOKENS: ("{token}", "Tokens that a model took in or gave out.", [4.0**power for power in range(14)]),
    Metric.MODEL_DURATION: ("s", "How long a model took to answer, or to fail.", _DOUBLING),
    Metric.TOOL_DURATION: ("s", "How long a call of a tool took, with all of its attempts.", _DOUBLING),
    Metric.AGENT_DURATION: (
        "s",
        "How long a run took, or the part of it up to a pause.",
        [10 * x for x in _DOUBLING[:13]],
    ),
}
"""Unit, description and bounds of the buckets. The bounds are those of the conventions."""

COUNTERS: Final[Mapping[Metric, tuple[str, str]]] = {
    Metric.RUNS: ("{run}", "Runs that are over, by the reason that they ended with."),
    Metric.RETRIES: ("{attempt}", "Model calls and calls of tools that were tried once more."),
}
"""Unit and description."""


class Instruments:
    """Hold the instruments of one meter."""

    def __init__(self, meter: Meter) -> None:
        self._histograms = {
            metric: meter.create_histogram(metric, unit, told, explicit_bucket_boundaries_advisory=bounds)
            for metric, (unit, told, bounds) in HISTOGRAMS.items()
        }
        self._counters = {metric: meter.create_counter(metric, unit, told) for metric, (unit, told) in COUNTERS.items()}

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Add a value to a histogram."""
        self._histograms[metric].record(value, attributes)

    def count(self, metric: Metric, number: int, attributes: Attributes) -> None:
        """Add a number to a counter; nothing, where it is 0."""
        if number:
            self._counters[metric].add(number, attributes)
