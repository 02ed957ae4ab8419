"""Any entries and any values, for properties of cassettes."""

from hypothesis import strategies as st

from playhead.cassettes.format import Entry
from playhead.events.tagged import dumps

_NAMES = st.text("abcrtz019_", min_size=1, max_size=8)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)

ANY_ENTRIES = st.lists(
    st.builds(
        Entry,
        st.integers(0, 2**53),
        st.sampled_from(["event", "model", "wire"]),
        _NAMES,
        _NAMES,
        (VALUES | st.floats() | st.binary(max_size=5)).map(dumps),
    ),
    max_size=8,
)
"""Lists of entries of any track, whose data is any JSON."""
