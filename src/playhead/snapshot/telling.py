"""How a golden file and what was received differ, told to a person: each message or event, and the field that moved.

Knows how a difference reads. Does not know where either side is kept. Nothing in the lines can steer a terminal.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from playhead.comparing.comparison import ABSENT, Difference, Kind
from playhead.comparing.streams import compare
from playhead.events.dialects import dialect_of, foreign_dialect
from playhead.events.locus import LOCUS
from playhead.events.spans import Dialect
from playhead.snapshot.blocks import Block, blocks, masked_sse
from playhead.text import clip, safe

MAX_COLUMNS = 150
"""How wide a line may be."""
MAX_LISTED = 20
"""How many differences are listed before the others are only counted."""
_MAX_VALUE = 48
_LEAD = 12
_MAX_GUESSED = 20

# The fields of a block as a table, so that the comparison needs to know nothing of event streams.
_BLOCKS = Dialect("sse", "event", foreign_dialect("sse").decode, ops={})
_BYTES = "$.bytes"
_DATA = "$.data"


def sse_differences(old: bytes, new: bytes) -> list[str]:
    """Return how two event streams differ that are not the same bytes: how many messages, a hint, each difference."""
    before, after = blocks(old), blocks(new)
    found = compare([each.fields() for each in before], [each.fields() for each in after], dialect=_BLOCKS)

    def tell(difference: Difference) -> str:
        block = _of(difference, before, after)
        path, line = _spelled(difference.path, block)
        place = block.name if difference.old_index is None else f"{block.name}, line {line}"
        new = after[difference.new_index] if difference.new_index is not None else block
        whole = {Kind.MISSING: block.text(), Kind.EXTRA: block.text(), Kind.MOVED: new.name}
        return f"{place}: {_told(difference, path, whole.get(difference.kind))}"

    sizes = f"{_messages(before)} in the snapshot, {_messages(after)} received (counted from 0)"
    return [sizes, *_hints(old, new, before, after), *_listed(_without_echoes(found), tell)]


def event_differences(old: Sequence[str], new: Sequence[str], dialect: Dialect) -> list[str]:
    """Return how two streams of events differ, given as their JSON texts: how many, and each difference."""
    found = compare(old, new, dialect=dialect)

    def tell(difference: Difference) -> str:
        index, event = difference.old_index, _of(difference, found.old, found.new)
        place = f"event {difference.new_index}" if index is None else f"event {index}"
        line = "" if index is None else f", line {index + 1}"
        whole = f"event {difference.new_index}" if difference.kind is Kind.MOVED else event
        return f"{place} ({dialect.type_of(event)}){line}: {_told(difference, difference.path, whole)}"

    sizes = f"{count_of(old, 'event')} in the snapshot, {count_of(new, 'event')} received (counted from 0)"
    return [sizes, *_listed(found, tell)]


def _of(difference: Difference, old: Sequence[Any], new: Sequence[Any]) -> Any:
    return new[difference.new_index or 0] if difference.old_index is None else old[difference.old_index]


def _listed(differences: Iterable[Difference], tell: Callable[[Difference], str]) -> list[str]:
    every = list(differences)
    more = [f"and {len(every) - MAX_LISTED} more"] if len(every) > MAX_LISTED else []
    return [clip(safe(tell(each), keep=""), MAX_COLUMNS) for each in every[:MAX_LISTED]] + more


def _without_echoes(differences: Iterable[Difference]) -> list[Difference]:
    """Leave out that the text of a message changed where a field says it, and all but its first line."""
    every = list(differences)
    said = {(each.old_index, each.new_index) for each in every if not each.path.startswith(_BYTES)}
    kept = []
    for each in every:
        pair = (each.old_index, each.new_index)
        if not each.path.startswith(_BYTES) or pair not in said:
            kept.append(each)
            said.add(pair)
    return kept


def _told(difference: Difference, path: str, whole: Any) -> str:
    """Say what changed at a path. `whole` is the missing or extra item, or the place of the moved one."""
    match difference:
        case Difference(kind=Kind.MISSING):
            return f"missing, it was {_cut(whole)}"
        case Difference(kind=Kind.EXTRA):
            return f"extra, it is {_cut(whole)}"
        case Difference(kind=Kind.MOVED):
            return f"moved, it is now {whole}"
        case Difference(old=old, new=new) if old is ABSENT:
            return f"{path} is new: {_cut(new)}"
        case Difference(old=old, new=new) if new is ABSENT:
            return f"{path} is gone, it was {_cut(old)}"
    return f"{path} changed{_pair(difference.old, difference.new)}"


def _spelled(path: str, block: Block) -> tuple[str, int]:
    """Spell where a block changed, and in which line: `$.id` is `id`, `$.data.x` is `$.x`."""
    if path.startswith(f"{_BYTES}["):
        return "its text", block.line + int(path[len(_BYTES) + 1 : -1])
    if path.startswith((f"{_DATA}.", f"{_DATA}[")):
        return path.replace(_DATA, "$", 1), block.line_of("data")
    field = path.removeprefix("$.")
    return field, block.line_of(field)


def _pair(old: Any, new: Any) -> str:
    """Return both values, from a little before the first character in which they differ."""
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _MAX_VALUE - 2:
        same = next((index for index, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
        at = min(len(old), len(new)) if same is None else same
        start = max(0, at - _LEAD)
        return f" at character {at}: {_cut(old[start:])} -> {_cut(new[start:])}"
    return f": {_cut(old)} -> {_cut(new)}"


def _cut(value: Any) -> str:
    text = repr(value[:_MAX_VALUE]) if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _hints(old: bytes, new: bytes, before: Sequence[Block], after: Sequence[Block]) -> list[str]:
    """Return what may be the cause of all the differences together."""
    if old.splitlines() == new.splitlines():
        return ["only line ends differ: if git changed those of the snapshot, write '*.sse -text' to .gitattributes"]
    for dialect in _likely(after) if len(before) == len(after) else ():
        if masked_sse(old, dialect) == masked_sse(new, dialect):
            return [f"only what differs in every run: sse_snapshot(dialect={dialect.name!r}) leaves times and ids out"]
    return []


def _likely(found: Sequence[Block]) -> list[Dialect]:
    """Return the dialects that know one of the first messages, and the one that is taken by default."""
    known = [dialect_of(block.fields().get("data")) for block in found[:_MAX_GUESSED]]
    return list(dict.fromkeys(dialect for dialect in [*known, LOCUS] if dialect))


def _messages(found: Sequence[Block]) -> str:
    return count_of([block for block in found if block.message is not None], "message")


def count_of(items: Sequence[object], noun: str) -> str:
    """Return how many there are: `1 event`, `2 events`."""
    return f"{len(items)} {noun}" if len(items) == 1 else f"{len(items)} {noun}s"
