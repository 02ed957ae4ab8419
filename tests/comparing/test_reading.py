"""One event as the comparison sees it: volatile fields masked, and ids apart."""

from typing import Any

import pytest

from playhead.comparing.reading import read
from playhead.events.dialects import get_dialect


@pytest.mark.parametrize(
    ("calls", "steady"),
    [([{"id": 0}], [{"id": "<id>"}]), ({"a": {"id": "x"}}, {"a": {"id": "<id>"}}), ({"a": "x"}, {"a": "x"})],
)
def test_a_star_stands_for_any_member(calls: Any, steady: Any) -> None:
    """Of a list or of an object, as it does for volatile fields."""
    (reading,) = read([{"type": "think", "tool_calls": calls}], get_dialect("locus.server"))
    assert reading.steady["tool_calls"] == steady
