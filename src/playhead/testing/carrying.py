"""Which events an output carries, and the first place where it carries others than were given.

Knows names, fields and texts of events, by their dialect. A handler may leave out fields, as long as it always does:
what it shows is learned from healthy runs. Does not know handlers.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from playhead.errors import UsageError
from playhead.events.codec import encode_event
from playhead.events.spans import Dialect, Span, Verb
from playhead.testing.outputs import Item, Output

Said = tuple[str, Mapping[str, Any]]
"""The type of an event, and its fields without those that differ from run to run."""

_MAX_TEXT: Final = 60


@dataclass(slots=True)
class Shown:
    """Hold what of events comes out of a handler: fields by type where it sends events, and else whose texts it shows.

    `is_carrier` says that its messages are events that can be told apart, `whole` that streamed text comes out to the
    letter; None where none was streamed.
    """

    is_carrier: bool = False
    fields: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    texts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    hidden: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    whole: bool | None = None

    def learn(self, events: Sequence[Any], output: Output, dialect: Dialect) -> None:
        """Take in what came out of one healthy run."""
        given = [said(event, dialect) for event in events]
        names = {kind for kind, _ in given}
        for kind, fields in (each for each in (carried(item, dialect, names) for item in output.items) if each):
            self.is_carrier = True
            self.fields[kind] |= fields.keys()
        spoken = speech(output)
        streamed = _streamed(given, dialect)
        if streamed and output.kind == "text":
            # What is for people may be cut, folded and made visible.
            self.whole = self.whole is not False and _missing(streamed, spoken) is None
        elif streamed:
            self.whole = bool(self.whole) or any(text.strip() and text in spoken for text in streamed)
        places: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        for kind, fields in given:
            for name, text in _texts(fields, dialect):
                places[text].add((kind, name))
        # A text that several fields have does not tell which of them is shown.
        for text, ((kind, name), *others) in places.items():
            if not others:
                (self.texts if text in spoken else self.hidden)[kind].add(name)

    def shows(self, kind: str, name: str) -> bool:
        """Say whether this field of such events always came out as text."""
        return name in self.texts[kind] and name not in self.hidden[kind]


def said(event: Any, dialect: Dialect) -> Said:
    """Return the type and the lasting fields of an event."""
    fields = dialect.steady(encode_event(event))
    return dialect.type_of(fields) or str(getattr(event, "event_type", "")), fields


def carried(item: Item, dialect: Dialect, names: set[str]) -> Said | None:
    """Return the event that a message carries; None if it is none of that dialect, or of these names."""
    data = item.data
    if not isinstance(data, Mapping):
        try:
            data = encode_event(data) if hasattr(data, "event_type") else {}
        except UsageError:
            data = {}
    kind = dialect.type_of(data) if data else ""
    if kind in names or kind in dialect.ops:
        return kind, dialect.steady(dict(data))
    if item.name in names:
        return item.name, dialect.steady(dict(data))
    return None


def extras(output: Output, dialect: Dialect, names: set[str]) -> list[Item]:
    """Return the messages that carry no event, in order."""
    return [item for item in output.items if carried(item, dialect, names) is None]


def difference(events: Sequence[Any], output: Output, dialect: Dialect, shown: Shown) -> str:
    """Say where the events that came out first differ from those that were given; nothing if they are the same."""
    given = [said(event, dialect) for event in events]
    names = {kind for kind, _ in given}
    came = [each for each in (carried(item, dialect, names) for item in output.items) if each]
    for number, (was, now) in enumerate(zip(given, came, strict=False)):
        why = _differs(was, now, shown)
        if why:
            return _told(number, given, came, why, shown)
    if len(came) < len(given):
        return f"event {len(came)} ({given[len(came)][0]}) did not come out, nor what follows it" * bool(given)
    if len(came) > len(given):
        return f"{len(given)} events were given and {len(came)} came out: the last is {came[-1][0]}"
    return ""


def _told(number: int, given: list[Said], came: list[Said], why: str, shown: Shown) -> str:
    """Say what happened at the first place that is not as it should be."""
    kind = given[number][0]

    def same(was: Said, now: Said) -> bool:
        return not _differs(was, now, shown)

    if number + 1 < len(given) and same(given[number + 1], came[number]):
        if any(same(given[number], now) for now in came[number:]):
            return f"event {number} ({kind}) came out after event {number + 1} ({given[number + 1][0]})"
        return f"event {number} ({kind}) did not come out"
    if number and same(given[number - 1], came[number]):
        return f"event {number - 1} ({given[number - 1][0]}) came out twice"
    later = next((at for at in range(number + 1, len(given)) if same(given[at], came[number])), None)
    if later is not None:
        return f"event {number} ({kind}) should have come out, but event {later} ({given[later][0]}) did"
    return f"event {number} ({kind}) {why}"


def _differs(given: Said, came: Said, shown: Shown) -> str:
    """Say how an event that came out differs from the one that was given."""
    kind, fields = given
    if came[0] != kind:
        return f"came out as {came[0]!r}"
    for name, value in fields.items():
        if name not in came[1]:
            if value not in (None, "", [], {}) and name in shown.fields[kind]:
                return f"came out without {name!r}"
        elif not _agrees(value, came[1][name]):
            return f"has {name}={_cut(value)} and came out with {_cut(came[1][name])}"
    return ""


def _agrees(given: Any, came: Any) -> bool:
    """Say whether a value is the same, but for fields that are empty on one side."""
    if isinstance(given, Mapping) and isinstance(came, Mapping):
        return all(_agrees(given.get(key), came.get(key)) for key in given.keys() | came.keys())
    if isinstance(given, Sequence) and isinstance(came, Sequence) and not isinstance(given, str):
        return len(given) == len(came) and all(map(_agrees, given, came))
    if isinstance(given, bool) or isinstance(came, bool):
        return given is came
    if isinstance(given, str) and isinstance(came, str):
        return given == came or given.replace("\r\n", "\n").replace("\r", "\n") == came
    return bool(given == came) or (not given and not came) or given != given


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT // 2]} ... {text[-_MAX_TEXT // 2 :]}"


def speech(output: Output) -> str:
    """Return all texts in an output, in order, joined."""
    if output.kind == "text":
        return output.text
    return "".join(text for item in output.items for text in _leaves(item.data))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for item in value:
            yield from _leaves(item)


def _texts(fields: Mapping[str, Any], dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Yield the fields that a person could read in plain words: what is long, or steers, is often shown otherwise."""
    for name, value in fields.items():
        if name in dialect.tag.split("|"):
            continue
        if isinstance(value, str) and value.strip() == value and 0 < len(value) < _MAX_TEXT and value.isprintable():
            yield name, value


