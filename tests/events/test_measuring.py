"""How long things took, as data: times are those of the tape."""

from playhead.events.locus import LOCUS
from playhead.events.measuring import Times, measure
from playhead.events.spans import Span
from playhead.events.turns import TURNS
from tests.cli.running import SEARCH


def timed() -> list[tuple[int, dict[str, object]]]:
    """Return the events of a run with the time of each."""
    at_us = 0
    events = []
    for dt_us, event in SEARCH:
        at_us += dt_us
        events.append((at_us, dict(event)))
    return events


def test_a_run_is_measured() -> None:
    """Spans by kind, tools by name; a model call that nobody ended is unfinished."""
    found = measure(timed(), LOCUS)
    assert found.tools == {"search": Times([252_000]), "read": Times([1_750_000], failed=1)}
    assert found.spans == {
        Span.TOOL: Times([252_000, 1_750_000], failed=1),
        Span.STEP: Times([1_793_000, 7]),
        Span.MODEL: Times(unfinished=1),
    }


def test_waits_are_counted_from_the_beginning_of_the_run() -> None:
    """The first text is that of an answer, and a run without one waited in vain."""
    assert measure(timed(), LOCUS).waits == {
        "first event": Times([0]),
        "first text": Times([1_773_000]),
        "longest silence": Times([1_500_000]),
    }
    late = [(9_000 + at_us, event) for at_us, event in timed()[:1]]
    assert measure(late, LOCUS).waits == {
        "first event": Times([9_000]),
        "first text": Times(unfinished=1),
        "longest silence": Times([9_000]),
    }


def test_the_text_of_a_sub_agent_is_not_the_answer() -> None:
    """Only the events of the stream itself count."""
    chunk = {"event_type": "model_chunk", "content": "Hm.", "done": False}
    carrier = {"event_type": "subagent", "tool_name": "task", "tool_call_id": "a", "event": chunk}
    assert measure([(1, carrier)], LOCUS).waits["first text"] == Times(unfinished=1)
    assert measure([(1, carrier), (2, chunk)], LOCUS).waits["first text"] == Times([2])


def test_no_event_is_no_first_event() -> None:
    """An empty run waited for everything."""
    found = measure([], TURNS)
    assert found.waits["first event"] == Times(unfinished=1)
    assert (found.spans, found.tools) == ({}, {})


def test_numbers_for_programs() -> None:
    """Times that nobody measured are left out."""
    assert Times().as_json() == {"count": 0, "failed": 0, "unfinished": 0}
    assert Times([1, 2, 9], failed=1, unfinished=1).as_json() == {
        "count": 4,
        "failed": 1,
        "unfinished": 1,
        "total_us": 12,
        "min_us": 1,
        "median_us": 2,
        "max_us": 9,
    }
