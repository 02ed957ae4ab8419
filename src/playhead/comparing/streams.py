"""The comparison itself: align, find what moved, then say at which paths the rest differs.

Knows readings and pairs of positions. In a stream whose tools run at the same time, the order in which they go on and
end is chance; everything else has an order.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from playhead.comparing.aligning import MAX_STEPS, Pairs, align
from playhead.comparing.comparison import Comparison, Difference, Kind
from playhead.comparing.fields import changes
from playhead.comparing.reading import Reading, id_pairs, read
from playhead.comparing.renaming import renaming
from playhead.errors import UsageError
from playhead.events.dialects import get_dialect
from playhead.events.locus import LOCUS
from playhead.events.spans import Dialect

NEAR = 256
"""How many pairs around a moved one are looked at, to see whether its place is chance."""

_FINE: tuple[Callable[[Reading], Hashable], ...] = (
    lambda event: (event.content, event.opening),
    lambda event: event.content,
)
_COARSE: tuple[Callable[[Reading], Hashable], ...] = (
    lambda event: (event.event_type, event.names),
    lambda event: event.event_type,
)


def compare(
    old: Iterable[object], new: Iterable[object], *, dialect: str | Dialect | None = None, any_order: bool = True
) -> Comparison:
    """Return how two streams differ: tapes, or iterables of typed events, JSON objects, or their JSON text.

    `dialect` is that of the tapes, if they are tapes, and `locus` else. How the runs ended is not compared.

    What the dialect calls volatile does not count, and ids count up to a consistent renaming. One event that only one
    stream has is one difference; so is one that stands elsewhere, and each path at which an event changed. With
    `any_order`, the events of tools that are open at the same time may come in any order. Swapping the streams gives
    the same differences mirrored.

    Two streams of 100,000 events take some seconds, and memory for both. Where they have little in common the
    differences may be more than there need be (`playhead.comparing.aligning`). Raises `UsageError` for an unknown
    dialect, and for an item that is no event.
    """
    table = _dialect(old, new) if dialect is None else get_dialect(dialect)
    olds, news = read(old, table), read(new, table)
    # One direction is worked out, so that the other cannot come out differently.
    if _order(news) < _order(olds):
        match = _match(news, olds, any_order=any_order).mirrored()
    else:
        match = _match(olds, news, any_order=any_order)
    differences = sorted(_differences(match, olds, news), key=_placer(match))
    return Comparison(tuple(differences), [each.event for each in olds], [each.event for each in news], table)


def _dialect(old: object, new: object) -> Dialect:
    """Return the dialect that tapes say they have. Raises `UsageError` where they say two."""
    said = {each.name: each for each in (getattr(stream, "dialect", None) for stream in (old, new)) if each}
    if len(said) > 1:
        raise UsageError(f"the streams are of dialects {' and '.join(map(repr, said))}: give one as dialect=")
    return next(iter(said.values()), LOCUS)


def _order(readings: list[Reading]) -> tuple[int, list[str]]:
    return len(readings), [reading.content for reading in readings]


@dataclass(frozen=True, slots=True)
class _Match:
    """Hold which events belong together: in order and alike, alike elsewhere, elsewhere by chance, or replaced."""

    alike: Pairs
    moved: Pairs
    by_chance: Pairs
    replaced: Pairs

    def mirrored(self) -> "_Match":
        return _Match(*(sorted((right, left) for left, right in pairs) for pairs in self.parts()))

    def parts(self) -> tuple[Pairs, Pairs, Pairs, Pairs]:
        return self.alike, self.moved, self.by_chance, self.replaced


def _placer(match: _Match) -> Callable[[Difference], tuple[int, bool, bool, int, str]]:
    """Return what says where a difference stands in both streams: behind how many pairs that are in order."""
    pairs = sorted(match.alike + match.replaced)
    rights = [right for _, right in pairs]

    def place(difference: Difference) -> tuple[int, bool, bool, int, str]:
        old, new, changed = difference.old_index, difference.new_index, difference.kind is Kind.CHANGED
        if old is None:
            return bisect_left(rights, new or 0), changed, True, new or 0, difference.path
        return bisect_left(pairs, (old, -1)), changed, False, old, difference.path

    return place


def _match(old: list[Reading], new: list[Reading], *, any_order: bool) -> _Match:
    alike: Pairs = []
    for key in _FINE:
        alike = _filled(alike, old, new, key, without=[])
    elsewhere = _elsewhere(alike, old, new)
    crossed = {pair: _crossed(pair, alike, elsewhere) for pair in elsewhere}
    by_chance = [
        pair
        for pair, others in crossed.items()
        if not others or (any_order and _is_chance(old[pair[0]].tool, [old[left].tool for left in others]))
    ]
    moved = sorted(set(elsewhere) - set(by_chance))
    replaced = alike
    for key in _COARSE:
        replaced = _filled(replaced, old, new, key, without=elsewhere)
    return _Match(alike, moved, by_chance, sorted(set(replaced) - set(alike)))


def _filled(
    pairs: Pairs, old: list[Reading], new: list[Reading], key: Callable[[Reading], Hashable], *, without: Pairs
) -> Pairs:
    """Return pairs with those added that a key finds between them; `without` is what has its place already."""
    taken_old, taken_new = {left for left, _ in without}, {right for _, right in without}
    found: Pairs = []
    start = (0, 0)
    for stop in [*pairs, (len(old), len(new))]:
        lefts = [index for index in range(start[0], stop[0]) if index not in taken_old]
        rights = [index for index in range(start[1], stop[1]) if index not in taken_new]
        if lefts and rights:
            # All gaps together take what one search may take.
            share = MAX_STEPS * (len(lefts) + len(rights)) // (len(old) + len(new))
            aligned = align(
                [key(old[index]) for index in lefts], [key(new[index]) for index in rights], max_steps=share
            )
            found += [(lefts[left], rights[right]) for left, right in aligned]
        start = (stop[0] + 1, stop[1] + 1)
    return sorted(pairs + found)


def _elsewhere(alike: Pairs, old: list[Reading], new: list[Reading]) -> Pairs:
    """Return which of the other events are in both streams, but at another place."""
    rest_old = sorted(set(range(len(old))) - {left for left, _ in alike})
    rest_new = sorted(set(range(len(new))) - {right for _, right in alike})
    found: Pairs = []
    for key in _FINE:
        places: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for index in rest_new:
            places[key(new[index])].append(index)
        pairs = [(index, places[key(old[index])].popleft()) for index in rest_old if places[key(old[index])]]
        rest_old = sorted(set(rest_old) - {left for left, _ in pairs})
        rest_new = sorted(set(rest_new) - {right for _, right in pairs})
        found += pairs
    return sorted(found)


def _crossed(pair: tuple[int, int], alike: Pairs, elsewhere: Pairs) -> list[int]:
    """Return the old positions of what an event overtook, or was overtaken by; of those near to it."""
    found = []
    for pairs in (alike, elsewhere):
        at = bisect_left(pairs, pair)
        near = pairs[max(0, at - NEAR) : at + NEAR]
        found += [left for left, right in near if (left - pair[0]) * (right - pair[1]) < 0]
    return found


def _is_chance(tool: str | None, crossed: list[str | None]) -> bool:
    """Say whether an event goes on with an open tool, or ends it, and crossed only such events of other tools."""
    return tool is not None and len(crossed) < NEAR and not {None, tool}.intersection(crossed)


def _differences(match: _Match, old: list[Reading], new: list[Reading]) -> Iterator[Difference]:
    for left, right in match.moved:
        yield Difference(Kind.MOVED, left, right, "$", old[left].event, new[right].event)
    for left, right in match.replaced:
        for path, before, after in changes(old[left].steady, new[right].steady):
            yield Difference(Kind.CHANGED, left, right, path, before, after)
    pairs = sorted(pair for part in match.parts() for pair in part)
    for left in sorted(set(range(len(old))) - {left for left, _ in pairs}):
        yield Difference(Kind.MISSING, left, None, "$", old[left].event, None)
    for right in sorted(set(range(len(new))) - {right for _, right in pairs}):
        yield Difference(Kind.EXTRA, None, right, "$", None, new[right].event)
    yield from _id_differences(pairs, old, new)


def _id_differences(pairs: Pairs, old: list[Reading], new: list[Reading]) -> Iterator[Difference]:
    ids = [(pair, each) for pair in pairs for each in id_pairs(old[pair[0]], new[pair[1]])]
    known = renaming((before, after) for _, (_, before, after) in ids)
    for (left, right), (path, before, after) in ids:
        if known.get(before) != after:
            yield Difference(Kind.CHANGED, left, right, path, before, after)
