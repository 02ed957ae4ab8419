"""One message of an event stream, and its text on the wire.

Knows which values survive the way to a reader and back, and refuses the others when a message is made. Does not know
where messages come from: an agent's events are turned into data by the handlers.
"""

import re
from dataclasses import KW_ONLY, dataclass, field

from playhead.errors import UsageError

MAX_RETRY_DIGITS = 640
"""Most digits of a retry: the longest integer that Python converts whatever `sys.set_int_max_str_digits` says."""

_TOO_LONG_RETRY = 10**MAX_RETRY_DIGITS
_LINE_END = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = {"\r": "a carriage return", "\n": "a line feed", "\0": "a NUL"}


class _Fields:
    """Have the fields of a message, and let them be set: see `trusted_message`."""

    __slots__ = ("data", "event", "id", "id_inherited", "line", "offset", "retry")

    event: str | None
    data: str
    id: str | None
    retry: int | None
    id_inherited: bool
    line: int | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class SSEMessage(_Fields):
    r"""Hold one message, either to be sent or as a parser received it.

    To send: `event` None or "" leaves the type to its default, "message". `id` None sends no id; "" makes the reader
    forget the last one. `retry` is the reconnection time in milliseconds. A browser hands a message named "error" to
    `EventSource.onerror` too, where it is easily taken for a lost connection.

    Received: `event` is never empty, `id` is the last event id in force ("" if there was none), and `retry` is the
    valid retry of this message's own block. `id_inherited` tells that an earlier block had set the id; `line` (from 1)
    and `offset` (in bytes, from 0) say where the message's first field stands in the stream. These three take no part
    in comparison: messages are equal when a reader is told the same.

    Every message comes back from a parser as it was sent, but for what the format itself does not tell apart: a
    default `event` comes back as "message", an `id` of None as the id in force, and CR and CRLF in `data` as LF.
    What would come back as something else raises `UsageError`: CR, LF or NUL in `event` or `id`, a lone surrogate
    anywhere, a `retry` that is negative, not an integer, or longer than 640 digits.

        >>> SSEMessage("think", '{"n": 1}', id="7").format()
        'event: think\nid: 7\ndata: {"n": 1}\n\n'
    """

    event: str | None = None
    data: str = ""
    id: str | None = None
    retry: int | None = None
    _: KW_ONLY
    id_inherited: bool = field(default=False, compare=False, repr=False)
    line: int | None = field(default=None, compare=False, repr=False)
    offset: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Printable ASCII, which names nearly always are, holds nothing that is forbidden.
        event, id, data = self.event, self.id, self.data
        if event is not None and not (type(event) is str and event.isascii() and event.isprintable()):
            check_name("event", event)
        if id is not None and not (type(id) is str and id.isascii() and id.isprintable()):
            check_name("id", id)
        if self.retry is not None:
            _check_retry(self.retry)
        if not (type(data) is str and data.isascii()):
            _check_text("data", data)

    @property
    def block_id(self) -> str | None:
        """Return the id that was sent in this message's own block, None if there was none."""
        return None if self.id_inherited else self.id

    def format(self) -> str:
        """Return the message as text: event, id, retry, a `data:` line for each line of data, an empty line.

        Lines of data end at CRLF, CR or LF. An inherited id is left out: the reader has it already, unless it stood in
        a block without data, which is no message and is not sent again.
        """
        return encode_fields(self.event, None if self.id_inherited else self.id, self.data, retry=self.retry)

    def encode(self) -> bytes:
        """Return the message as the UTF-8 bytes that go on the wire."""
        return self.format().encode()


def encode_fields(event: str | None, id: str | None, data: str, *, retry: int | None = None) -> str:
    """Return the text of a message from fields that are known to be good.

    Nothing is checked: a line end in `event` or `id` would forge fields. Use `SSEMessage` for values from outside.
    """
    if "\n" in data or "\r" in data:
        data = "\ndata: ".join(_LINE_END.split(data))
    # Joined, not formatted: the text of some enumerations is not their value.
    if event and id is not None and retry is None:
        return "".join(("event: ", event, "\nid: ", id, "\ndata: ", data, "\n\n"))
    head = "".join(("event: ", event, "\n")) if event else ""
    if id is not None:
        head = "".join((head, "id: ", id, "\n"))
    if retry is not None:
        head = "".join((head, "retry: ", str(int(retry)), "\n"))
    return "".join((head, "data: ", data, "\n\n"))


def comment(text: str = "") -> str:
    """Return `text` as a comment block, which keeps a connection open and reaches no listener.

    One comment line for each line of `text`, then an empty line: many a hand-written reader cuts the stream at empty
    lines and would lose a message that shares its block with a comment. Raises `UsageError` for a lone surrogate.
    """
    _check_text("comment", text)
    return ": " + "\n: ".join(_LINE_END.split(text)) + "\n\n"


def check_name(name: str, value: object) -> None:
    """Raise `UsageError` naming the field `name` unless `value` can be an event type or an id on the wire."""
    text = _check_text(name, value)
    for character, what in _FORBIDDEN.items():
        if character in text:
            raise UsageError(
                f"SSE {name} {_shown(text)} holds {what} at index {text.index(character)}: it cannot be sent on one "
                f"line and come back. Remove it, or put the text into data."
            )


def _check_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"SSE {name} must be a str, not {type(value).__name__}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"SSE {name} holds a lone surrogate {value[error.start]!r} at index {error.start}: it has no UTF-8 form. "
            f"Escape it (JSON does), or replace it."
        ) from None
    return value


def _check_retry(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"SSE retry must be an int of milliseconds, not {type(value).__name__}.")
    if value < 0:
        raise UsageError("SSE retry must not be negative: a reader takes digits only, and would ignore it.")
    if value >= _TOO_LONG_RETRY:
        raise UsageError(f"SSE retry must have at most {MAX_RETRY_DIGITS} digits: a reader refuses more.")


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 80 else repr(text[:80]) + "..."


def trusted_message(
    event: str | None,
    data: str,
    id: str | None,
    retry: int | None = None,
    id_inherited: bool = False,
    line: int | None = None,
    offset: int | None = None,
) -> SSEMessage:
    """Make a message of fields that are known to be good: a parser's, or those of an encoder of its own.

    Nothing is checked, and the arguments go by position: it is called for each message of a stream. A frozen dataclass
    sets each slot through `object.__setattr__`, which costs more than all the parsing. So the slots are filled while
    the object is of the class that has them and is open, and then it becomes the frozen one.
    """
    fields = _Fields()
    fields.event = event
    fields.data = data
    fields.id = id
    fields.retry = retry
    fields.id_inherited = id_inherited
    fields.line = line
    fields.offset = offset
    fields.__class__ = SSEMessage
    return fields  # type: ignore[return-value]
