"""What the smallest console shows."""

import io
from types import SimpleNamespace
from typing import Any

import pytest

from playhead.events import locus
from playhead.handlers.minimal import MinimalConsoleHandler

pytestmark = pytest.mark.anyio

END: dict[str, Any] = {"reason": "complete", "final_confidence": 1, "total_tool_calls": 1}


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (locus.ToolStartEvent(tool_name="search", tool_call_id="1", arguments={}), "• search\n"),
        (locus.ToolCompleteEvent(tool_name="search", tool_call_id="1", result="x"), ""),
        (locus.ToolCompleteEvent(tool_name="search", tool_call_id="1", error="bad\x1b"), "  Error: bad\\x1b\n"),
        (locus.TerminateEvent(iterations_used=3, **END), "\nCompleted in 3 iterations\n"),
        (
            locus.TerminateEvent(iterations_used=3, final_message="Paris.\r\n\x1bYes.", **END),
            "\nCompleted in 3 iterations\nParis.\n\\x1bYes.\n",
        ),
        (locus.ThinkEvent(iteration=1, reasoning="Hm."), ""),
        (SimpleNamespace(event_type="tool_start"), "• \n"),
        (SimpleNamespace(event_type="terminate"), "\nCompleted in ? iterations\n"),
    ],
)
async def test_text_of_events(event: Any, text: str) -> None:
    """Tool calls, failures and the end with its answer are shown, and nothing else."""
    output = io.StringIO()
    await MinimalConsoleHandler(output).on_event(event)
    assert output.getvalue() == text


async def test_ends() -> None:
    """A completion shows nothing more, an error its text on one line."""
    output = io.StringIO()
    handler = MinimalConsoleHandler(output)
    await handler.on_complete()
    assert output.getvalue() == ""
    handler.clear()
    await handler.on_error(ValueError("bad\nthing"))
    assert output.getvalue() == "Error: bad\\nthing\n"


async def test_standard_output_is_found_when_writing(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an output, text goes to `sys.stdout` as it is at that moment."""
    await MinimalConsoleHandler().on_error(ValueError("bad"))
    assert capsys.readouterr().out == "Error: bad\n"
