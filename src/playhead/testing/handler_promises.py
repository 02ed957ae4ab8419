"""What is expected of every stream handler, promise by promise, as judgements on one delivery.

Knows what `playhead.testing.deliveries` has seen. A judgement says why a promise is broken, nothing if it is kept, and
None where the delivery does not put it to the test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from playhead.contracts.check import check
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES
from playhead.errors import PlayheadError
from playhead.events.dialects import get_dialect
from playhead.events.spans import Dialect
from playhead.testing.carrying import Shown, carried, difference, extras, silence
from playhead.testing.deliveries import How, Seen
from playhead.testing.outputs import Item, Output
from playhead.testing.report import Promise

Verdict = str | None
"""Why a promise is broken, nothing if it is kept, None where it was not put to the test."""
MAX_HELD: Final = 1_500
"""Of two thousand events, a handler that streams may hold so many while its reader takes none."""

# The name of a message must differ from the type of its event where that would forge a line.
_NOT_ASKED: Final = frozenset({"WIR006"})
_ENDS: Final = (How.COMPLETE, How.ERROR)


@dataclass(slots=True)
class Knowledge:
    """Hold what is known of a subject before it is judged: the dialect of its events, what it shows, how it ends.

    `last` are the names of the messages that it adds at the end of a run, `told` what it adds when that is complete.
    """

    dialect: Dialect = field(default_factory=lambda: get_dialect("locus"))
    shown: Shown = field(default_factory=Shown)
    last: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def learn(self, seen: Seen) -> None:
        """Take in what was seen of a healthy run."""
        if not seen.is_whole:
            return
        if seen.delivery.how is How.COMPLETE:
            self.shown.learn(seen.expected, seen.at_end, self.dialect)
            self.told.add(_tail(seen))
        added = seen.at_end.items[len(seen.before_end.items) :]
        names = _names(seen, self.dialect)
        self.last |= {item.name for item in added if carried(item, self.dialect, names) is None} - {"message"}


def _names(seen: Seen, dialect: Dialect) -> set[str]:
    return {str(getattr(event, "event_type", "")) for event in seen.delivery.events} | set(dialect.ops)


def _tail(seen: Seen) -> str:
    """Return what the end of a run added to its output."""
    if seen.at_end.kind == "text":
        return seen.at_end.text[len(seen.before_end.text) :]
    return repr([item.name for item in seen.at_end.items[len(seen.before_end.items) :]])


def _returns(seen: Seen, known: Knowledge) -> Verdict:
    hung = [str(call) for call in (*seen.calls, *seen.late_calls) if call.hung]
    return seen.spun or (hung[0] if hung else "")


def _accepts(seen: Seen, known: Knowledge) -> Verdict:
    if seen.delivery.how in (How.STALL, How.REFUSE) or seen.spun:
        return None
    raised = [str(call) for call in seen.calls if call.raised]
    return raised[0] if raised and _is_healthy(seen, known) else ""


def _is_healthy(seen: Seen, known: Knowledge) -> bool:
    """Say whether a handler has no reason to refuse a run: it breaks no rule, and no type of event forges a line."""
    end = "error" if seen.delivery.how is How.ERROR else "complete"
    types = [str(getattr(event, "event_type", "")) for event in seen.delivery.events]
    return all(map(str.isprintable, types)) and not any(check(seen.delivery.events, dialect=known.dialect, end=end))


def _leaves_events_alone(seen: Seen, known: Knowledge) -> Verdict:
    return None if seen.spun or seen.delivery.how is How.STALL else seen.changed


def _carries(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.is_whole or seen.delivery.how not in _ENDS or not known.shown.is_carrier:
        return None
    return difference(seen.expected, seen.at_end, known.dialect, known.shown)


def _shows_texts(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.is_whole or seen.delivery.how not in _ENDS or known.shown.is_carrier or seen.at_end.kind == "none":
        return None
    return silence(seen.expected, seen.at_end, known.dialect, known.shown)


def _survives_the_wire(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.is_whole or seen.at_end.kind not in ("sse", "text") or seen.delivery.how not in _ENDS:
        return None
    return seen.at_end.damage


def _breaks_no_rule(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.is_whole or seen.delivery.how not in _ENDS or not seen.at_end.wire or seen.at_end.kind != "sse":
        return None
    if not known.shown.is_carrier or len(seen.expected) != len(seen.delivery.events):
        return None
    if known.last and not known.dialect.framed:
        # It adds messages of its own to a stream that has none.
        return None
    end = "complete" if seen.delivery.how is How.COMPLETE else "error"
    try:
        given = {each.code for each in check(seen.delivery.events, dialect=known.dialect, end=end)}
        found = [each for each in check(seen.at_end.wire, dialect=known.dialect, end=end) if each.code not in given]
    except PlayheadError as error:
        return str(error)
    broken = [each for each in found if RULES[each.code].severity is Severity.ERROR and each.code not in _NOT_ASKED]
    return f"{broken[0].code} {broken[0].message}" if broken else ""


def _ends_once(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.is_whole or seen.delivery.how not in _ENDS or seen.at_end.kind != "sse":
        return None
    names = _names(seen, known.dialect)
    added = extras(seen.at_end, known.dialect, names)
    ends = [item.name for item in added if item.name in known.last or _is_end(item)]
    if len(ends) > 1:
        return f"the run ended once, and {len(ends)} messages say so: {', '.join(ends)}"
    if not ends and known.last:
        return f"no message says that the run is over, where {' or '.join(sorted(known.last))} should"
    last = seen.at_end.items[-1] if seen.at_end.items else None
    if ends and last is not None and last.name != ends[0] and not _is_end(last):
        return f"{last.name!r} follows the message {ends[0]!r}, which says that the run is over"
    return ""


def _is_end(item: Item) -> bool:
    return item.data == "[DONE]" or item.name in ("done", "error", "end", "complete")


def _tells_errors(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.is_whole or seen.delivery.how is not How.ERROR or seen.at_end.kind not in ("sse", "text"):
        return None
    if not known.told - {"", "[]"} and _tail(seen) in ("", "[]"):
        # A handler that says nothing at the end of a run has nothing to say of a failure, unless it is text or SSE
        # for a person or a program that waits for one.
        return "the run failed, and nothing that came out says so"
    if _tail(seen) in known.told:
        return "the run failed, and what came out is the same as if it were complete"
    return ""


def _is_over_at_the_end(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.is_whole or seen.late is None or seen.later is None:
        return None
    for after, what in ((seen.late, "calls after the end"), (seen.later, "ten minutes after the end")):
        if not _same(seen.at_end, after):
            new = [item.name for item in after.items[len(seen.at_end.items) :]] or [after.text[-60:]]
            return f"{what} changed what came out: {', '.join(map(str, new))}"
    hung = [str(call) for call in seen.late_calls if call.hung]
    return hung[0] if hung else ""


def _same(one: Output, other: Output) -> bool:
    return one.items == other.items if one.items or other.items else one.text == other.text


def _ends_its_stream(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.streams or not seen.is_whole or seen.reader is None:
        return None
    if seen.reader.hung:
        return f"the run ended with {seen.delivery.how}, and the reader waits for ever"
    return str(seen.reader) if seen.reader.raised else ""


def _streams_everything(seen: Seen, known: Knowledge) -> Verdict:
    if seen.streamed is None or not seen.is_whole or seen.delivery.how not in _ENDS or seen.reader is None:
        return None
    if seen.reader.hung or seen.streamed.kind != seen.at_end.kind:
        return None
    got, held = len(seen.streamed.items), len(seen.at_end.items)
    return "" if _same(seen.streamed, seen.at_end) else f"the reader got {got} of {held} messages, or others"


def _takes_a_second_reader(seen: Seen, known: Knowledge) -> Verdict:
    if seen.second is None or seen.delivery.how not in _ENDS:
        return None
    return "a reader that comes after the end waits for ever" if seen.second.hung else ""


def _lets_readers_leave(seen: Seen, known: Knowledge) -> Verdict:
    if not seen.streams or seen.delivery.how not in (How.LEAVE, How.CANCEL, How.STALL):
        return None
    if seen.released is False:
        return "a producer that waited for its reader waits on after that has left"
    hung = next((call for call in seen.calls if call.hung), None)
    return f"the reader left, and {hung}" if hung else ""


def _is_bounded(seen: Seen, known: Knowledge) -> Verdict:
    if seen.held is None or seen.collects:
        return None
    return "" if seen.held <= MAX_HELD else f"its reader stalls, and it holds {seen.held:,} messages and takes more"


def _leaves_nothing(seen: Seen, known: Knowledge) -> Verdict:
    return None if seen.spun else f"left behind: {', '.join(seen.left[:3])}" if seen.left else ""


def _passes_refusals(seen: Seen, known: Knowledge) -> Verdict:
    if seen.delivery.how is not How.REFUSE or not seen.refused:
        return None
    failed = any(call.raised for call in seen.calls)
    return "" if failed else "its sink raised an error, and no call did: the error is swallowed"


def _can_be_used_again(seen: Seen, known: Knowledge) -> Verdict:
    if seen.again is None:
        return None
    if seen.again.kind == "text" or not known.shown.is_carrier:
        return "" if _same(seen.again, seen.at_end) else "after clear() the same run comes out otherwise"
    return difference(seen.expected, seen.again, known.dialect, known.shown)


Judge = Callable[[Seen, Knowledge], Verdict]

PROMISES: Final[tuple[tuple[Promise, Judge], ...]] = (
    (Promise("calls-return", "no call waits for ever, or turns in circles"), _returns),
    (Promise("takes-every-event", "no call of a healthy run raises"), _accepts),
    (Promise("leaves-events-alone", "no event is changed"), _leaves_events_alone),
    (Promise("carries-every-event", "each event comes out once, in order, with all that it says"), _carries),
    (Promise("shows-every-text", "each text that it shows comes out, in order"), _shows_texts),
    (Promise("survives-the-wire", "what it sends is what a reader receives"), _survives_the_wire),
    (Promise("ends-its-stream", "its stream ends when the run does, well or badly"), _ends_its_stream),
    (Promise("takes-a-second-reader", "a reader that comes after the end is not left waiting"), _takes_a_second_reader),
    (Promise("ends-once", "one message says that the run is over, and it is the last"), _ends_once),
    (Promise("tells-errors", "a run that failed comes out as one that failed"), _tells_errors),
    (Promise("breaks-no-rule", "what comes out breaks no rule that the run itself kept"), _breaks_no_rule),
    (Promise("is-over-at-the-end", "nothing comes out after the end"), _is_over_at_the_end),
    (Promise("streams-everything", "its reader gets what it holds"), _streams_everything),
    (Promise("lets-readers-leave", "a reader that leaves holds nobody up"), _lets_readers_leave),
    (Promise("is-bounded", "it holds a bounded amount for a slow reader"), _is_bounded),
    (Promise("leaves-nothing", "no task, thread, file or reader is left behind"), _leaves_nothing),
    (Promise("passes-refusals", "an error of its sink reaches whoever feeds it"), _passes_refusals),
    (Promise("can-be-used-again", "after clear() it works as a new one"), _can_be_used_again),
)
"""Each promise with what judges it."""


def judge(seen: Seen, known: Knowledge, *, only: str = "") -> list[tuple[Promise, str]]:
    """Return the promises that a delivery shows to be broken, each with why. `only` asks for one of them."""
    asked: list[tuple[Promise, Any]] = [each for each in PROMISES if only in ("", each[0].name)]
    return [(promise, why) for promise, ask in asked if (why := ask(seen, known))]
