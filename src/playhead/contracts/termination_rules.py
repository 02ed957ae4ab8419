"""The rules of termination, `TRM`, each with a stream that breaks it and one that does not."""

from playhead.contracts.limits import Limits
from playhead.contracts.rule import Example, Rule, Severity
from playhead.contracts.samples import DONE, END, NEXT, START, THINK

_HEALTHY = Example((THINK, START, DONE, NEXT, END))
_COUNTED = {**END, "iterations_used": 2, "total_tool_calls": 1}
_ERROR = {**END, "reason": "error"}


def _paced(*seconds: int) -> tuple[dict[str, object], ...]:
    events = (THINK, START, DONE, NEXT, END)
    return tuple(
        {**event, "timestamp": f"2030-01-01T00:00:{second:02}Z"} for event, second in zip(events, seconds, strict=True)
    )


RULES_OF_TERMINATION: tuple[Rule, ...] = (
    Rule(
        "TRM001",
        "a stream that was read to its end has no terminal event",
        "The connection was cut, or the agent stopped without a word: what has come looks whole and is not. A run that "
        "waits for a person, was cancelled or whose reader went away promised no terminal event.",
        breaks=Example((THINK, START, DONE)),
        keeps=Example((THINK, START, {"event_type": "interrupt", "interrupt_id": "i1", "question": "Go on?"})),
    ),
    Rule(
        "TRM002",
        "an event follows the terminal event of its run",
        "A reader that stops at the terminal event never sees it.",
        breaks=Example((THINK, START, END, DONE)),
        keeps=_HEALTHY,
    ),
    Rule(
        "TRM003",
        "a run has two terminal events",
        "A reader that acts on each of them acts twice: bills twice, answers twice.",
        breaks=Example((THINK, START, DONE, END, END)),
        keeps=_HEALTHY,
    ),
    Rule(
        "TRM004",
        "a span is left open at a normal end",
        "A run that did all it began completes each tool it started. One that failed, was cancelled or waits need not.",
        breaks=Example((THINK, START, NEXT, END)),
        keeps=Example((THINK, START, {**END, "reason": "cancelled"})),
    ),
    Rule(
        "TRM005",
        "the terminal event and the exception disagree",
        "A terminal event with reason `error` and the exception out of the source come together. Else one reader takes "
        "for a success what another one takes for a failure.",
        breaks=Example((THINK, _ERROR), end="complete"),
        keeps=Example((THINK, _ERROR), end="error"),
    ),
    Rule(
        "TRM006",
        "the stream is silent for longer than the limit",
        "Proxies and browsers give up on a silent connection. Send heartbeats, or raise the limit.",
        breaks=Example(_paced(0, 1, 32, 33, 34), limits=Limits(silence_s=30)),
        keeps=Example(_paced(0, 1, 31, 32, 33), limits=Limits(silence_s=30)),
        severity=Severity.OPT_IN,
    ),
    Rule(
        "TRM007",
        "a run has more steps or events than the limit",
        "An agent that goes round in circles ends by its budget, if at all.",
        breaks=Example((THINK, START, DONE, NEXT, END), limits=Limits(steps=1)),
        keeps=Example((THINK, START, DONE, NEXT, END), limits=Limits(steps=2, events=5)),
        severity=Severity.OPT_IN,
    ),
    Rule(
        "TRM008",
        "the counters of the terminal event disagree with the stream",
        "Budgets count a step that failed, and threads count on from run to run: select this rule where yours do not.",
        breaks=Example((THINK, START, DONE, NEXT, {**_COUNTED, "total_tool_calls": 2}), limits=Limits(counters=True)),
        keeps=Example((THINK, START, DONE, NEXT, _COUNTED), limits=Limits(counters=True)),
        severity=Severity.OPT_IN,
    ),
)
"""Every rule of termination."""
