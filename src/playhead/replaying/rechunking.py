"""The same bytes in other chunks, for whoever reads them: a parser must not care where a network cut.

Knows bytes, and the places at which readers of streams go wrong. Does not know who reads, nor when chunks are due but
for one rule: a piece is due when its last byte was.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from random import Random
from typing import Final, Literal, get_args

from playhead.errors import UsageError
from playhead.text import did_you_mean

Rechunking = Literal["bytes", "points", "lines", "whole", "random"]
"""One byte at a time; cut inside each code point; inside each line end and each empty line; all at once; by chance."""

_CONTINUATION: Final = re.compile(rb"[\x80-\xbf]")
_SECOND_OF_LINE_ENDS: Final = re.compile(rb"(?<=\r)[\r\n]|(?<=\n)\n")


def rechunked(chunks: Iterable[bytes], how: Rechunking, *, seed: int = 0) -> list[bytes]:
    """Return the same bytes, cut otherwise. No piece is empty; joined they are equal to the joined chunks.

    "points" cuts before each byte that continues a UTF-8 code point, "lines" inside each CRLF and between two line
    ends. "random" cuts at places that `seed` chooses, the same ones each time. Raises `UsageError` for another `how`.
    """
    data = b"".join(chunks)
    if not data:
        return []
    cuts = [0, *_CUTS[checked(how)](data, seed), len(data)]
    return [data[start:stop] for start, stop in pairwise(cuts)]


def rechunked_in_time(
    chunks: Sequence[tuple[int, bytes]], how: Rechunking, *, seed: int = 0
) -> list[tuple[int, bytes]]:
    """Return `(at_us, chunk)`, cut otherwise: a piece comes when the chunk came that its last byte was in."""
    pieces = rechunked([data for _, data in chunks], how, seed=seed)
    ends = list(accumulate(len(data) for _, data in chunks))
    last_bytes = accumulate(len(piece) for piece in pieces)
    return [(chunks[bisect_left(ends, end)][0], piece) for end, piece in zip(last_bytes, pieces, strict=True)]


def checked(how: Rechunking) -> Rechunking:
    """Return a way to cut. Raises `UsageError` for one that there is not."""
    if how not in _CUTS:
        known = get_args(Rechunking)
        raise UsageError(f"chunks cannot be cut by {how!r}: give one of {', '.join(known)}{did_you_mean(how, known)}")
    return how


def _by_chance(data: bytes, seed: int) -> list[int]:
    chance = Random(seed)
    places = range(1, len(data))
    return sorted(chance.sample(places, chance.randint(0, len(places))))


_CUTS: Final[dict[str, Callable[[bytes, int], Iterable[int]]]] = {
    "bytes": lambda data, seed: range(1, len(data)),
    # A first byte that continues a code point has nothing before it to be cut from.
    "points": lambda data, seed: [found.start() for found in _CONTINUATION.finditer(data, 1)],
    "lines": lambda data, seed: [found.start() for found in _SECOND_OF_LINE_ENDS.finditer(data, 1)],
    "whole": lambda data, seed: (),
    "random": _by_chance,
}
