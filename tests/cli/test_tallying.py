"""Numbers of tapes: each span is counted once, with the time that passed on the tape."""

from pathlib import Path
from typing import Any

from playhead.cassettes.places import locate
from playhead.cli.tallying import Tally
from playhead.events.measuring import Times
from playhead.events.spans import Span
from tests.cli.running import SEARCH, write_tape


def tally(*paths: Path) -> Tally:
    """Return the tally of cassettes."""
    added = Tally()
    for path in paths:
        with locate(path).read() as cassette:
            added.add(cassette, path.stat().st_size)
    return added


def test_tools_are_counted_with_their_times(tmp_path: Path) -> None:
    """Time is that of the tape; a tool with a status has failed."""
    found = tally(write_tape(tmp_path / "a.jsonl"))
    assert found.measures.tools == {"search": Times([252_000]), "read": Times([1_750_000], failed=1)}
    assert found.measures.spans[Span.TOOL] == Times([252_000, 1_750_000], failed=1)
    assert found.measures.spans[Span.STEP] == Times([1_793_000, 7])
    assert found.types["model_chunk"] == 2
    assert (found.runs, found.entries, found.recorded_us, dict(found.ends)) == (1, 9, 1_793_007, {"complete": 1})


def test_tapes_add_up(tmp_path: Path) -> None:
    """What is open at the end of one tape is unfinished, and the next tape does not close it."""
    one = write_tape(tmp_path / "a.jsonl", SEARCH[:2], end="closed")
    two = write_tape(tmp_path / "b.jsonl", [SEARCH[0], *SEARCH[3:5]], end="error")
    found = tally(one, two)
    assert found.measures.tools == {"search": Times(unfinished=1)}
    assert found.measures.spans[Span.STEP] == Times(unfinished=2)
    assert (found.cassettes, dict(found.ends)) == (2, {"closed": 1, "error": 1})


def test_tools_of_sub_agents_are_counted_apart(tmp_path: Path) -> None:
    """A nested event counts by its type once, as what carries it, and its tool is not the outer one of the same id."""
    start: dict[str, Any] = {"event_type": "tool_start", "tool_name": "task", "tool_call_id": "a", "arguments": {}}
    inner = {"event_type": "tool_start", "tool_name": "look", "tool_call_id": "a", "arguments": {}}
    done = {"event_type": "tool_complete", "tool_name": "look", "tool_call_id": "a"}
    carrier = {"event_type": "subagent", "tool_name": "task", "tool_call_id": "a"}
    events = [(1, start), (10, {**carrier, "event": inner}), (100, {**carrier, "event": done})]
    found = tally(write_tape(tmp_path / "a.jsonl", events))
    assert found.measures.tools == {"look": Times([100]), "task": Times(unfinished=1)}
    assert dict(found.types) == {"tool_start": 1, "subagent": 2}
