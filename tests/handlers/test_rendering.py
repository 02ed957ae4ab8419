"""How events become lines."""

from types import SimpleNamespace

import pytest

from playhead.handlers.rendering import RENDERERS, Line, Raw, Show, render, text_lines


def test_text_is_split_at_lf_and_crlf_only() -> None:
    """Other characters that Python calls line ends stay inside their line."""
    assert text_lines("a\r\nb\nc\rd\x0be\u2028f") == ["a", "b", "c\rd\x0be\u2028f"]


@pytest.mark.parametrize("event_type", [*RENDERERS, "unknown"])
def test_every_renderer_gives_lines(event_type: str) -> None:
    """Each entry of the table gives lines or running text, even of an event without fields."""
    parts = list(render(SimpleNamespace(event_type=event_type), Show()))
    assert all(isinstance(part, Line | Raw) for part in parts)


def test_what_is_not_wanted_is_left_out() -> None:
    """A `think` without progress and reasoning leaves nothing."""
    event = SimpleNamespace(event_type="think", iteration=1, reasoning="x")
    assert list(render(event, Show(progress=False, reasoning=False))) == []
