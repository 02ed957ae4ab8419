"""The strategy for texts.

Knows which texts are worth a draw. The texts of runs cost none: a walk takes them out of a pool.
"""

from hypothesis import strategies as st

from playhead.walks.texts import SURROGATES, TEXTS


def texts() -> st.SearchStrategy[str]:
    """Return a strategy for texts: those that broke something before, and any other ones, with lone surrogates."""
    return st.one_of(st.sampled_from(TEXTS + SURROGATES), st.text(st.characters(codec=None), max_size=20))
