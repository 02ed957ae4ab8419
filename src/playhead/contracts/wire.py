"""The wire: whether bytes are an event stream that its readers understand, and what its events break.

Knows messages, their ids, the frames around a run, and the end of a stream. Does not know how bytes become messages
(`playhead.sse.parser`), nor the rules of events (`playhead.contracts.watch`). No I/O.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice, takewhile
from typing import Any, Final

from pydantic_core import from_json

from playhead.contracts.limits import Limits
from playhead.contracts.monitor import Place
from playhead.contracts.numbers import Ids
from playhead.contracts.rules import selected
from playhead.contracts.violation import Violation
from playhead.contracts.watch import Watch
from playhead.contracts.wire_head import Headers, look_at_head
from playhead.events.dialects import dialect_of
from playhead.events.spans import Dialect
from playhead.sse.message import SSEMessage
from playhead.sse.oddity import Odd, Oddity
from playhead.sse.parser import SSEParser

MAX_MESSAGE_BYTES: Final = 64 * 1024
"""What a message may be long before a warning: some proxies and clients buffer no more."""

_MAX_WAITING: Final = 16
"""How many messages wait for one that says whose they are, and how many odd lines for their message."""
_BEAT: Final = "heartbeat"
_ENDS: Final[Mapping[str | None, str]] = {"done": "complete", "error": "error"}
_FRAMES: Final = frozenset({*_ENDS, _BEAT})
_MAX_DIGITS: Final = 640
_READ: Final = (None, "complete")
_NOTHING: Final = object()
"""What data holds that cannot be read. `null` can."""
_INSIDE: Final = frozenset({Oddity.UNKNOWN_FIELD, Oddity.UNSPACED})
"""What is told before its block has ended."""

_ODD: Final[Mapping[Oddity, tuple[str, str]]] = {
    Oddity.NOT_UTF8: ("WIR001", "this block is not UTF-8"),
    Oddity.UNENDED: ("WIR002", "the last message has no empty line behind it: readers drop it"),
    Oddity.UNKNOWN_FIELD: ("WIR003", "there is no such field, so readers ignore the line {text!r}"),
    Oddity.BOM: (
        "WIR019",
        "a byte order mark: the SDKs of OpenAI and Anthropic lose the first message",
    ),
    Oddity.NO_DATA: ("WIR021", "a block of {text} without data: openai-python takes it for a message and fails"),
    Oddity.UNSPACED: ("WIR022", "no space behind `data:`: google-genai fails on {text!r}"),
}


class WireWatch:
    """Watch the bytes of one response, in any pieces. `dialect` says whose events the messages carry.

    None lets the first messages say so; where they do not, only the rules of the wire itself are asked. Findings have
    the line and the offset of their message, and count messages, not events. Raises `WireError` as `SSEParser` does.
    """

    def __init__(
        self, dialect: Dialect | None = None, *, codes: frozenset[str] | None = None, limits: Limits | None = None
    ) -> None:
        self._codes = selected(limits=limits or Limits()) if codes is None else codes
        self._limits = limits or Limits()
        self._parser = SSEParser(observe=lambda odd: self._odd.append(odd))
        self._odd: deque[Odd] = deque()
        self._found: list[Violation] = []
        self._dialect: Dialect | None = None
        self._watch: Watch | None = None
        self._waiting: list[tuple[int, SSEMessage, int | None]] | None = []
        self._ids = Ids()
        self._count = 0
        self._at_us: int | None = None
        self._end: str | None = None
        self._told_late = False
        self._is_lossy = False
        self._is_counted = False
        # Where the last message begins that nothing else is said of.
        self._damaged: int | None = None
        if dialect is not None:
            self._begin(dialect)

    def headers(self, headers: Headers) -> list[Violation]:
        """Return what is wrong with the head of the response that brings the stream."""
        for code, told in look_at_head(headers):
            self._tell(code, told)
        return self._take()

    def feed(self, chunk: bytes, *, at_us: int | None = None) -> list[Violation]:
        """Return what is wrong with the next bytes. `at_us` is when they came, in microseconds since any moment."""
        if self._limits.heartbeat_s is not None:
            self._look_at_time(at_us, self._limits.heartbeat_s)
        for message in self._parser.feed(chunk):
            if self._odd:
                self._look_at_odd(before=message.offset)
                self._note_damage(message)
            self._look(message, at_us)
        if self._odd:
            # What stands in a block is told after its message, however the bytes were cut.
            inside = takewhile(lambda odd: odd.oddity in _INSIDE, islice(reversed(self._odd), _MAX_WAITING))
            for _ in range(len(self._odd) - len(list(inside))):
                self._observe(self._odd.popleft())
        return self._take() if self._found else []

    def close(self, end: str | None = None) -> list[Violation]:
        """Return what is wrong with a stream that ended so. None is one that was read to its end."""
        if end in _READ:
            self._parser.close()
        cut = "WIR002" in self._codes and any(odd.oddity is Oddity.UNENDED for odd in self._odd)
        self._look_at_odd()
        if self._watch is not None:
            last = self._watch.close(self._end or end)
            # A message that never came is not missed again.
            if not cut:
                self._add(last)
            is_whole = not any(each.code == "TRM001" for each in last)
            if end in _READ and not cut and is_whole and self._end is None and self._is_framed():
                self._tell("WIR010", "the stream has numbered messages and no `done` or `error` at its end")
        return self._take()

    def _is_framed(self) -> bool:
        return self._dialect is not None and self._dialect.framed and self._ids.numbered

    def _take(self) -> list[Violation]:
        found, self._found = self._found, []
        return found

    def _tell(self, code: str, message: str, at: SSEMessage | Odd | None = None) -> None:
        if code in self._codes:
            place = Place(at.line, at.offset) if at else Place()
            event = (at.event or "") if isinstance(at, SSEMessage) else ""
            # What is odd stands in or behind the last message that began before it, and one without end is the next.
            inside = isinstance(at, Odd) and at.oddity is not Oddity.UNENDED
            index = max(0, self._count - inside)
            self._found.append(Violation(code, message, index, event, line=place.line, offset=place.offset))

    def _look_at_odd(self, *, before: int | None = None) -> None:
        """Look at what yielded no message and stands before this offset: the parser tells it ahead of the messages."""
        while self._odd and (before is None or self._odd[0].offset < before):
            self._observe(self._odd.popleft())

    def _observe(self, odd: Odd) -> None:
        if odd.oddity is Oddity.COMMENT:
            if self._ids.any:
                self._tell("WIR020", "a block of comments behind an id: openai-python takes it for a message", odd)
        elif odd.oddity is not Oddity.UNSPACED or (self._dialect is not None and self._dialect.spaced):
            code, message = _ODD[odd.oddity]
            self._tell(code, message.format(text=odd.text), odd)

    def _look_at_time(self, at_us: int | None, limit_s: float) -> None:
        if at_us is not None and self._at_us is not None:
            silent_s = (at_us - self._at_us) / 1e6
            if silent_s > limit_s:
                self._tell("WIR014", f"{silent_s:.3g} s without a byte, not even a heartbeat")
        self._at_us = at_us

    def _look(self, message: SSEMessage, at_us: int | None) -> None:
        """Look at one message, and pass its event on."""
        if len(message.data) > MAX_MESSAGE_BYTES // 4:
            self._look_at_size(message)
        is_beat = message.event == _BEAT
        if not is_beat:
            wrong = self._ids.look(message, counted=self._is_counted)
            if wrong and self._is_double(wrong, message):
                # There is nothing else to say of a message that came twice.
                return
        if self._end is not None:
            if not (is_beat or self._told_late or message.id == self._ids.late):
                self._told_late = True
                self._tell("WIR011", "a message follows the end of the stream", message)
        elif self._dialect is not None:
            self._read(self._dialect, message, at_us)
        elif self._waiting is not None:
            self._guess(self._waiting, message, at_us)
        self._count += not is_beat

    def _look_at_size(self, message: SSEMessage) -> None:
        size = len(message.data.encode("utf-8", "replace"))
        if size > MAX_MESSAGE_BYTES:
            self._tell("WIR013", f"a message of {size:,} bytes", message)

    def _is_double(self, wrong: Iterable[tuple[str, str]], message: SSEMessage) -> bool:
        """Tell what is wrong with an id, and say whether its message came before."""
        is_double = False
        for code, told in wrong:
            self._tell(code, told, message)
            is_double = is_double or (code == "WIR008" and code in self._codes and self._ids.again)
            self._is_lossy = self._is_lossy or (code == "WIR009" and code in self._codes)
        return is_double

    def _guess(self, waiting: list[tuple[int, SSEMessage, int | None]], message: SSEMessage, at_us: int | None) -> None:
        """Find out whose events these are, and read the messages that waited for it."""
        waiting.append((self._count, message, at_us))
        found = sniff(message)
        if found is not None:
            self._begin(found)
            for self._count, one, one_us in waiting:
                self._read(found, one, one_us)
        elif len(waiting) == _MAX_WAITING:
            self._waiting = None

    def _begin(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._is_counted = dialect.framed
        self._watch = Watch(dialect, codes=self._codes, limits=self._limits)
        self._waiting = None

    def _read(self, dialect: Dialect, message: SSEMessage, at_us: int | None) -> None:
        """Read what a message carries, and pass it on unless it is a frame."""
        value: Any
        if dialect.sentinel and message.data == dialect.sentinel:
            self._end = self._end or ("complete" if dialect.sentinel in dialect.terminals else None)
            value = {dialect.tag: dialect.sentinel}
        else:
            try:
                value = from_json(message.data, allow_inf_nan=False)
            except ValueError:
                value = self._odd_value(dialect, message)
                if value is _NOTHING:
                    return
            if type(value) is not dict:
                self._tell("WIR004", f"the data is no JSON object: {_shown(message.data)}", message)
                return
            kind = dialect.type_of(value)
            if kind not in dialect.ops and self._is_foreign(dialect, message, value, kind):
                return
            if message.event != kind:
                self._look_at_name(dialect, message, kind)
        assert self._watch is not None
        if self._watch.is_idle:
            return
        # What `Place` does, without its call: it is made for each message.
        place = tuple.__new__(Place, (message.line, message.offset))
        found = self._watch.feed(value, at_us=at_us, place=place)
        if found and message.offset != self._damaged:
            self._add(found)

    def _odd_value(self, dialect: Dialect, message: SSEMessage) -> Any:
        """Return what data holds that is odd JSON or none: half of a surrogate pair is JSON, and NaN is not."""
        constants: list[str] = []
        try:
            value = json.loads(message.data, parse_constant=constants.append, parse_int=_integer)
        except (ValueError, RecursionError) as error:
            if message.offset != self._damaged:
                self._tell("WIR004", f"the data is not JSON: {error}: {_shown(message.data)}", message)
            # An object that cannot be read is an event that was lost. Other text never was one.
            if "WIR004" in self._codes and message.data.lstrip().startswith("{"):
                self._is_lossy = True
            if dialect.framed and message.event in _ENDS:
                self._end = _ENDS[message.event]
            return _NOTHING
        if constants:
            self._tell("WIR005", f"the data holds {constants[0]}: `JSON.parse` throws", message)
            self._damaged = message.offset if "WIR005" in self._codes else self._damaged
        return value

    def _note_damage(self, message: SSEMessage) -> None:
        """Note that a message is not UTF-8, so that nothing else is said of it: the parser has told it already."""
        waiting = islice(self._odd, _MAX_WAITING)
        is_told = any(odd.oddity is Oddity.NOT_UTF8 and odd.offset == message.offset for odd in waiting)
        if is_told and "WIR001" in self._codes:
            self._damaged = message.offset

    def _is_foreign(self, dialect: Dialect, message: SSEMessage, value: Mapping[str, Any], kind: str) -> bool:
        """Say whether what is of no known type is no event of the run: a frame, or something that the server adds."""
        if dialect.framed and message.event in _FRAMES:
            self._frame(message, value)
            return True
        self._is_lossy = self._is_lossy or message.offset == self._damaged
        return dialect.framed and not kind

    def _look_at_name(self, dialect: Dialect, message: SSEMessage, kind: str) -> None:
        if message.event == "message":
            if dialect.named:
                self._tell("WIR018", f"{kind} comes without a name: anthropic's SDK sees no event at all", message)
        elif kind and not dialect.shapes and message.offset != self._damaged:
            self._tell("WIR006", f"the message is named {message.event!r}, and its data is of type {kind!r}", message)

    def _add(self, found: Iterable[Violation]) -> None:
        """Add findings about events, unless they may follow from messages that were lost."""
        if not self._is_lossy:
            self._found += [replace(each, index=self._count) for each in found]

    def _frame(self, message: SSEMessage, value: Mapping[str, Any]) -> None:
        """Take `done` or `error`, which end a stream, or `heartbeat`."""
        if message.event == _BEAT:
            return
        self._end = _ENDS[message.event]
        told = value.get("total_events")
        before = self._count + self._ids.before
        if message.event == "done" and told not in (None, before) and not self._is_lossy:
            self._tell("WIR012", f"`done` says total_events {told}, and {before} messages came", message)


def sniff(message: SSEMessage) -> Dialect | None:
    """Return the dialect whose table knows the type of a message's event; None where none does."""
    try:
        return dialect_of(from_json(message.data))
    except ValueError:
        return None


def _integer(text: str) -> int | float:
    # Python refuses to read longer ones.
    return int(text) if len(text) < _MAX_DIGITS else float(text)


def _shown(data: str) -> str:
    return repr(data[:40]) + ("..." if len(data) > 40 else "")
