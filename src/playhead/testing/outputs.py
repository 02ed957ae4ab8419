"""What comes out of a handler, whichever way it comes out: text, bytes, messages or events.

Knows where to look for it, and how to read it. Does not know what should have come out.
"""

import inspect
import io
import re
from collections import deque
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from playhead.errors import UsageError, WireError
from playhead.events.tagged import loads
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser

_STREAMS: Final = ("stream", "stream_messages", "messages", "__aiter__")
_OUTPUTS: Final = ("get_messages", "format_all", "getvalue", "get_events")
_HELD: Final = ("output", "messages", "chunks", "sent", "events")
_SSE: Final = re.compile("\ufeff?[\r\n]*(:|(data|event|id|retry)(:|[\r\n]))")
_QUIET: Final = frozenset({"heartbeat", "ping", "keepalive", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Subject:
    """Say what of a handler is not found by itself.

    `output()` returns what has come out so far, `stream()` begins to read it: an async iterable, of which there is one
    for each reader. Pieces are text, bytes, messages (with `event` and `data`) or events. `passes(event)` says whether
    an event is to come out at all; without it, each is.
    """

    handler: Any
    output: Callable[[], Any] | None = None
    stream: Callable[[], AsyncIterable[Any]] | None = None
    passes: Callable[[Any], object] | None = None


class Sink:
    """Take what a handler puts out, in whatever way it does: called, written to, appended to, or fed as a handler.

    `fail_at` is the number of the piece, from 0, that is refused with `failure` instead of being taken.
    """

    def __init__(self, fail_at: int | None = None) -> None:
        self.pieces: list[Any] = []
        self.ends: list[str] = []
        self.failure: OSError = OSError("the reader is gone (planted)")
        self.has_failed: bool = False
        self._fail_at = fail_at

    def __call__(self, piece: Any) -> None:
        """Take one piece."""
        if self._fail_at is not None and len(self.pieces) >= self._fail_at:
            self.has_failed = True
            raise self.failure
        self.pieces.append(piece)

    def write(self, piece: Any) -> int:
        """Take one piece, as a file does."""
        self(piece)
        return len(piece)

    def append(self, piece: Any) -> None:
        """Take one piece, as a list does."""
        self(piece)

    def flush(self) -> None:
        """Do nothing."""

    def isatty(self) -> bool:
        """Say that this is no terminal."""
        return False

    async def send(self, piece: Any) -> None:
        """Take one piece, as a stream does."""
        self(piece)

    async def on_event(self, event: Any) -> None:
        """Take one event, as a handler does."""
        self(event)

    async def on_complete(self) -> None:
        """Note the end."""
        self.ends.append("complete")

    async def on_error(self, error: Exception) -> None:
        """Note the end."""
        self.ends.append("error")


@dataclass(frozen=True, slots=True)
class Item:
    """One message or event that came out: its name, and its data as JSON, or as text where it is none."""

    name: str
    data: Any


@dataclass(frozen=True, slots=True)
class Output:
    """What came out, read. `kind` is `sse`, `events`, `text` or `none`; `damage` says why some of it is unreadable."""

    kind: str = "none"
    items: tuple[Item, ...] = ()
    text: str = ""
    wire: bytes = b""
    damage: str = ""


@dataclass(slots=True)
class Opened:
    """Hold a subject that was made, with its ways out. `sink` is the one that it was given, if it took one."""

    handler: Any
    output: Callable[[], Any] | None
    stream: Callable[[], AsyncIterable[Any]] | None
    passes: Callable[[Any], object]
    sink: Sink | None = None
    collected: list[Any] = field(default_factory=list)

    def pieces(self) -> list[Any]:
        """Return the pieces that have come out so far."""
        if self.sink is not None:
            return list(self.sink.pieces)
        if self.output is not None:
            found = self.output()
            return [found] if isinstance(found, str | bytes | bytearray) else list(found)
        return list(self.collected)


async def open_subject(factory: Callable[..., Any], *, fail_at: int | None = None) -> Opened:
    """Call a factory and find the ways out of what it made.

    A factory that takes an argument is given a `Sink`. It returns a handler, a `Subject`, or a pair of a handler and
    what has its output: a function, a list, or a buffer. Raises `UsageError` where that is no handler.
    """
    sink = Sink(fail_at) if takes_argument(factory) else None
    made = await made_by(factory, *([] if sink is None else [sink]))
    if isinstance(made, tuple) and len(made) == 2:
        made = Subject(made[0], output=_reader_of(made[1]))
    subject = made if isinstance(made, Subject) else Subject(made)
    handler = subject.handler
    missing = [name for name in ("on_event", "on_complete", "on_error") if not callable(getattr(handler, name, None))]
    if missing:
        raise UsageError(
            f"{name_of(factory)} returned {type(handler).__name__}, which is no handler: it has no {', '.join(missing)}"
        )
    output = subject.output or (None if sink is not None else _found(handler, _OUTPUTS) or _held(handler))
    return Opened(handler, output, subject.stream or _found(handler, _STREAMS), subject.passes or _all, sink)


async def made_by(factory: Callable[..., Any], *args: Any) -> Any:
    """Return what a factory makes. Raises `UsageError` where it raises."""
    try:
        made = factory(*args)
        return await made if inspect.isawaitable(made) else made
    except Exception as error:
        raise UsageError(f"{name_of(factory)} raised {type(error).__name__}: {error}") from error


def takes_argument(factory: Callable[..., Any]) -> bool:
    """Say whether a factory needs one argument to be called."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        for each in parameters
    )


def name_of(thing: Any) -> str:
    """Return how people call a function or class."""
    return getattr(thing, "__qualname__", None) or type(thing).__name__


def read(pieces: Sequence[Any]) -> Output:
    """Return what these pieces are, taken together."""
    if not pieces:
        return Output()
    if all(isinstance(piece, str | bytes | bytearray | memoryview) for piece in pieces):
        return _read_text(b"".join(_bytes(piece) for piece in pieces))
    if all(hasattr(piece, "data") and hasattr(piece, "event") for piece in pieces):
        return _read_messages(pieces)
    if all(isinstance(piece, Mapping) and {"event", "data"} >= piece.keys() and "data" in piece for piece in pieces):
        return _read_messages([SSEMessage(piece.get("event"), str(piece["data"])) for piece in pieces])
    return Output("events", tuple(Item(type_of(piece), piece) for piece in pieces))


def _read_text(wire: bytes) -> Output:
    try:
        text, damage = wire.decode("utf-8", "surrogatepass"), ""
    except UnicodeDecodeError as error:
        text, damage = wire.decode("utf-8", "replace"), f"what came out is not UTF-8: {error.reason} at {error.start}"
    if not _SSE.match(text):
        return Output("text", (), text, wire, damage)
    parser = SSEParser()
    try:
        messages = [*parser.feed(wire), *parser.close()]
    except WireError as error:
        return Output("sse", (), text, wire, f"what came out is no event stream: {error}")
    return Output("sse", _items(messages), text, wire, damage)


def _read_messages(messages: Sequence[Any]) -> Output:
    """Read messages by what a client gets of them, where they can say how they are sent."""
    meant = _items(messages)
    if not all(callable(getattr(message, "format", None)) for message in messages):
        return Output("sse", meant)
    sent = _read_text("".join(message.format() for message in messages).encode("utf-8", "surrogatepass"))
    damage = sent.damage
    if not damage and sent.items != meant:
        at = next((n for n, pair in enumerate(zip(meant, sent.items, strict=False)) if pair[0] != pair[1]), None)
        at = min(len(meant), len(sent.items)) if at is None else at
        damage = f"message {at} is sent as {_cut(meant, at)} and received as {_cut(sent.items, at)}"
    return Output("sse", meant, sent.text, sent.wire, damage)


def _cut(items: Sequence[Item], at: int) -> str:
    return f"{items[at].name!r} {str(items[at].data)[:60]!r}" if at < len(items) else "nothing"


def _items(messages: Sequence[Any]) -> tuple[Item, ...]:
    named = [(message.event or "message", message.data) for message in messages]
    return tuple(Item(name, _data(data)) for name, data in named if name not in _QUIET)


def _data(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    # A reader cannot tell line ends apart.
    plain = re.sub("\r\n|\r", "\n", text)
    try:
        return loads(plain.encode("utf-8", "surrogatepass"))
    except ValueError:
        return plain


def type_of(event: Any) -> str:
    """Return what an event calls its own type, whatever its dialect."""
    found = event.get("event_type", event.get("type", "")) if isinstance(event, Mapping) else None
    return str(getattr(event, "event_type", "") if found is None else found)


def _bytes(piece: Any) -> bytes:
    return piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else bytes(piece)


def _found(handler: Any, names: Sequence[str]) -> Callable[[], Any] | None:
    for name in names:
        method = getattr(handler, name, None)
        if callable(method) and not takes_argument(method):
            return method  # type: ignore[no-any-return]
    return None


def _held(handler: Any) -> Callable[[], Any] | None:
    """Return what reads an attribute that holds the output, whichever object it is by then."""
    for name in _HELD:
        held = getattr(handler, name, None)
        if isinstance(held, list | deque | io.StringIO | io.BytesIO):
            return lambda name=name: _reader_of(getattr(handler, name))()  # type: ignore[misc]
    return None


def _reader_of(output: Any) -> Callable[[], Any]:
    if isinstance(output, io.IOBase) or hasattr(output, "getvalue"):
        return output.getvalue  # type: ignore[no-any-return]
    return output if callable(output) else lambda: list(output)


def _all(event: Any) -> bool:
    return True
