"""Real recordings, and mutations of them that break just one rule.

A mutation is a function from a recording to broken ones. Each says which rule it breaks and of what kind it is; that
rule, and no other, must then speak.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playhead.contracts.limits import Limits
from playhead.events.codec import decode_event
from playhead.events.dialects import get_dialect
from playhead.events.paths import at
from playhead.events.spans import Dialect, Span, Touch, Verb
from playhead.events.tagged import loads
from playhead.handlers.sse import SSEHandler
from playhead.replaying.tape import open_tape

Event = dict[str, Any]
WORDS = {"exception": "error", "closed": "closed", "task_cancelled": "cancelled"}


@dataclass(frozen=True)
class Recording:
    """A run: its events, whose they are, and how it ended. As bytes, it is what our handler sends."""

    name: str
    dialect: Dialect
    events: list[Event]
    end: str
    wire: bytes = b""
    limits: Limits | None = None

    def having(self, events: Iterable[Event]) -> "Recording":
        """Return the recording with other events."""
        return replace(self, events=list(events))

    def touches(self, index: int) -> tuple[Touch, ...]:
        """Return what an event does to spans."""
        return self.dialect.touches(self.events[index])

    def does(self, index: int, verb: Verb, span: Span) -> Touch | None:
        """Return what an event does to a kind of span, if it does that."""
        return next((touch for touch in self.touches(index) if (touch.verb, touch.span) == (verb, span)), None)

    def all(self, verb: Verb, span: Span) -> list[tuple[int, Touch]]:
        """Return the events that do so, each with what it does."""
        found = ((index, self.does(index, verb, span)) for index in range(len(self.events)))
        return [(index, touch) for index, touch in found if touch]

    def of(self, key: Any, verb: Verb) -> list[int]:
        """Return the events that do so to the tool of that key."""
        return [index for index, touch in self.all(verb, Span.TOOL) if touch.key == key and not touch.loose]

    @property
    def is_whole(self) -> bool:
        """Say whether it is one complete run: one terminal event, the last that tells."""
        last = [index for index, _ in self.all(Verb.CLOSE, Span.RUN)]
        pauses = any(self.dialect.type_of(event) in self.dialect.pauses for event in self.events)
        return self.end == "complete" and last == [len(self.events) - 1] and not pauses

    @property
    def is_normal(self) -> bool:
        """Say whether it is complete and did all that it began."""
        (_, touch) = (self.all(Verb.CLOSE, Span.RUN) or [(0, Touch(Verb.CLOSE, Span.RUN))])[-1]
        return self.is_whole and self.dialect.is_normal(self.dialect.type_of(self.events[-1]), touch.status)


def recordings(root: Path) -> list[Recording]:
    """Return the recordings of the repository, and those beside the checkout where they are."""
    found = []
    for path in sorted((root / "cassettes").glob("*.jsonl")):
        with open_tape(path) as tape:
            for run, end in tape.runs.items():
                entries = [entry for entry in tape.entries() if (entry.kind, entry.owner) == ("event", run)]
                found.append(Recording(f"{path.stem}-{run}", tape.dialect, [loads(e.data) for e in entries], end))
    for path in sorted((root / "../shared/data/runs").glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        dialect = get_dialect("locus" if path.stem.startswith("locus") else "shipit")
        silent = "cancelled" if path.stem == "shipit221_cancel" else "complete"
        events = [row["event"] for row in rows if "event" in row]
        found.append(Recording(path.stem, dialect, events, WORDS.get(rows[-1]["outcome"], silent)))
    return [replace(each, wire=_sent(each)) for each in found]


def _sent(recording: Recording) -> bytes:
    async def send() -> bytes:
        handler = SSEHandler()
        for event in recording.events:
            await handler.on_event(decode_event(event, recording.dialect))
        await (handler.on_error(ValueError("x")) if recording.end == "error" else handler.on_complete())
        return handler.format_all().encode()

    return asyncio.run(send())


Mutate = Callable[[Recording], Iterator[Recording]]


@dataclass(frozen=True)
class Mutation:
    """A way to break one rule. `on_wire` mutates the bytes."""

    code: str
    kind: str
    mutate: Mutate
    on_wire: bool = False


MUTATIONS: list[Mutation] = []


def breaks(code: str, kind: str, *, on_wire: bool = False) -> Callable[[Mutate], Mutate]:
    """Enter a mutation into the table."""

    def enter(mutate: Mutate) -> Mutate:
        MUTATIONS.append(Mutation(code, kind, mutate, on_wire))
        return mutate

    return enter


def without(items: list[Any], index: int) -> list[Any]:
    """Return a list without one item."""
    return items[:index] + items[index + 1 :]


def twice(items: list[Any], index: int) -> list[Any]:
    """Return a list with one item doubled."""
    return items[: index + 1] + items[index:]


def cut(items: list[Any], index: int) -> list[Any]:
    """Return a list up to one item."""
    return items[:index]


def swapped(items: list[Any], index: int) -> list[Any]:
    """Return a list with two neighbours swapped."""
    return [*items[:index], items[index + 1], items[index], *items[index + 2 :]]


def changed(recording: Recording, index: int, **fields: Any) -> Recording:
    """Return a recording with fields of an event changed; `a__b` is `b` in `a`."""
    events = deepcopy(recording.events)
    for name, value in fields.items():
        *outer, last = name.split("__")
        target = events[index]
        for step in outer:
            target = target[step]
        target[last] = value
    return recording.having(events)


@breaks("ORD001", "drop")
def _drop_openings(run: Recording) -> Iterator[Recording]:
    for index, touch in run.all(Verb.OPEN, Span.TOOL):
        news = run.of(touch.key, Verb.FEED)
        if not news and run.of(touch.key, Verb.CLOSE):
            yield run.having(without(run.events, index))


@breaks("ORD001", "duplicate")
def _double_completions(run: Recording) -> Iterator[Recording]:
    for index, touch in run.all(Verb.CLOSE, Span.TOOL):
        if not touch.loose:
            yield run.having(twice(run.events, index))


@breaks("ORD001", "rename")
def _rename_keys(run: Recording) -> Iterator[Recording]:
    for index, touch in run.all(Verb.CLOSE, Span.TOOL):
        if touch.key and not touch.loose:
            field = "tool_call_id" if "tool_call_id" in run.events[index] else "payload__call_id"
            yield changed(run, index, **{field: "another"})


@breaks("ORD001", "swap")
def _swap_opening_and_completion(run: Recording) -> Iterator[Recording]:
    for index, touch in run.all(Verb.OPEN, Span.TOOL):
        if run.of(touch.key, Verb.CLOSE)[:1] == [index + 1] and len(run.of(touch.key, Verb.OPEN)) == 1:
            yield run.having(swapped(run.events, index))


@breaks("ORD002", "drop")
def _drop_openings_of_what_is_fed(run: Recording) -> Iterator[Recording]:
    for index, touch in run.all(Verb.OPEN, Span.TOOL):
        if touch.key and run.of(touch.key, Verb.FEED)[:1] == [index + 1]:
            yield run.having(without(run.events, index))


@breaks("ORD002", "swap")
def _swap_news_with_ends(run: Recording) -> Iterator[Recording]:
    for index in range(len(run.events) - 1):
        first, second = run.does(index, Verb.FEED, Span.TOOL), run.does(index + 1, Verb.CLOSE, Span.TOOL)
        if first and second and first.key == second.key and not first.loose and len(run.touches(index)) == 1:
            yield run.having(swapped(run.events, index))


@breaks("ORD003", "duplicate")
def _double_openings(run: Recording) -> Iterator[Recording]:
    for span in (Span.RUN, Span.TOOL):
        for index, touch in run.all(Verb.OPEN, span):
            if span is Span.RUN or (touch.key is not None and span in run.dialect.unique):
                yield run.having(twice(run.events, index))


@breaks("ORD003", "interleave")
def _mix_two_runs(run: Recording) -> Iterator[Recording]:
    if Span.RUN in run.dialect.explicit and run.is_whole:
        yield run.having(event for event in run.events for _ in range(2))


@breaks("ORD004", "rename")
def _rename_tools(run: Recording) -> Iterator[Recording]:
    for index, touch in run.all(Verb.CLOSE, Span.TOOL):
        if touch.key and touch.name and not touch.loose:
            field = "tool_name" if "tool_name" in run.events[index] else "payload__tool"
            yield changed(run, index, **{field: "another"})


@breaks("ORD006", "duplicate")
def _double_steps(run: Recording) -> Iterator[Recording]:
    if run.is_whole:
        for index, touch in run.all(Verb.OPEN, Span.STEP):
            if type(touch.key) is int:
                yield run.having(twice(run.events, index))


@breaks("ORD006", "field")
def _set_steps_back(run: Recording) -> Iterator[Recording]:
    steps = run.all(Verb.OPEN, Span.STEP)
    if run.is_whole and len({touch.key for _, touch in steps}) == len(steps):
        for index, touch in steps[1:]:
            field = "iteration" if "iteration" in run.events[index] else "payload__iteration"
            yield changed(run, index, **{field: touch.key - 1})


@breaks("ORD007", "field")
def _give_both_and_neither(run: Recording) -> Iterator[Recording]:
    for index, touch in run.all(Verb.CLOSE, Span.TOOL):
        if "result" in run.events[index]:
            other = {"error": "boom"} if touch.status is None else {"result": "fine"}
            yield changed(run, index, **other)
            yield changed(run, index, result=None, error=None)


@breaks("ORD008", "field")
def _set_clocks_back(run: Recording) -> Iterator[Recording]:
    if run.dialect.time and not run.name.startswith("locus301_custom"):
        for index in range(1, len(run.events)):
            told = at(run.events[index], run.dialect.time)
            if told is not None:
                past = 5 if isinstance(told, float) else "2001-01-01T00:00:00Z"
                yield changed(run, index, timestamp=past)


@breaks("ORD009", "drop")
def _drop_the_opening_of_the_run(run: Recording) -> Iterator[Recording]:
    if Span.RUN in run.dialect.explicit and len(run.all(Verb.OPEN, Span.RUN)) == 1 and len(run.events) > 1:
        yield run.having(run.events[1:])


@breaks("TRM001", "truncate")
def _cut(run: Recording) -> Iterator[Recording]:
    if run.is_whole:
        yield from (run.having(run.events[:length]) for length in range(len(run.events)))


@breaks("TRM001", "drop")
def _drop_the_terminal(run: Recording) -> Iterator[Recording]:
    if run.is_whole:
        yield run.having(run.events[:-1])


@breaks("TRM002", "swap")
def _end_too_early(run: Recording) -> Iterator[Recording]:
    if run.is_whole and len(run.events) > 1:
        yield run.having(swapped(run.events, len(run.events) - 2))


@breaks("TRM002", "duplicate")
def _go_on_after_the_end(run: Recording) -> Iterator[Recording]:
    if run.is_whole:
        for event in run.events[:-1]:
            begins = {touch.span for touch in run.dialect.touches(event)} & {Span.RUN, Span.STEP}
            if not begins and run.dialect.type_of(event) not in run.dialect.after:
                yield run.having([*run.events, event])


@breaks("TRM003", "duplicate")
def _end_twice(run: Recording) -> Iterator[Recording]:
    if run.is_whole:
        yield run.having([*run.events, run.events[-1]])


@breaks("TRM004", "drop")
def _drop_completions(run: Recording) -> Iterator[Recording]:
    if run.is_normal:
        for index, touch in run.all(Verb.CLOSE, Span.TOOL):
            if len(run.of(touch.key, Verb.OPEN)) == 1 and not touch.loose:
                yield run.having(without(run.events, index))


@breaks("TRM005", "field")
def _end_otherwise(run: Recording) -> Iterator[Recording]:
    if run.dialect.raises and run.all(Verb.CLOSE, Span.RUN) and (run.is_normal or run.end == "error"):
        yield replace(run, end="error" if run.end == "complete" else "complete")


@breaks("TRM006", "field")
def _wait(run: Recording) -> Iterator[Recording]:
    if len({str(at(event, run.dialect.time)) for event in run.events}) > 1:
        yield replace(run, limits=Limits(silence_s=1e-9))


@breaks("TRM007", "field")
def _allow_less(run: Recording) -> Iterator[Recording]:
    yield replace(run, limits=Limits(events=len(run.events) - 1))


@breaks("TRM008", "field")
def _count_otherwise(run: Recording) -> Iterator[Recording]:
    for index, _ in run.all(Verb.CLOSE, Span.RUN):
        for name, _, _ in run.dialect.counters.get(run.dialect.type_of(run.events[index]), ()):
            wrong = changed(run, index, **{name: 99})
            yield replace(wrong, limits=Limits(counters=True))


def messages(run: Recording) -> list[bytes]:
    """Return the messages of the wire."""
    return [block + b"\n\n" for block in run.wire.split(b"\n\n")[:-1]]


def sends(run: Recording, blocks: Iterable[bytes]) -> Recording:
    """Return a recording with other messages on the wire."""
    return replace(run, wire=b"".join(blocks))


def altered(run: Recording, old: bytes, new: bytes) -> Iterator[Recording]:
    """Yield the recording with a text replaced in each message of an event that has it."""
    blocks = messages(run)
    for index, block in enumerate(blocks[:-1]):
        if old in block:
            yield sends(run, [*blocks[:index], block.replace(old, new, 1), *blocks[index + 1 :]])


@breaks("WIR001", "field", on_wire=True)
def _spoil_a_byte(run: Recording) -> Iterator[Recording]:
    for changed_run in altered(run, b'"', b'"'):
        blocks = messages(changed_run)
        yield sends(run, [blocks[0].replace(b"}\n\n", b',"x":"\xe9"}\n\n'), *blocks[1:]])
        return


@breaks("WIR002", "truncate", on_wire=True)
def _cut_the_last_line(run: Recording) -> Iterator[Recording]:
    yield replace(run, wire=run.wire[:-1])


@breaks("WIR003", "field", on_wire=True)
def _leave_a_line_over(run: Recording) -> Iterator[Recording]:
    yield from altered(run, b"\n\n", b"\nand more\n\n")


def points(run: Recording, old: bytes, new: bytes) -> Iterator[Recording]:
    """Yield the recording with a text replaced in each message whose event touches no span: nothing follows from it."""
    blocks = messages(run)
    for index in range(len(run.events)):
        if not run.touches(index) and run.dialect.type_of(run.events[index]) not in run.dialect.pauses:
            yield sends(run, [*blocks[:index], blocks[index].replace(old, new), *blocks[index + 1 :]])


@breaks("WIR004", "truncate", on_wire=True)
def _cut_the_data(run: Recording) -> Iterator[Recording]:
    yield from points(run, b"}\n\n", b"\n\n")


@breaks("WIR005", "field", on_wire=True)
def _send_nan(run: Recording) -> Iterator[Recording]:
    yield from points(run, b"}\n\n", b',"x":NaN}\n\n')


@breaks("WIR006", "rename", on_wire=True)
def _rename_a_message(run: Recording) -> Iterator[Recording]:
    yield from altered(run, b"event: ", b"event: x")


@breaks("WIR007", "drop", on_wire=True)
def _drop_an_id(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    for index in range(1, len(blocks)):
        plain = b"".join(line for line in blocks[index].splitlines(True) if not line.startswith(b"id:"))
        later = [_renumbered(block, -1) for block in blocks[index + 1 :]]
        yield sends(run, [*blocks[:index], plain, *later])


def _renumbered(block: bytes, by: int) -> bytes:
    lines = block.splitlines(True)
    return b"".join(b"id: %d\n" % (int(line[4:]) + by) if line.startswith(b"id:") else line for line in lines)


@breaks("WIR008", "duplicate", on_wire=True)
def _send_twice(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    yield from (sends(run, twice(blocks, index)) for index in range(len(blocks)))


@breaks("WIR009", "drop", on_wire=True)
def _lose_a_message(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    yield from (sends(run, without(blocks, index)) for index in range(1, len(blocks) - 1))


@breaks("WIR009", "swap", on_wire=True)
def _swap_messages(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    yield from (sends(run, swapped(blocks, index)) for index in range(1, len(blocks) - 2))


@breaks("WIR010", "drop", on_wire=True)
def _drop_the_frame(run: Recording) -> Iterator[Recording]:
    if run.is_whole:
        yield sends(run, messages(run)[:-1])


@breaks("WIR011", "duplicate", on_wire=True)
def _send_after_the_end(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    yield sends(run, [*blocks, _renumbered(blocks[0], len(blocks))])


@breaks("WIR012", "field", on_wire=True)
def _count_wrong(run: Recording) -> Iterator[Recording]:
    if b"total_events" in run.wire:
        yield replace(run, wire=run.wire.replace(b'"total_events":', b'"total_events":1'))


@breaks("WIR013", "field", on_wire=True)
def _send_much(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    yield sends(run, [blocks[0].replace(b"}\n\n", b',"x":"%b"}\n\n' % (b"x" * 66_000)), *blocks[1:]])


@breaks("WIR019", "field", on_wire=True)
def _begin_with_a_mark(run: Recording) -> Iterator[Recording]:
    yield replace(run, wire=b"\xef\xbb\xbf" + run.wire)


@breaks("WIR020", "interleave", on_wire=True)
def _comment(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    yield from (sends(run, [*blocks[:index], b": ping\n\n", *blocks[index:]]) for index in range(1, len(blocks)))


@breaks("WIR021", "interleave", on_wire=True)
def _retry(run: Recording) -> Iterator[Recording]:
    blocks = messages(run)
    yield from (sends(run, [*blocks[:index], b"retry: 1\n\n", *blocks[index:]]) for index in range(len(blocks)))
