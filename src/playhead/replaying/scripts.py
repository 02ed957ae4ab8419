"""Scripts made of what was recorded: what the model said in a run, as turns that can be said again.

Knows what events do to spans, and how calls of a model are kept. Does not know frameworks: their tables do. What a tape
does not say (the pieces of an answer that did not stream) is not made up.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from playhead.errors import CassetteError, UsageError
from playhead.events.dialects import dialect_of
from playhead.events.paths import at
from playhead.events.spans import Dialect, Span, Touch, Verb
from playhead.events.tagged import loads
from playhead.matching.exchange import Exchange, exchanges
from playhead.replaying.pieces import pieced_turn
from playhead.replaying.tape import Tape, chunk
from playhead.replaying.whole import whole_turn
from playhead.scripts.failures import ProviderFailure
from playhead.scripts.parts import Call, Part, Say, Think, call_with, cut, fail, stop
from playhead.scripts.turn import Turn, turn
from playhead.sse.parser import SSEParser

_SAYING: Final[Mapping[Span, type[Say | Think]]] = {Span.MODEL: Say, Span.MESSAGE: Say, Span.REASONING: Think}
_STOPS: Final = {
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "MAX_TOKENS": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "SAFETY": "content_filter",
}
"""The reasons that a model gives for stopping early, in our words; all others follow from what it said."""

_KINDS: Final = {429: "rate_limit", 529: "overloaded", 503: "overloaded", 400: "bad_request", 401: "unauthorized"}


def script_of(tape: Tape, *, run: str | None = None) -> list[Turn]:
    """Return what the model said on a tape, a turn for each time that it was asked.

    The calls of a model are read where there are any, else the events of a run: the first one, or the one named.
    Raises `UsageError` for a run that there is not, `CassetteError` for a tape on which no model says anything.
    """
    calls = [each for each in exchanges(tape.calls()) if each.kind == "request"]
    turns = [_turn_of(each, tape.where) for each in calls] if calls and run is None else _turns_of_run(tape, run)
    if not turns:
        raise CassetteError(f"{tape.where}: no model says anything there, so there is no script to make of it")
    return turns


def _turns_of_run(tape: Tape, run: str | None) -> list[Turn]:
    if run is not None and run not in tape.runs:
        raise UsageError(f"no run {run!r} in {tape.where}: it has {', '.join(tape.runs) or 'none'}")
    chosen = run or next(iter(tape.runs), None)
    reader = _Reader(tape.dialect)
    for entry in tape.entries():
        if (entry.track, entry.kind) == ("event", "event") and chosen in (entry.owner, None):
            reader.feed(entry.value())
    return reader.close()


def _turn_of(exchange: Exchange, where: str) -> Turn:
    """Return the turn of one call, over HTTP or of a model whose answers are native events."""
    status = exchange.reply.get("status", 200) if isinstance(exchange.reply, Mapping) else 200
    if status >= 400:
        return turn(fail(ProviderFailure(_KINDS.get(status, "server_error"), status, _message(exchange))))
    said = _said(exchange, where)
    if exchange.fault is None:
        return said
    kind, code = str(exchange.fault.get("kind", "cut")), exchange.fault.get("status")
    if kind == "cut" or not isinstance(code, int):
        return turn(said, cut())
    return turn(said, fail(ProviderFailure(kind, code, str(exchange.fault.get("message", "")))))


def _said(exchange: Exchange, where: str) -> Turn:
    events = list(_events(exchange))
    if len(events) == 1 and (whole := whole_turn(events[0])) is not None:
        return whole
    dialect = next((found for event in events if (found := dialect_of(event))), None)
    if dialect is None:
        if (pieced := pieced_turn(events)) is not None:
            return pieced
        if events:
            raise CassetteError(f"{where}: nobody knows what {exchange.call} answers: no dialect has such events")
        return turn()
    reader = _Reader(dialect, is_answer=True)
    for event in events:
        reader.feed(event)
    return turn(*reader.close(), *_whole_calls(events))


def _whole_calls(events: Iterable[Any]) -> Iterator[Part]:
    """Yield the calls that stand whole on an answer's last event. In a run, the tools' own events tell of them."""
    for event in events:
        for wanted in event.get("tool_calls") or ():
            yield call_with(wanted["name"], wanted["arguments"]).with_id(wanted["id"])


def _events(exchange: Exchange) -> Iterator[Any]:
    """Yield the JSON values of an answer: of its chunks, or of the messages in them where they are bytes."""
    values = [loads(data) for _, data in exchange.chunks]
    if not values:
        yield from [exchange.reply] if exchange.has_reply else []
    elif all(isinstance(value, dict) for value in values):
        yield from values
    else:
        yield from _messages(b"".join(chunk(data) for _, data in exchange.chunks))


def _messages(body: bytes) -> Iterator[Any]:
    """Yield what a body carries: one JSON value, or the data of each message that is JSON."""
    texts = [body] if body.lstrip().startswith(b"{") else [each.data.encode() for each in SSEParser().feed(body)]
    for text in texts:
        try:
            yield loads(text)
        except ValueError:
            # The end that is no JSON, or what was garbage when it was recorded.
            continue


def _message(exchange: Exchange) -> str:
    found = next(_events(exchange), None)
    return str(at(found, ("error", "message")) or found) if isinstance(found, Mapping) else ""


class _Reader:
    """Read the turns of a model off the events of a run, or, with `is_answer`, off those of a single answer.

    In a run a turn ends when tools have answered and the model goes on.
    """

    def __init__(self, dialect: Dialect, *, is_answer: bool = False) -> None:
        self._dialect = dialect
        self._is_answer = is_answer
        self._turns: list[Turn] = []
        self._parts: list[tuple[Any, list[str]]] = []
        self._calls: dict[Any, tuple[Touch, list[str]]] = {}
        self._stop: str | None = None
        self._answered = False
        self._text = ""

    def feed(self, event: Mapping[str, Any]) -> None:
        """Take an event. Those of sub-agents say nothing of this model."""
        kind = self._dialect.type_of(event)
        for touch in self._dialect.touches_as(kind, event):
            self._take(touch, kind)
        whole = at(event, self._dialect.answers.get(kind, ()))
        if isinstance(whole, str) and whole and whole != self._text and not self._has_said():
            self._say(Say, whole)

    def close(self) -> list[Turn]:
        """Return the turns."""
        self._end_turn()
        return self._turns

    def _take(self, touch: Touch, kind: str) -> None:
        if touch.verb is Verb.FEED and touch.span in _SAYING and isinstance(touch.text, str) and touch.text:
            self._say(_SAYING[touch.span], touch.text)
        elif touch.span is Span.TOOL:
            self._take_tool(touch, kind)
        elif touch.verb is Verb.CLOSE and isinstance(touch.status, str):
            self._stop = _STOPS.get(touch.status, self._stop)
        if touch.span in (Span.STEP, Span.MODEL) and self._answered:
            self._end_turn()

    def _take_tool(self, touch: Touch, kind: str) -> None:
        key = repr(touch.key)
        if touch.verb is Verb.OPEN:
            if key not in self._calls:
                self._calls[key] = (touch, [])
                self._parts.append(self._calls[key])
        elif touch.verb is Verb.CLOSE:
            self._answered = not self._is_answer
        elif kind in self._dialect.arguments and isinstance(touch.text, str) and key in self._calls:
            self._calls[key][1].append(touch.text)

    def _say(self, kind: type[Say | Think], text: str) -> None:
        if self._answered:
            self._end_turn()
        if self._parts and self._parts[-1][0] is kind:
            self._parts[-1][1].append(text)
        else:
            self._parts.append((kind, [text]))

    def _has_said(self) -> bool:
        return any(kind is Say for kind, _ in self._parts)

    def _end_turn(self) -> None:
        if self._parts:
            made = turn(*(_part(kind, pieces) for kind, pieces in self._parts))
            self._turns.append(turn(made, stop(self._stop)) if self._stop else made)
            self._text = made.text or self._text
        self._parts, self._calls, self._stop, self._answered = [], {}, None, False


def _part(kind: Any, pieces: Iterable[str]) -> Part:
    """Return what was said, or the call that was made, with its arguments as they streamed or as they are whole."""
    if not isinstance(kind, Touch):
        return Say(tuple(pieces)) if kind is Say else Think(tuple(pieces))
    streamed = tuple(pieces)
    made = Call(str(kind.name), streamed) if any(streamed) else call_with(str(kind.name), _arguments(kind.given))
    return made.with_id(kind.key) if isinstance(kind.key, str) else made


def _arguments(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}
