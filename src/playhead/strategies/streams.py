"""Strategies for bytes: event streams, well formed and hostile, and every way to cut them.

Knows the format of an event stream and where its readers went wrong before. Does not know events.
"""

from itertools import pairwise
from typing import Final

from hypothesis import strategies as st

from playhead.sse.message import SSEMessage, comment
from playhead.walks.texts import TEXTS

_ENDS: Final = (b"\n", b"\r\n", b"\r")
_HOSTILE: Final = (
    *(b"data", b"data:", b"data: a", b"data:a", b"data:  a", b"data: \xc3\xa9", b"data: \xf0\x9f\x8c\xa7\xef\xb8\x8f"),
    *(b"", b":", b": keep-alive", b":\xff", b"event: think", b"event:", b"event: \xe9", b"event: a\x00b"),
    *(b"id", b"id:", b"id: 1", b"id: a\x00b", b"id: \xf0\x9f\x8c\xa7", b"retry: 1000", b"retry: -1", b"retry: 1e3"),
    *(b"retry:", b"retry: " + b"9" * 30, b"\xef\xbb\xbf", b"\xef\xbb\xbfdata: a", b"\xff\xfe", b"\xed\xa0\x80"),
    *(b"unknown: x", b"Data: a", b" data: a", b"data : a", b"\x00", b"data: [DONE]", b'data: {"event_type": "think"}'),
    *(b"data: \xe2\x80\xa8", b"data: \xc2\x85", b"data: \x0b\x0c", b"data: " + b"x" * 500),
)
_MAX_LINES: Final = 12

messages: st.SearchStrategy[SSEMessage] = st.builds(
    SSEMessage,
    st.none() | st.sampled_from(("think", "error", "done", "é", " spaced")),
    st.sampled_from(TEXTS),
    st.none() | st.sampled_from(("1", "", "evt-2", "雨")),
    st.none() | st.integers(0, 10_000),
)
"""Messages that can be sent, and come back as they were, but for line ends: each of them comes back as LF."""

_well_formed = st.lists(
    messages.map(SSEMessage.encode) | st.sampled_from(TEXTS).map(lambda text: comment(text).encode())
)
_lines = st.lists(st.tuples(st.sampled_from(_HOSTILE), st.sampled_from(_ENDS)).map(b"".join), max_size=_MAX_LINES)


def sse_bytes(*, hostile: bool = True) -> st.SearchStrategy[bytes]:
    """Return a strategy for the bytes of event streams.

    Well formed ones are messages and comments as they should be sent. Hostile ones are lines with any of the three
    ends, among them byte order marks, NUL in ids, bytes that are not UTF-8, fields that there are not, retries that are
    none, and a last message without its empty line; or any bytes at all.
    """
    well_formed = _well_formed.map(b"".join)
    return st.one_of(well_formed, _lines.map(b"".join), st.binary(max_size=64)) if hostile else well_formed


def splits(data: bytes, *, max_cuts: int = 8) -> st.SearchStrategy[list[bytes]]:
    """Return a strategy for ways to cut `data` into chunks: `max_cuts` places at most, or every byte by itself.

    The chunks add up to `data`. Some are empty, and cuts fall inside of lines, line ends and code points. The simplest
    way is not to cut at all.
    """
    places = st.lists(st.integers(0, len(data)), max_size=max_cuts)
    return st.one_of(places.map(lambda cuts: _cut(data, cuts)), st.just([data[i : i + 1] for i in range(len(data))]))


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    return [data[begin:end] for begin, end in pairwise([0, *sorted(places), len(data)])]
