"""The parser of event streams: bytes in, messages out, by the WHATWG HTML standard, section 9.2.6.

Knows the format and nothing else: no socket, no reconnecting, no time. Does not judge a stream either: whatever the
standard ignores is ignored here. An observer is told of it; what to say of that is the business of the contracts.

The standard is written in `_read_lines`, line by line. In front of it stands `OrdinaryReader`, which takes whole
blocks of the two shapes that nearly every server sends, at a fraction of the cost, and leaves everything else alone.
"""

import re
from collections.abc import Callable
from typing import NoReturn

from playhead.errors import UsageError, WireError
from playhead.sse.message import MAX_RETRY_DIGITS, SSEMessage, check_name, trusted_message
from playhead.sse.oddity import Odd, Oddity, Watcher
from playhead.sse.ordinary import OrdinaryReader

_BOM = b"\xef\xbb\xbf"
_NUL, _LF, _CR, _COLON = b"\0\n\r:"
_DEFAULT_MAX_BYTES = 64 * 1024 * 1024
_SLICE_BYTES = 32 * 1024
"""How much is read at a time. Copies of longer pieces leave the processor's cache, which costs half the speed."""
_HAS_DATA = re.compile(rb"^data(?::|$)", re.MULTILINE).search


class SSEParser:
    r"""Turn the bytes of one response into messages, in any pieces.

    Any split of the same bytes gives the same messages and then, if it comes to that, the same error. A message is
    given out with the first byte that completes its empty line. One parser reads one response; for the next one, make
    another with `last_event_id=parser.last_event_id`. Not for use by several threads at once.

    `max_line_bytes` bounds a line without its end, `max_message_bytes` the data of a message, each line counted with
    its end; the latter must not be less than the former.

    `observe` is told of what yields no message, before the messages that follow it in the same chunk: a byte order
    mark, a block of comments, a block without data, a field that there is not, data without a space, bytes that are
    not UTF-8 and, by `close`, a message that has no end. Ordinary streams have none of these and pay nothing.

        >>> parser = SSEParser()
        >>> [message.data for message in parser.feed(b"data: one\n\ndata: tw")]
        ['one']
    """

    __slots__ = (
        "_after_cr",
        "_block_line",
        "_block_offset",
        "_data",
        "_data_bytes",
        "_error",
        "_event",
        "_fresh",
        "_id",
        "_id_inherited",
        "_last_event_id",
        "_line",
        "_max_line_bytes",
        "_max_message_bytes",
        "_max_ordinary_bytes",
        "_offset",
        "_ordinary",
        "_pending",
        "_reconnection_time_ms",
        "_reported",
        "_retry",
        "_stopped",
        "_watcher",
    )

    def __init__(
        self,
        *,
        max_line_bytes: int = _DEFAULT_MAX_BYTES,
        max_message_bytes: int = _DEFAULT_MAX_BYTES,
        last_event_id: str = "",
        observe: Callable[[Odd], object] | None = None,
    ) -> None:
        if not 0 < max_line_bytes <= max_message_bytes:
            raise UsageError(
                f"SSEParser needs 0 < max_line_bytes <= max_message_bytes, "
                f"not {max_line_bytes!r} and {max_message_bytes!r}."
            )
        check_name("last_event_id", last_event_id)
        self._max_line_bytes = max_line_bytes
        self._max_message_bytes = max_message_bytes
        self._max_ordinary_bytes = min(max_line_bytes, 2 * _SLICE_BYTES)
        self._watcher = Watcher(observe) if observe else None
        self._reconnection_time_ms: int | None = None
        self._last_event_id = last_event_id
        self._stopped = False
        self._error: str | None = None
        self._reported = False
        # Bytes that are not interpreted yet, and where they begin.
        self._pending: bytes | bytearray = b""
        self._after_cr = False
        self._line = 1
        self._offset = 0
        self._ordinary = OrdinaryReader()
        # The block that has no empty line yet; fresh until its first field.
        self._fresh = True
        self._block_line = 1
        self._block_offset = 0
        self._event = ""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._id = last_event_id
        self._id_inherited = True
        self._retry: int | None = None

    @property
    def last_event_id(self) -> str:
        """Return the id to reconnect with: the last one whose block ended, "" if there is none."""
        return self._last_event_id

    @property
    def reconnection_time_ms(self) -> int | None:
        """Return the last valid `retry`, in milliseconds, or None. It counts as soon as its line ends."""
        return self._reconnection_time_ms

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[SSEMessage]:
        """Take the next bytes, and return the messages that they complete, in order.

        Raises `WireError` where a limit is exceeded, naming line and byte; what ends before that is returned first, and
        the next call of `feed` or `close` raises, then `feed` always. Raises `UsageError` after `close`.
        """
        if self._stopped:
            self._refuse()
        if type(chunk) is not bytes:
            chunk = bytes(chunk)
        if len(chunk) > _SLICE_BYTES:
            return self._feed_slices(chunk)
        if self._after_cr:
            chunk = self._without_lf(chunk)
        if _LF not in chunk and _CR not in chunk and len(self._pending) + len(chunk) <= self._max_line_bytes:
            if type(self._pending) is bytes:
                # It grows in place, and a long line comes in many pieces.
                self._pending = bytearray(self._pending)
            self._pending += chunk
            return []
        if self._pending:
            chunk = b"".join((self._pending, chunk))
            self._pending = b""
        crlf = _CR in chunk
        messages: list[SSEMessage] = []
        between = b"\r\n\r\n" if crlf else b"\n\n"
        if not self._fresh:
            # Only the block that has begun needs the standard's way.
            begun, blank, chunk = chunk.partition(between)
            self._take_lines(begun + blank, messages)
        if not chunk or self._stopped:
            return messages
        if not self._fresh or len(chunk) > self._max_ordinary_bytes:
            return self._take_lines(chunk, messages)
        where = self._line, self._offset, self._id, self._id_inherited
        found, there, has_only_begun = self._ordinary.read(chunk, where, crlf=crlf)
        if found:
            messages += found
            self._line, self._offset, self._id, self._id_inherited = there
            self._last_event_id = self._id
            chunk = chunk[self._offset - where[1] :]
        if has_only_begun or not chunk or _may_wait(chunk):
            self._pending = chunk
            return messages
        return self._take_lines(chunk, messages)

    def close(self) -> list[SSEMessage]:
        """End the stream: drop the message that has no empty line yet, as the standard says. Returns an empty list.

        Raises `WireError` if a limit was exceeded and `feed` has not said so yet. Closing again does nothing.
        """
        if self._error is not None and not self._reported:
            self._refuse()
        if self._watcher and not self._stopped and (self._data or _HAS_DATA(self._pending)):
            self._watcher.tell(Oddity.UNENDED, self._block_place())
        self._stopped = True
        self._forget()
        return []

    def _feed_slices(self, chunk: bytes) -> list[SSEMessage]:
        """Feed a long chunk slice by slice. An error after the first message waits for the next call."""
        messages: list[SSEMessage] = []
        for begin in range(0, len(chunk), _SLICE_BYTES):
            try:
                messages += self.feed(chunk[begin : begin + _SLICE_BYTES])
            except WireError:
                if not messages:
                    raise
                self._reported = False
                break
        return messages

    def _take_lines(self, chunk: bytes, messages: list[SSEMessage]) -> list[SSEMessage]:
        """Read the complete lines of `chunk`, keep what follows, and return `messages` with the new ones added."""
        if _CR in chunk:
            # Of bytes, unlike of str, splitlines knows no line ends but CR, LF and CRLF.
            pieces = chunk.splitlines(keepends=True)
            pieces.append(b"" if chunk[-1] in b"\r\n" else pieces.pop())
            sizes = [len(piece) for piece in pieces]
            lines = [piece.rstrip(b"\r\n") for piece in pieces]
            self._after_cr = chunk[-1] == _CR
        else:
            lines = chunk.split(b"\n")
            sizes = [len(line) + 1 for line in lines]
        within_limit = len(chunk) <= self._max_line_bytes or self._cut_at_overlong(lines)
        unended = lines.pop() if within_limit else b""
        if self._line == 1 and lines and lines[0].startswith(_BOM):
            lines[0] = lines[0].removeprefix(_BOM)
            if self._watcher:
                self._watcher.tell(Oddity.BOM, (1, 0))
        self._read_lines(lines, sizes, messages)
        if not within_limit:
            self._fail(f"is longer than {self._max_line_bytes} bytes", "max_line_bytes")
        if not self._stopped:
            self._pending += unended
        elif not messages:
            self._refuse()
        return messages

    def _cut_at_overlong(self, lines: list[bytes]) -> bool:
        """Drop the first line that is too long and all after it; return False if there was one."""
        for index, line in enumerate(lines):
            if len(line) > self._max_line_bytes:
                del lines[index:]
                return False
        return True

    def _read_lines(self, lines: list[bytes], sizes: list[int], messages: list[SSEMessage]) -> None:
        """Interpret lines as the standard says. `sizes` count the line ends, and may go on after the last line."""
        for line, size in zip(lines, sizes, strict=False):
            if not line:
                self._end_block(messages)
            elif line[0] == _COLON:
                if self._watcher:
                    self._watcher.comment(line)
            else:
                if self._fresh:
                    self._fresh = False
                    self._block_line, self._block_offset = self._line, self._offset
                if line.startswith(b"data: "):
                    # The general way copies the value twice, and this one may be megabytes.
                    name, value = b"data", line[6:]
                else:
                    name, _, value = line.partition(b":")
                    if self._watcher:
                        place, is_known = (self._line, self._offset), name in _FIELDS
                        self._watcher.field(line, name, value, place=place, is_known=is_known)
                    value = value.removeprefix(b" ")
                take = _FIELDS.get(name)
                if take is not None:
                    take(self, value)
                    if self._stopped:
                        return
            self._line += 1
            self._offset += size

    def _block_place(self) -> tuple[int, int]:
        return (self._line, self._offset) if self._fresh else (self._block_line, self._block_offset)

    def _end_block(self, messages: list[SSEMessage]) -> None:
        if self._watcher:
            self._watcher.block(self._data, place=self._block_place(), has_fields=not self._fresh)
        if self._data:
            text = b"\n".join(self._data).decode(errors="replace")
            at = self._block_line, self._block_offset
            messages.append(
                trusted_message(self._event or "message", text, self._id, self._retry, self._id_inherited, *at)
            )
            self._data.clear()
            self._data_bytes = 0
        self._last_event_id = self._id
        self._id_inherited = True
        self._event = ""
        self._retry = None
        self._fresh = True

    def _take_data(self, value: bytes) -> None:
        self._data_bytes += len(value) + 1
        if self._data_bytes > self._max_message_bytes:
            self._fail(f"makes its message longer than {self._max_message_bytes} bytes", "max_message_bytes")
        else:
            self._data.append(value)

    def _take_event(self, value: bytes) -> None:
        self._event = value.decode(errors="replace")

    def _take_id(self, value: bytes) -> None:
        if _NUL not in value:
            self._id = value.decode(errors="replace")
            self._id_inherited = False

    def _take_retry(self, value: bytes) -> None:
        if not value.isdigit():
            return
        digits = value.lstrip(b"0") or b"0"
        if len(digits) > MAX_RETRY_DIGITS:
            self._fail(f"sets a retry of more than {MAX_RETRY_DIGITS} digits", None)
        else:
            self._retry = self._reconnection_time_ms = int(digits)

    def _without_lf(self, chunk: bytes) -> bytes:
        """Take the LF that completes a CRLF from the chunk after its CR."""
        if chunk:
            self._after_cr = False
            if chunk[0] == _LF:
                self._offset += 1
                return chunk[1:]
        return chunk

    def _fail(self, what: str, limit: str | None) -> None:
        """Stop for good at the current line. An error at an earlier line stands."""
        if self._error is not None:
            return
        self._error = f"line {self._line} of the event stream, at byte offset {self._offset}, {what}."
        if limit is not None:
            self._error += f" If the stream is right, raise the limit: SSEParser({limit}=...)."
        self._stopped = True
        self._forget()

    def _refuse(self) -> NoReturn:
        if self._error is None:
            raise UsageError(
                "this SSEParser is closed. Make one for each response; to go on, give it last_event_id of the old one."
            )
        self._reported = True
        raise WireError(self._error)

    def _forget(self) -> None:
        self._pending = b""
        self._data.clear()


_FIELDS: dict[bytes, Callable[[SSEParser, bytes], None]] = {
    b"data": SSEParser._take_data,
    b"event": SSEParser._take_event,
    b"id": SSEParser._take_id,
    b"retry": SSEParser._take_retry,
}


def _may_wait(rest: bytes) -> bool:
    """Tell whether the start of a block can stay uninterpreted until more of it comes.

    It can if its whole lines are event and perhaps id: so few that looking at them again for each chunk stays linear.
    """
    if _CR in rest:
        return False
    name, end, rest = rest.partition(b"\n")
    if rest.startswith(b"id: "):
        _, _, rest = rest.partition(b"\n")
    return not end or (name.startswith(b"event: ") and _LF not in rest)
