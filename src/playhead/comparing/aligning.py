"""Which items of two sequences belong together: the longest common subsequence, at a bounded price.

Knows keys that are equal or not, and nothing of events. In order of price:

1. what both sequences begin and end with is taken off;
2. Myers' greedy algorithm finds a shortest edit script, up to 1,000 edits and one million steps;
3. beyond that, keys that occur just once on either side become anchors (as in patience diff), and step 2 is tried on
   each gap between them, with what is left of the steps;
4. a gap that is still too expensive is walked once, taking each match that is at most 64 items off the straight way
   through it. There the result is a common subsequence, but maybe not the longest.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

MAX_EDITS = 1_000
"""How many items a shortest edit script may add and remove; its memory grows with the square."""
MAX_STEPS = 1_000_000
"""How many comparisons all searches for a shortest edit script may take together."""
WINDOW = 64
"""How far off the straight way the last resort looks for a match."""

Pairs = list[tuple[int, int]]
"""Positions that belong together, strictly growing on both sides."""


def align(old: Sequence[Hashable], new: Sequence[Hashable], *, max_steps: int = MAX_STEPS) -> Pairs:
    """Return the positions of equal items that belong together, in order.

    Deterministic. Takes time in proportion to the length of the sequences plus `max_steps`, whatever they hold.
    """
    budget = _Budget(max_steps)
    return _between(old, new, (0, len(old), 0, len(new)), budget, anchors=True)


class _Budget:
    """Count what may still be spent."""

    def __init__(self, steps: int) -> None:
        self.steps = steps


_Box = tuple[int, int, int, int]


def _between(old: Sequence[Hashable], new: Sequence[Hashable], box: _Box, budget: _Budget, *, anchors: bool) -> Pairs:
    """Align the items from `box[0]` to `box[1]` with those from `box[2]` to `box[3]`."""
    old_start, old_stop, new_start, new_stop = box
    head = tail = 0
    limit = min(old_stop - old_start, new_stop - new_start)
    while head < limit and old[old_start + head] == new[new_start + head]:
        head += 1
    while tail < limit - head and old[old_stop - 1 - tail] == new[new_stop - 1 - tail]:
        tail += 1
    middle = (old_start + head, old_stop - tail, new_start + head, new_stop - tail)
    pairs = [(old_start + step, new_start + step) for step in range(head)]
    pairs += _middle(old, new, middle, budget, anchors=anchors)
    return pairs + [(old_stop - step, new_stop - step) for step in range(tail, 0, -1)]


def _middle(old: Sequence[Hashable], new: Sequence[Hashable], box: _Box, budget: _Budget, *, anchors: bool) -> Pairs:
    old_start, old_stop, new_start, new_stop = box
    lefts, rights = old[old_start:old_stop], new[new_start:new_stop]
    if not set(lefts) & set(rights):
        return []
    found = _shortest(lefts, rights, budget)
    if found is None and anchors:
        found, last = [], (0, 0)
        for left, right in [*_anchors(lefts, rights), (len(lefts), len(rights))]:
            found += _between(lefts, rights, (last[0], left, last[1], right), budget, anchors=False)
            if left < len(lefts):
                found.append((left, right))
            last = (left + 1, right + 1)
    if found is None:
        found = _greedy(lefts, rights)
    return [(left + old_start, right + new_start) for left, right in found]


def _shortest(old: Sequence[Hashable], new: Sequence[Hashable], budget: _Budget) -> Pairs | None:
    """Return the matches of a shortest edit script, after Myers (1986), or None where that is too expensive."""
    furthest = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), MAX_EDITS) + 1):
        trace.append(furthest.copy())
        for diagonal in range(-edits, edits + 1, 2):
            start, _ = _reached(furthest, diagonal, len(old), len(new))
            if start < 0:
                furthest.pop(diagonal, None)
                continue
            x, y = start, start - diagonal
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            budget.steps -= x - start + 1
            if x == len(old) and y == len(new):
                return _backtracked(trace, x, y)
        if budget.steps < 0:
            return None
    return None


def _reached(furthest: dict[int, int], diagonal: int, old_count: int, new_count: int) -> tuple[int, int]:
    """Return how far one more edit leads on a diagonal, and from which one. -1 where no edit leads there."""
    down, across = furthest.get(diagonal + 1, -1), furthest.get(diagonal - 1, -1)
    down = down if down - diagonal <= new_count else -1
    across = across + 1 if 0 <= across < old_count else -1
    return (down, diagonal + 1) if down >= across else (across, diagonal - 1)


def _backtracked(trace: list[dict[int, int]], x: int, y: int) -> Pairs:
    pairs: Pairs = []
    old_count, new_count = x, y
    for furthest in reversed(trace):
        start, before = _reached(furthest, x - y, old_count, new_count)
        while x > start:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x = furthest[before]
        y = x - before
    return pairs[::-1]


def _anchors(old: Sequence[Hashable], new: Sequence[Hashable]) -> Pairs:
    """Return the most pairs in order among the items that occur once on either side."""
    counts, place = Counter(new), {key: position for position, key in enumerate(new)}
    once = [(left, place[key]) for left, key in enumerate(old) if counts[key] == 1]
    twice = {key for key, count in Counter(old).items() if count > 1}
    return _rising([pair for pair in once if old[pair[0]] not in twice])


def _rising(pairs: Pairs) -> Pairs:
    """Return a longest part of pairs, in order on the left, that is in order on the right too."""
    ends: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for index, (_, right) in enumerate(pairs):
        pile = bisect_left(ends, right)
        before.append(tops[pile - 1] if pile else -1)
        ends[pile : pile + 1] = [right]
        tops[pile : pile + 1] = [index]
    found: Pairs = []
    index = tops[-1] if tops else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _greedy(old: Sequence[Hashable], new: Sequence[Hashable]) -> Pairs:
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(new):
        places[key].append(position)
    pairs: Pairs = []
    at = 0
    for left, key in enumerate(old):
        found = places.get(key, [])
        straight = left * len(new) // len(old)
        index = bisect_left(found, max(at, straight - WINDOW))
        if index < len(found) and found[index] <= straight + WINDOW:
            pairs.append((left, found[index]))
            at = found[index] + 1
    return pairs
