"""The head of a response that brings an event stream.

Knows header fields. Does not know the stream behind them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
"""Header fields by name, in any case of letters, or pairs of name and value."""

_TYPE: Final = "text/event-stream"


def says_stream(headers: Headers) -> bool:
    """Say whether the head of a response announces an event stream."""
    return _named(headers).get("content-type", "").partition(";")[0].strip().lower() == _TYPE


def look_at_head(headers: Headers) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the head of a response: a code and what to say."""
    named = _named(headers)
    kind, _, parameters = named.get("content-type", "").partition(";")
    if kind.strip().lower() != _TYPE:
        yield "WIR015", f"the content type is {kind.strip() or 'missing'!r}: browsers take {_TYPE} only"
    charset = parameters.lower().replace('"', "").replace(" ", "").partition("charset=")[2]
    if charset not in ("", "utf-8", "utf8"):
        yield "WIR015", f"the content type says {charset!r}: an event stream is UTF-8"
    encoding = named.get("content-encoding", "identity")
    if encoding != "identity":
        yield "WIR016", f"the content encoding is {encoding!r}: messages wait until a block is full"
    if not {"no-cache", "no-store"} & set(named.get("cache-control", "").replace(" ", "").lower().split(",")):
        yield "WIR016", "there is no `Cache-Control: no-cache`: what stands between may keep the stream"


def _named(headers: Headers) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {name.lower(): value for name, value in pairs}
