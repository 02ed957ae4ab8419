"""A growing conversation is stored once, and comes back whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import CassetteError
from playhead.matching.conversation import Conversations, messages_at, unfold

messages = st.lists(st.fixed_dictionaries({"role": st.sampled_from("ua"), "content": st.sampled_from(["", "x", "y"])}))
places = st.sampled_from([lambda m: {"messages": m}, lambda m: {"body": {"model": "m", "input": m}, "path": "/v1"}])
requests = st.builds(lambda place, m: place(m), places, messages)


@given(st.lists(requests, max_size=6))
def test_whatever_is_folded_unfolds(asked: list[dict[str, Any]]) -> None:
    """Any sequence of requests comes back equal, whichever repeats which."""
    conversations = Conversations()
    whole: dict[str, dict[str, Any]] = {}
    for number, request in enumerate(asked):
        folded = conversations.fold(request, f"c{number}")
        whole[f"c{number}"] = unfold(folded, whole)
        assert whole[f"c{number}"] == request


def test_what_is_repeated_is_not_stored_again() -> None:
    """The second request holds its new message only, and says what comes before it."""
    conversations = Conversations()
    conversations.fold({"messages": ["a", "b"]}, "c1")
    folded = conversations.fold({"messages": ["a", "b", "c"]}, "c2")
    assert folded == {"messages": ["c"], "repeats": {"call": "c1", "at": ["messages"], "count": 2}}
    again = conversations.fold({"messages": ["a", "b", "c"]}, "c3")
    assert again == {"messages": [], "repeats": {"call": "c2", "at": ["messages"], "count": 3}}


def test_conversations_of_other_places_are_not_mixed_up() -> None:
    """The same messages elsewhere are another conversation."""
    conversations = Conversations()
    conversations.fold({"messages": ["a"]}, "c1")
    assert conversations.fold({"body": {"messages": ["a"]}}, "c2") == {"body": {"messages": ["a"]}}
    assert messages_at({"body": {"contents": ["a"]}}) == (("body", "contents"), ["a"])
    assert messages_at({"body": {"prompt": "a"}}) == ((), [])


@pytest.mark.parametrize(
    "repeats",
    [
        {"call": "c9", "at": ["messages"], "count": 1},
        {"call": "c1", "at": ["messages"], "count": 2},
        {"call": "c1", "at": ["body"], "count": 1},
        {"call": "c1"},
    ],
)
def test_a_request_that_repeats_what_is_not_there_is_damage(repeats: dict[str, Any]) -> None:
    """A cassette that was edited by hand says so, and does not make up messages."""
    with pytest.raises(CassetteError, match="a request repeats what is not on the tape"):
        unfold({"messages": [], "repeats": repeats}, {"c1": {"messages": ["a"]}})
