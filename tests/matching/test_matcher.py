"""A question finds its recorded call by what it asks, and a miss explains itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import ReplayMismatch, UsageError
from playhead.matching.exchange import Exchange
from playhead.matching.matcher import Matcher
from playhead.matching.normalise import normaliser


def asked(*contents: str, **more: Any) -> dict[str, Any]:
    """Return a question with these messages."""
    return {"messages": [{"role": "user", "content": content} for content in contents], **more}


def recorded(*requests: dict[str, Any], kind: str = "request") -> list[Exchange]:
    """Return recorded calls of these questions."""
    return [Exchange(f"c{n}", kind, request, at_us=n, begun=n) for n, request in enumerate(requests, 1)]


@given(st.permutations(range(6)))
def test_the_order_of_asking_does_not_matter(order: list[int]) -> None:
    """Parallel calls cannot swap answers: each question gets its own."""
    calls = recorded(*(asked(str(n)) for n in range(6)))
    matcher = Matcher(calls)
    assert [matcher.take(asked(str(n))).call for n in order] == [f"c{n + 1}" for n in order]
    matcher.assert_complete()


def test_equal_questions_get_their_answers_in_recorded_order() -> None:
    """A retry gets the second answer, and a third one has none."""
    matcher = Matcher(recorded(asked("a"), asked("b"), asked("a")))
    assert [matcher.take(asked("a")).call for _ in range(2)] == ["c1", "c3"]
    with pytest.raises(ReplayMismatch, match="the model was asked the same 3 times, and the recording has 2"):
        matcher.take(asked("a"))


def test_a_miss_shows_the_nearest_call_and_what_moved() -> None:
    """The one that shares most of the conversation is near, though others differ in fewer fields."""
    matcher = Matcher(recorded(asked("x"), asked("a", "b", "c", model="m1"), asked("a", "y", "z")), where="trip.jsonl")
    with pytest.raises(ReplayMismatch) as caught:
        matcher.take(asked("a", "b", "d", model="m2"))
    assert str(caught.value) == (
        "trip.jsonl: the model was asked what the recording does not have. The nearest is c2, and these differ "
        '(recorded -> asked):\n  $.messages[2].content: "c" -> "d"\n  $.model: "m1" -> "m2"'
    )


def test_a_miss_is_raised_again_at_the_end() -> None:
    """Agents catch broadly; a test must not pass for it."""
    matcher = Matcher(recorded(asked("a")))
    matcher.take(asked("a"))
    with pytest.raises(ReplayMismatch) as caught:
        matcher.take(asked("b"))
    with pytest.raises(ReplayMismatch) as again:
        matcher.assert_complete()
    assert again.value is caught.value


def test_calls_that_nobody_made_are_named() -> None:
    """The end says how many, and which."""
    matcher = Matcher(recorded(asked("a"), {"body": {"input": "hi"}, "path": "/v1/responses"}))
    with pytest.raises(ReplayMismatch, match=r'2 of 2 calls were not made: c1 \("a"\) and c2 \(/v1/responses'):
        matcher.assert_complete()


def test_a_model_is_not_a_tool() -> None:
    """A tool's call does not answer a model's question of the same content."""
    matcher = Matcher(recorded({"name": "search"}, kind="tool_call"))
    with pytest.raises(ReplayMismatch, match="it has no call of a model at all"):
        matcher.take({"name": "search"})
    assert matcher.take({"name": "search"}, "tool_call").call == "c1"


@pytest.mark.parametrize(
    ("ignore", "old", "new"),
    [
        ((), {"headers": [["a", "b"]]}, {"headers": []}),
        ((), {"messages": ["<openai-key-1>"]}, {"messages": ["<openai-key-2>"]}),
        (["uuids"], {"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}, {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}),
        (["times"], {"text": "it is 2026-01-01T10:00:00Z"}, {"text": "it is 2027-12-31T23:59:59.5+01:00"}),
        (["call_ids"], {"a": {"id": "x"}, "b": {"call_id": "x"}}, {"a": {"id": "y"}, "b": {"call_id": "y"}}),
        (["$.body.temperature"], {"body": {"temperature": 1}}, {"body": {}}),
        (["$.body.*.seed"], {"body": {"x": {"seed": 1}, "y": [1]}}, {"body": {"x": {}, "y": [1]}}),
        ([lambda request: {}], {"a": 1}, {"b": 2}),
    ],
)
def test_what_may_vary_is_named(ignore: list[Any], old: dict[str, Any], new: dict[str, Any]) -> None:
    """With the normaliser the two are the same question; without it they are not, unless it never counts."""
    assert Matcher(recorded(old), ignore=ignore).take(new).call == "c1"
    if ignore:
        with pytest.raises(ReplayMismatch):
            Matcher(recorded(old)).take(new)


def test_ids_that_are_used_otherwise_are_another_question() -> None:
    """Which id is which still counts, however they are spelled."""
    even = normaliser(["call_ids"])
    assert even({"a": {"id": "x"}, "b": {"id": "x"}}) != even({"a": {"id": "x"}, "b": {"id": "y"}})


def test_an_unknown_normaliser_is_refused() -> None:
    """The error lists the known ones, and offers the nearest."""
    with pytest.raises(UsageError, match=r"no normaliser 'uuid': there are .*; did you mean 'uuids'?"):
        normaliser(["uuid"])
