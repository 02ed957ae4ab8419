"""What is expected of every agent, promise by promise, as judgements on one run.

Knows what `playhead.testing.agent_runs` has seen. A judgement says why a promise is broken, nothing if it is kept, and
None where the run does not put it to the test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from playhead.contracts.check import check
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES
from playhead.errors import UsageError
from playhead.events.codec import encode_event
from playhead.events.dialects import dialect_of, get_dialect
from playhead.events.spans import Dialect
from playhead.scripts.parts import Hang
from playhead.testing.agent_runs import MAX_EVENTS, AgentSeen, Leaving, has_fault
from playhead.testing.carrying import speech
from playhead.testing.outputs import Item, Output
from playhead.testing.report import Promise

Verdict = str | None
"""Why a promise is broken, nothing if it is kept, None where it was not put to the test."""


@dataclass(slots=True)
class AgentKnowledge:
    """Hold what is known of an agent before it is judged: its dialect, its tools, and whether it shows answers."""

    dialect: Dialect = field(default_factory=lambda: get_dialect("locus"))
    tools: tuple[Mapping[str, Any], ...] = ()
    shows_answers: bool = False
    is_sync: bool = False


def _ends(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if seen.is_endless:
        return f"{MAX_EVENTS:,} events came, and no end"
    return "" if seen.trial.has(Hang) else seen.hung


def _gives_up(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if not seen.trial.has(Hang) or seen.trial.how is not Leaving.RUN:
        return None
    return f"its model fell silent, and {seen.hung}" if seen.hung else ""


def _survives(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if has_fault(seen.trial) or seen.trial.how is not Leaving.RUN or seen.hung:
        return None
    return f"it raised {type(seen.raised).__name__}: {seen.raised}" if seen.raised else ""


def _keeps_rules(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if seen.hung or seen.is_endless or (seen.trial.how is Leaving.CLOSE and not seen.events):
        return None
    end = "closed" if seen.was_left else "error" if seen.raised else "complete"
    if seen.trial.how is Leaving.STOP and seen.is_over and not seen.raised:
        # Whether a stopped run says so is a promise of its own.
        end = "cancelled"
    try:
        found = list(check(seen.events, dialect=known.dialect, end=end))
    except UsageError as error:
        return str(error)
    broken = [each for each in found if RULES[each.code].severity is Severity.ERROR]
    return str(broken[0]) if broken else ""


def _tells_failures(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if not seen.is_over or seen.trial.how is not Leaving.RUN or not seen.endings or seen.endings[-1] != "failed":
        return None
    if seen.raised or not seen.events:
        return ""
    last = encode_event(seen.events[-1])
    kind = known.dialect.type_of(last)
    statuses = [touch.status for touch in known.dialect.touches(last)] or [None]
    is_failure = any(not known.dialect.is_normal(kind, status) for status in statuses)
    names_error = any("error" in str(status) for status in statuses) or bool(last.get("error"))
    if kind not in known.dialect.terminals or is_failure or names_error:
        return ""
    return f"its model failed for good, and the run ended with {kind!r} as if it were complete"


def _carries_answers(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if not known.shows_answers or has_fault(seen.trial) or not seen.is_over or seen.raised:
        return None
    if seen.trial.how is not Leaving.RUN or not seen.endings or seen.endings[-1] != "complete":
        return None
    number = len(seen.endings) - 1
    text = seen.trial.turns[number].text if number < len(seen.trial.turns) else "Done."
    if not text.strip() or text.strip() in spoken(seen.events):
        return ""
    return f"the model's last answer {text[:60]!r} is in none of its events"


def spoken(events: list[Any]) -> str:
    """Return all texts of events, joined."""
    return speech(Output("events", tuple(Item("", encode_event(event)) for event in events)))


def _can_be_left(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if not seen.was_left:
        return None
    way = "closed" if seen.trial.how is Leaving.CLOSE else "cancelled"
    if seen.hung:
        return f"it was {way} at event {seen.trial.at}, and {seen.hung}"
    if seen.raised and not has_fault(seen.trial):
        return f"it was {way} at event {seen.trial.at} and raised {type(seen.raised).__name__}: {seen.raised}"
    return ""


def _leaves_nothing(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if seen.hung or seen.is_sync:
        return None
    return f"left behind: {', '.join(seen.left[:3])}" if seen.left else ""


def _tells_stops(seen: AgentSeen, known: AgentKnowledge) -> Verdict:
    if seen.trial.how is not Leaving.STOP or not seen.has_stop or not seen.is_over or seen.raised:
        return None
    kinds = [known.dialect.type_of(encode_event(event)) for event in seen.events]
    if not known.dialect.terminals.isdisjoint(kinds):
        return ""
    last = f"the last one is {kinds[-1]!r}" if kinds else "there are none"
    return f"cancel() was called, and no event says that the run is over: {last}"


Judge = Callable[[AgentSeen, AgentKnowledge], Verdict]

AGENT_JUDGES: Final[tuple[tuple[Promise, Judge], ...]] = (
    (Promise("ends", "its stream ends, whatever its model does"), _ends),
    (Promise("survives-its-model", "no answer of its model makes it raise"), _survives),
    (Promise("keeps-the-rules", "its events are in order, and end as the run did"), _keeps_rules),
    (Promise("tells-failures", "a model that fails for good is no complete run"), _tells_failures),
    (Promise("carries-the-answer", "the model's last answer is in its events"), _carries_answers),
    (Promise("can-be-left", "closing or cancelling it works at every event"), _can_be_left),
    (Promise("leaves-nothing", "no task, thread or answer of its model is left behind"), _leaves_nothing),
    (Promise("tells-cancellation", "after cancel() an event says that the run is over"), _tells_stops),
    (Promise("gives-up-on-silence", "a model that falls silent does not hold it up for ever"), _gives_up),
)
"""Each promise with what judges it."""


def judge_agent(seen: AgentSeen, known: AgentKnowledge, *, only: str = "") -> list[tuple[Promise, str]]:
    """Return the promises that a run shows to be broken, each with why. `only` asks for one of them."""
    asked = [each for each in AGENT_JUDGES if only in ("", each[0].name)]
    return [(promise, why) for promise, ask in asked if (why := ask(seen, known))]


def learn_agent(seen: AgentSeen, dialect: str | Dialect | None) -> AgentKnowledge:
    """Return what a healthy run tells of an agent. Raises `UsageError` where it did not run."""
    if seen.raised is not None or seen.hung or not seen.events:
        why = f"raised {type(seen.raised).__name__}: {seen.raised}" if seen.raised else seen.hung or "gave no event"
        raise UsageError(f"the agent does not run: with a model that says 'Done.', it {why}") from seen.raised
    found = get_dialect(dialect) if dialect is not None else _guessed(seen)
    return AgentKnowledge(
        found, tuple(_described(each) for each in seen.tools), "Done." in spoken(seen.events), seen.is_sync
    )


def _guessed(seen: AgentSeen) -> Dialect:
    found = (dialect_of(encode_event(event)) for event in seen.events)
    return next((dialect for dialect in found if dialect is not None), get_dialect("locus"))


def _described(tool: Any) -> Mapping[str, Any]:
    described = tool.get("function", tool) if isinstance(tool, Mapping) else {}
    return described if isinstance(described, Mapping) else {}
