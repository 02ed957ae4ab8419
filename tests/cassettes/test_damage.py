"""What is wrong with a cassette: how much of it is intact, and whether a crash explains the rest."""

import pytest

from playhead.cassettes.damage import Damage, advise, find_damage
from playhead.errors import CorruptCassette, TornCassette
from tests.cassettes.tapes import sealed_lines

LINES = sealed_lines()


def test_a_whole_cassette_has_no_damage() -> None:
    """Where every line and the seal are right, nothing is found."""
    assert find_damage("tape", iter(LINES)) is None


@pytest.mark.parametrize("kept", range(1, len(LINES)))
def test_the_intact_part_is_measured(kept: int) -> None:
    """Lines and bytes before the damage are counted, whatever comes behind it."""
    size = sum(map(len, LINES[:kept]))
    for tail, is_torn in (([], True), ([b"{half"], True), ([b"{bad}\n"], False), ([b"{bad}\n", *LINES[kept:]], False)):
        found = find_damage("tape", iter([*LINES[:kept], *tail]))
        assert found is not None
        assert (found.lines, found.size, found.is_torn) == (kept, size, is_torn)
        assert found.reason.startswith(f"tape:{kept + 1}: at byte {size}: ")
        assert isinstance(found.error(), TornCassette if is_torn else CorruptCassette)


def test_a_source_that_fails_is_damage() -> None:
    """What a store finds wrong with a line counts as damage there."""

    def lines() -> object:
        yield LINES[0]
        raise CorruptCassette("tape:2: too long")

    found = find_damage("tape", lines())  # type: ignore[arg-type]
    assert found == Damage("tape", 1, len(LINES[0]), "tape:2: too long", is_torn=False)


def test_advice_depends_on_the_damage() -> None:
    """What was torn is recorded again; what is corrupt can be restored."""
    assert advise("x.jsonl", is_torn=True) == "Record it again, or copy what is intact: playhead repair x.jsonl"
    assert advise("x.jsonl").startswith("Restore it")
