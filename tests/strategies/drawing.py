"""How the tests look for the smallest example."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st

T = TypeVar("T")


def found(strategy: st.SearchStrategy[T], wanted: Callable[[T], bool]) -> T:
    """Return the smallest value that is wanted."""
    return find(
        strategy,
        wanted,
        settings=settings(database=None, max_examples=2000, suppress_health_check=list(HealthCheck)),
    )
