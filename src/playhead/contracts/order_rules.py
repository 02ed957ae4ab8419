"""The rules of order, `ORD`, each with a stream that breaks it and one that does not."""

from playhead.contracts.rule import Example, Row, Rule, Severity
from playhead.contracts.samples import (
    DONE,
    END,
    NEWS,
    NEXT,
    SHIPIT_CALLED,
    SHIPIT_COMPLETED,
    SHIPIT_OVER,
    SHIPIT_RUN,
    START,
    THINK,
)

_HEALTHY = Example((THINK, START, NEWS, DONE, NEXT, END))
_HEALTHY_RUN = Example((SHIPIT_RUN, SHIPIT_CALLED, SHIPIT_COMPLETED, SHIPIT_OVER), dialect="shipit")


def _at(event: Row, second: int) -> Row:
    return {**event, "timestamp": f"2030-01-01T00:00:0{second}Z"}


RULES_OF_ORDER: tuple[Rule, ...] = (
    Rule(
        "ORD001",
        "a span is closed that is not open",
        "A tool's completion has a start before it, of the same key and name, and each start is completed once. Who "
        "shows a spinner for each start never stops it, or stops another one.",
        breaks=Example((THINK, START, DONE, DONE, END)),
        keeps=_HEALTHY,
    ),
    Rule(
        "ORD002",
        "a span is fed that is not open",
        "Progress, pieces of text and a sub-agent's events belong to a span that has begun and has not ended.",
        breaks=Example((THINK, NEWS, START, DONE, END)),
        keeps=_HEALTHY,
    ),
    Rule(
        "ORD003",
        "a span is opened that is open already",
        "Where a dialect's keys do not repeat, nobody could say which of two spans an event belongs to. A run, too, is "
        "opened once.",
        breaks=Example((SHIPIT_RUN, SHIPIT_CALLED, SHIPIT_CALLED, SHIPIT_COMPLETED, SHIPIT_OVER), dialect="shipit"),
        keeps=_HEALTHY_RUN,
    ),
    Rule(
        "ORD004",
        "a span has another name when it is closed",
        "The key is that of an open span, the name is not: one of the two is wrong.",
        breaks=Example((THINK, START, {**DONE, "tool_name": "find"}, END)),
        keeps=_HEALTHY,
    ),
    Rule(
        "ORD005",
        "a span outlives the one that it lies in",
        "A part of a message ends before the message does.",
        breaks=Example(
            (
                {"type": "message_start", "message": {"id": "m", "role": "assistant"}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
                {"type": "message_stop"},
            ),
            dialect="anthropic.messages",
        ),
        keeps=Example(
            (
                {"type": "message_start", "message": {"id": "m", "role": "assistant"}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_stop", "index": 0},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
                {"type": "message_stop"},
            ),
            dialect="anthropic.messages",
        ),
    ),
    Rule(
        "ORD006",
        "the number of a step does not grow",
        "Within one agent and run the steps are numbered upwards. A step back is taken for another run in the same "
        "stream if the stream has a terminal event for it.",
        breaks=Example((THINK, THINK, NEXT, END)),
        keeps=Example((THINK, NEXT, END, THINK, END)),
    ),
    Rule(
        "ORD007",
        "a completion has both a result and an error, or neither",
        "A reader that looks at one of the two first takes a failure for a success, or has nothing to show.",
        breaks=Example((THINK, START, {**DONE, "error": "no such city"}, END)),
        keeps=_HEALTHY,
    ),
    Rule(
        "ORD008",
        "an event is older than the one before it",
        "Clocks are set, and an event may be stamped before others and sent after them: this only looks wrong. Who "
        "sorts events by their time shows them in another order.",
        breaks=Example((_at(THINK, 5), _at(END, 4))),
        keeps=Example((_at(THINK, 4), _at(END, 5))),
        severity=Severity.WARNING,
    ),
    Rule(
        "ORD009",
        "something comes before the event that begins a run",
        "Where a dialect opens its runs, that event is the first. A client that makes its state then has none yet.",
        breaks=Example((SHIPIT_CALLED, SHIPIT_COMPLETED, SHIPIT_OVER), dialect="shipit"),
        keeps=_HEALTHY_RUN,
    ),
)
"""Every rule of order."""
