"""What every test here may rely on: OpenTelemetry found nothing to complain of."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which the SDK or the API logged a warning: they drop what they do not take, and go on."""
    yield
    logged = caplog.get_records("setup") + caplog.get_records("call")
    complaints = [each for each in logged if each.name.startswith("opentelemetry") and each.levelno >= logging.WARNING]
    assert [each.getMessage() for each in complaints] == []
