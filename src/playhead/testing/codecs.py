"""The conformance suites for whoever writes an event stream, and whoever reads one.

Knows what the WHATWG standard says of an event stream, as examples. Does not know Playhead's own parser, but for
reading what an encoder wrote.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from playhead.sse.parser import SSEParser
from playhead.testing.outputs import name_of
from playhead.testing.report import Promise, Report
from playhead.testing.suite import Check, check, expect, run_checks

ParserFactory = Callable[[], Any]
"""What makes a parser: `feed(bytes)` and `close()` return lists of messages with `event`, `data` and `id`."""

Encoder = Callable[[str, str, str], str | bytes]
"""What writes one message: `encode(event, data, id)` returns its text or bytes, the empty line included."""

_Message = tuple[str, str, str]
_Example = tuple[bytes, list[_Message]]

_LINE_ENDS: Final[tuple[_Example, ...]] = (
    (b"data: a\n\n", [("message", "a", "")]),
    (b"data: a\r\rdata: b\r\n\r\n", [("message", "a", ""), ("message", "b", "")]),
    (b"data: a\r\ndata: b\r\n\r\n", [("message", "a\nb", "")]),
    ("data: a\u2028b\x85c\n\n".encode(), [("message", "a\u2028b\x85c", "")]),
)
_FIELDS: Final[tuple[_Example, ...]] = (
    (b"event: x\ndata:  a\n\n", [("x", " a", "")]),
    (b"data:a\n\n", [("message", "a", "")]),
    (b"data\ndata\n\n", [("message", "\n", "")]),
    (b": note\nunknown: x\ndata: a:b\n\n", [("message", "a:b", "")]),
    (b"event: x\n\ndata: a\n\n", [("message", "a", "")]),
)
_IDS: Final[tuple[_Example, ...]] = (
    (b"id: 7\ndata: a\n\ndata: b\n\n", [("message", "a", "7"), ("message", "b", "7")]),
    (b"id: 7\ndata: a\n\nid: 8\x00\ndata: b\n\n", [("message", "a", "7"), ("message", "b", "7")]),
    (b"id: 7\n\nid\ndata: a\n\n", [("message", "a", "")]),
)
_POINTS: Final[tuple[_Example, ...]] = (
    ("data: é雨🌧️\n\n".encode(), [("message", "é雨🌧️", "")]),
    (b"\xef\xbb\xbfdata: a\n\n", [("message", "a", "")]),
    (b"data: \xef\xbb\xbfa\n\n", [("message", "\ufeffa", "")]),
)
_ENDS: Final[tuple[_Example, ...]] = (
    (b"data: a\n\ndata: b\n", [("message", "a", "")]),
    (b"data: a", []),
    (b"", []),
)


def _said(messages: Sequence[Any]) -> list[_Message]:
    return [(message.event or "message", message.data, message.id or "") for message in messages]


def _parsed(make: ParserFactory, chunks: Sequence[bytes]) -> list[_Message]:
    parser = make()
    found: list[Any] = []
    for chunk in chunks:
        found += parser.feed(chunk)
    return _said([*found, *parser.close()])


def _examples(name: str, says: str, examples: Sequence[_Example]) -> Check:
    """Return the check that each of these bytes is read as it should be."""

    @check(name, says)
    def examine(make: ParserFactory) -> None:
        for wire, expected in examples:
            found = _parsed(make, [wire])
            expect(found == expected, f"{wire!r} is read as {found}, and is {expected}", repr(wire))

    return examine


@check("splits-do-not-matter", "the same bytes give the same messages, wherever they are split")
def _splits(make: ParserFactory) -> None:
    for wire, expected in (*_LINE_ENDS, *_FIELDS, *_IDS, *_POINTS, *_ENDS):
        found = _parsed(make, [wire[at : at + 1] for at in range(len(wire))])
        expect(found == expected, f"{wire!r} byte by byte is read as {found}, and is {expected}", repr(wire))
        for at in range(1, len(wire)):
            found = _parsed(make, [wire[:at], b"", wire[at:]])
            told = f"[{wire[:at]!r}, {wire[at:]!r}]"
            expect(found == expected, f"{wire!r} in two pieces is read as {found}, and is {expected}", told)


@check("parsers-share-nothing", "a new parser knows nothing of another one")
def _share_nothing(make: ParserFactory) -> None:
    _parsed(make, [b"id: 7\nevent: x\ndata: a"])
    found = _parsed(make, [b"data: b\n\n"])
    expect(found == [("message", "b", "")], f"after another parser, 'data: b' is read as {found}")


_PARSER_CHECKS: Final[tuple[Check, ...]] = (
    _splits,
    _examples("ends-of-lines", "lines end at LF, CR and CRLF, and at nothing else", _LINE_ENDS),
    _examples("fields", "fields, comments and their spaces are read as the standard says", _FIELDS),
    _examples("ids", "an id stays in force, and one with NUL is ignored", _IDS),
    _examples("code-points", "UTF-8 is read whole, and a byte order mark only once", _POINTS),
    _examples("unfinished", "a message without its empty line is dropped", _ENDS),
    _share_nothing,
)

PARSER_PROMISES: Final[tuple[Promise, ...]] = tuple(each.promise for each in _PARSER_CHECKS)
"""What is expected of every parser of event streams."""

_DATA: Final = (
    "a",
    "",
    " a ",
    "a\nb",
    "\n",
    "a\r\nb\rc",
    "é雨🌧️",
    "\u2028",
    "data: x\n\n",
    ":",
    "{}",
    "\ufeff",
    "x" * 70_000,
)
_NAMES: Final = ("x", "a b", "é", "a:b", "")
_FORGED: Final = ("x\ndata: forged", "x\rdata: forged", "x\r\nid: 9")


def _encoded(encode: Encoder, event: str, data: str, id: str) -> bytes:
    text = encode(event, data, id)
    return text.encode() if isinstance(text, str) else text


@check("comes-back", "what was written is read, data, name and id")
def _comes_back(encode: Encoder) -> None:
    for event, data in [*(("x", data) for data in _DATA), *((name, "a") for name in _NAMES)]:
        wire = _encoded(encode, event, data, "7")
        plain = data.replace("\r\n", "\n").replace("\r", "\n")
        expected = [(event or "message", plain, "7")]
        found = _parsed(SSEParser, [wire])
        expect(
            found == expected,
            f"{event!r}, {data[:40]!r} is read as {str(found)[:200]}",
            f"encode({event!r}, {data[:40]!r}, '7')",
        )


@check("follows-others", "messages written one behind the other are read as so many")
def _follows_others(encode: Encoder) -> None:
    wire = b"".join(_encoded(encode, "x", data, str(number)) for number, data in enumerate(_DATA))
    found = len(_parsed(SSEParser, [wire]))
    expect(found == len(_DATA), f"{len(_DATA)} messages were written, and {found} are read")


@check("forges-nothing", "a name or id with a line end is refused, or made harmless")
def _forges_nothing(encode: Encoder) -> None:
    for forged in _FORGED:
        for event, id in ((forged, "7"), ("x", forged)):
            try:
                wire = _encoded(encode, event, "a", id)
            except Exception:
                continue
            found = _parsed(SSEParser, [wire])
            told = f"encode({event!r}, 'a', {id!r})"
            expect(len(found) == 1 and found[0][1] == "a", f"{forged!r} as a name or id is read as {found}", told)


_ENCODER_CHECKS: Final[tuple[Check, ...]] = (_comes_back, _follows_others, _forges_nothing)

ENCODER_PROMISES: Final[tuple[Promise, ...]] = tuple(each.promise for each in _ENCODER_CHECKS)
"""What is expected of every writer of event streams."""


def check_sse_parser(factory: ParserFactory) -> Report:
    """Put a parser of event streams to the test, and report each promise. `factory` makes a new one each time."""
    return run_checks(name_of(factory), factory, _PARSER_CHECKS)


def check_sse_encoder(encode: Encoder) -> Report:
    """Put a writer of event streams to the test: `encode(event, data, id)` returns one message's text or bytes."""
    return run_checks(name_of(encode), encode, _ENCODER_CHECKS)
