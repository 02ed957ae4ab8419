"""Finding a dialect by its name."""

import pytest

from playhead.errors import UsageError
from playhead.events.dialects import DIALECTS, get_dialect


def test_each_is_found_by_its_name() -> None:
    """A name gives its dialect, and a dialect itself."""
    for name, dialect in DIALECTS.items():
        assert get_dialect(name) is dialect
        assert get_dialect(dialect) is dialect
        assert dialect.name == name


def test_an_unknown_name_offers_the_nearest() -> None:
    """An unknown name is an error that says which are known."""
    with pytest.raises(UsageError, match=r"there is no dialect 'lokus': there are .*; did you mean 'locus'"):
        get_dialect("lokus")
    with pytest.raises(UsageError, match=r"'zzz': there are locus, locus\.server, shipit"):
        get_dialect("zzz")
