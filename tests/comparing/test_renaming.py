"""Which id of one run is which id of the other."""

from hypothesis import given
from hypothesis import strategies as st

from playhead.comparing.renaming import renaming

IDS = st.sampled_from(["a", "b", "c", "d"])


@given(pairs=st.lists(st.tuples(IDS, IDS), max_size=12))
def test_it_is_one_to_one(pairs: list[tuple[str, str]]) -> None:
    """No two old ids become the same new one, and the mirrored pairs give the mirrored renaming."""
    found = renaming(pairs)
    assert len(set(found.values())) == len(found)
    assert renaming([(new, old) for old, new in pairs]) == {new: old for old, new in found.items()}


@given(permuted=st.permutations(["a", "b", "c", "d"]), used=st.lists(IDS, max_size=12))
def test_a_consistent_renaming_is_found(permuted: list[str], used: list[str]) -> None:
    """Pairs that all agree give just themselves."""
    table = dict(zip("abcd", permuted, strict=True))
    assert renaming([(each, table[each]) for each in used]) == {each: table[each] for each in used}


def test_the_majority_wins() -> None:
    """One pair that disagrees is left out, even if it comes first."""
    assert renaming([("a", "x"), ("a", "y"), ("a", "y"), ("b", "x")]) == {"a": "y", "b": "x"}