def _missing(pieces: Sequence[str], spoken: str) -> str | None:
    """Return the first piece that does not stand behind those before it; None if all do."""
    at = 0
    for piece in pieces:
        found = spoken.find(piece, at)
        if found < 0:
            return piece
        at = found + len(piece)
    return None


def _streamed(given: Sequence[Said], dialect: Dialect) -> list[str]:
    """Return the texts that a model streamed: without thoughts, and without what runs inside of tools."""
    touches = (touch for kind, fields in given for touch in dialect.touches_as(kind, fields))
    texts = (touch.text for touch in touches if touch.verb is Verb.FEED and touch.span in (Span.MODEL, Span.MESSAGE))
    return [text for text in texts if isinstance(text, str)]


def silence(events: Sequence[Any], output: Output, dialect: Dialect, shown: Shown) -> str:
    """Say which text is missing in an output that shows texts and no events; nothing if all are there, in order."""
    spoken, at = speech(output), 0
    given = [said(event, dialect) for event in events]
    streamed = _streamed(given, dialect)
    missing = _missing(streamed, spoken) if shown.whole else None
    if missing is not None:
        return f"the text {_cut(''.join(streamed))} was streamed, and of it {_cut(missing)} is missing"
    for number, (kind, fields) in enumerate(given):
        for name, text in _texts(fields, dialect):
            if not shown.shows(kind, name):
                continue
            found = spoken.find(text, at)
            if found < 0:
                return f"{name}={_cut(text)} of event {number} ({kind}) is not in what came out, or not in its place"
            at = found
    return ""
