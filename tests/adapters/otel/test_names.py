"""The names are those of the conventions, as the package that the SDK brings has them."""

from collections.abc import Mapping
from types import ModuleType

import pytest

pytest.importorskip("opentelemetry.semconv", reason="opentelemetry-sdk is not installed")

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, service_attributes

from playhead.adapters.otel import OPERATIONS, PROVIDERS, Metric, Name, Own
from playhead.adapters.otel.names import USAGE

YOUNGER = {Metric.TOOL_DURATION, Metric.AGENT_DURATION}
"""Names that the conventions have had since they moved to a repository of their own; the package ends before."""


def constants(*modules: ModuleType) -> set[str]:
    """Return the texts that modules define."""
    return {value for module in modules for value in vars(module).values() if isinstance(value, str)}


def test_names_of_attributes() -> None:
    """Each one is there, but for our own, which say whose they are."""
    assert set(Name) <= constants(gen_ai_attributes, error_attributes, service_attributes)
    assert all(name.startswith("playhead.") for name in Own)
    assert set(USAGE) <= set(Name)


def test_names_of_metrics() -> None:
    """Each one is there, but for the youngest and for our own."""
    known: Mapping[bool, set[Metric]] = {True: set(), False: set()}
    for metric in Metric:
        known[metric in constants(gen_ai_metrics)].add(metric)
    assert known[False] == YOUNGER | {metric for metric in Metric if metric.startswith("playhead.")}


def test_operations_and_providers() -> None:
    """Each one is a value that the conventions know."""
    operations = {*OPERATIONS.values(), *(operation for _, operation in PROVIDERS.values())}
    assert operations <= {each.value for each in gen_ai_attributes.GenAiOperationNameValues}
    providers = {provider for provider, _ in PROVIDERS.values()}
    assert providers <= {each.value for each in gen_ai_attributes.GenAiProviderNameValues}
