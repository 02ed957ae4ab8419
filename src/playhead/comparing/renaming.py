"""Which id of one run is which id of the other.

Ids are made up anew in each run, so two runs are the same if one can be renamed into the other: each old id becomes one
new id, and no two become the same. Does not know where ids stand in an event.
"""

from collections import Counter
from collections.abc import Hashable, Iterable


def renaming(pairs: Iterable[tuple[Hashable, Hashable]]) -> dict[Hashable, Hashable]:
    """Return the one-to-one renaming that most pairs agree with, old id to new id.

    Pairs that occur more often win, and among equals those that occur first. So a single wrong id is one pair that
    disagrees, wherever it stands.
    """
    found: dict[Hashable, Hashable] = {}
    taken: set[Hashable] = set()
    for (old, new), _ in Counter(pairs).most_common():
        if old not in found and new not in taken:
            found[old] = new
            taken.add(new)
    return found
