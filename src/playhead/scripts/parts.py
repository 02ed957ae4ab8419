"""The parts of a model's turn, as values, and the words that make them.

A part is something that is said, in the pieces in which it streams, or something that happens on the way. Knows no
provider: which bytes a part becomes is the business of a wire format.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Self

from playhead.errors import UsageError
from playhead.scripts.failures import ProviderFailure


@dataclass(frozen=True, slots=True)
class Say:
    """Text, in the pieces in which it streams. `pause_s` passes before each piece."""

    pieces: tuple[str, ...]
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Think:
    """What a model thinks before it speaks, in the pieces in which it streams."""

    pieces: tuple[str, ...]
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants called. `pieces` is the JSON text of the arguments as it streams.

    `id` is None until the turn is played: calls are then numbered through the whole script, `call_1` and so on.
    """

    tool: str
    pieces: tuple[str, ...]
    id: str | None = None
    pause_s: float = 0.0

    @property
    def text(self) -> str:
        """Return the arguments as JSON text, which may be malformed on purpose."""
        return "".join(self.pieces)

    @property
    def arguments(self) -> Any:
        """Return the arguments; None where their text is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    def with_id(self, id: str) -> Self:
        """Return this call with an id of your own."""
        return replace(self, id=id)

    def in_chunks(self, chunks: int | Sequence[str], *, pause_s: float = 0.0) -> Self:
        """Return this call with its arguments cut into so many pieces, or into these."""
        return replace(self, pieces=_pieces(self.text, chunks), pause_s=pause_s)


@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens the turn took."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the model stopped: `stop`, `tool_calls`, `length`, `content_filter`, or a provider's own word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that passes: seconds, on the model's clock."""

    seconds: float
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """The provider says no. Before the first piece it is a refused request, after it an error in the stream."""

    failure: ProviderFailure = field(default_factory=ProviderFailure)
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is lost; with `clean`, the stream ends as if it were whole, but without its last event."""

    clean: bool = False
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing comes any more, and the connection stays open."""

    at: int | None = None


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that no provider sends, in the middle of the stream."""

    data: bytes
    at: int | None = None


Said = Say | Think | Call
"""A part that streams in pieces."""

Event = Pause | Fail | Cut | Hang | Garbage
"""A part that happens on the way. `at` is the number of pieces that come before it; None means where it stands."""

Part = Said | Event | Usage | Stop
"""What a turn is made of."""


def say(text: str, *, chunks: int | Sequence[str] = 1, pause_s: float = 0.0) -> Say:
    """Return text that streams in so many pieces of about the same length, or in the given ones.

    `pause_s` passes before each. Raises `UsageError` where the given pieces do not add up to the text.
    """
    return Say(_pieces(text, chunks), pause_s)


def think(text: str, *, chunks: int | Sequence[str] = 1, pause_s: float = 0.0) -> Think:
    """Return a thought that streams as `say` does. Formats that have no thoughts leave it out."""
    return Think(_pieces(text, chunks), pause_s)


def call(tool: str, /, **arguments: Any) -> Call:
    """Return a call of a tool with these arguments.

    Raises `UsageError` for arguments that have no JSON form.
    """
    return call_with(tool, arguments)


def call_with(tool: str, arguments: Mapping[str, Any]) -> Call:
    """Return a call of a tool with a mapping of arguments, whatever their names."""
    try:
        text = json.dumps(dict(arguments), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise UsageError(f"the arguments of {tool!r} have no JSON form: {error}") from error
    return Call(tool, (text,))


def raw_call(tool: str, /, text: str) -> Call:
    """Return a call of a tool whose arguments are this very text: malformed JSON, say."""
    return Call(tool, (text,))


def usage(input_tokens: int, output_tokens: int) -> Usage:
    """Return how many tokens the turn took. Without it, a format that must say so counts pieces."""
    return Usage(input_tokens, output_tokens)


def stop(reason: str) -> Stop:
    """Return why the model stopped. Without it: `tool_calls` if it wants a tool, else `stop`."""
    return Stop(reason)


def pause(seconds: float, *, at: int | None = None) -> Pause:
    """Let time pass, here or after the given number of pieces."""
    return Pause(seconds, at)


def fail(failure: ProviderFailure, *, at: int | None = None) -> Fail:
    """Let the provider say no, here or after the given number of pieces: `fail(RateLimit(retry_after_s=2))`."""
    return Fail(failure, at)


def cut(*, at: int | None = None, clean: bool = False) -> Cut:
    """Lose the connection, here or after the given number of pieces.

    With `clean` the stream ends in good order but too early: the fault that the SDKs take for success.
    """
    return Cut(clean, at)


def hang(*, at: int | None = None) -> Hang:
    """Send nothing any more, here or after the given number of pieces, until the client gives up."""
    return Hang(at)


def garbage(data: bytes = b"\xff\xfe{not a stream", *, at: int | None = None) -> Garbage:
    """Send these bytes into the middle of the stream, here or after the given number of pieces."""
    return Garbage(data, at)


def _pieces(text: str, chunks: int | Sequence[str]) -> tuple[str, ...]:
    """Cut a text into so many pieces, or check the given ones."""
    if isinstance(chunks, int):
        if chunks < 1:
            raise UsageError(f"chunks={chunks}: a text streams in at least one piece")
        edges = [len(text) * number // chunks for number in range(chunks + 1)]
        return tuple(text[begin:end] for begin, end in pairwise(edges))
    pieces = tuple(chunks)
    if "".join(pieces) != text:
        raise UsageError(f"the chunks {pieces!r} do not add up to the text {text!r}")
    return pieces
