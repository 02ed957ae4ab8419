"""A turn's parts become steps, in order, with each fault where it belongs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import UsageError
from playhead.scripts import (
    Begin,
    Call,
    Cut,
    End,
    Fail,
    Hang,
    Pause,
    Piece,
    RateLimit,
    Say,
    Stop,
    Turn,
    Usage,
    call,
    cut,
    fail,
    garbage,
    hang,
    pause,
    raw_call,
    say,
    stop,
    think,
    turn,
    usage,
)


def outline(script: Turn) -> list[object]:
    """Return the steps in short: the pieces as text, the rest as they are, without beginnings and ends."""
    return [
        step.text if isinstance(step, Piece) else step for step in script.steps() if not isinstance(step, Begin | End)
    ]


def test_parts_stream_in_order_and_the_turn_says_why_it_stops() -> None:
    """Text, then a call, then the usage and the reason: a call means that the tools are to run."""
    steps = list(turn(say("Hello", chunks=2), call("search", q="x")).steps())
    text, wanted = Say(("He", "llo")), Call("search", ('{"q":"x"}',), "call_1")
    assert steps == [
        Begin(0, text),
        Piece(0, text, "He"),
        Piece(0, text, "llo"),
        End(0, text),
        Begin(1, wanted),
        Piece(1, wanted, '{"q":"x"}'),
        End(1, wanted),
        Usage(0, 3),
        Stop("tool_calls"),
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (turn("a", cut()), ["a", Cut()]),
        (turn(say("ab", chunks=2), cut(at=1)), ["a", Cut(at=1)]),
        (turn(cut(at=0), say("ab", chunks=2)), [Cut(at=0)]),
        (turn(say("ab", chunks=2), hang(at=2)), ["a", "b", Hang(at=2)]),
        (turn("a", pause(2), "b"), ["a", Pause(2), "b", Usage(0, 2), Stop("stop")]),
        (turn(say("ab", chunks=2, pause_s=3)), [Pause(3), "a", Pause(3), "b", Usage(0, 2), Stop("stop")]),
        (turn(fail(RateLimit(retry_after_s=2)), "never"), [Fail(RateLimit(retry_after_s=2))]),
        (turn("a", garbage(b"!", at=0)), [garbage(b"!", at=0), "a", Usage(0, 1), Stop("stop")]),
        (turn("a", usage(5, 7), stop("length")), ["a", Usage(5, 7), Stop("length")]),
        (turn("a", call("x"), "b"), ["a", "{}", "b", Usage(0, 3), Stop("tool_calls")]),
    ],
)
def test_what_happens_on_the_way_happens_there(script: Turn, expected: list[object]) -> None:
    """A fault comes where it stands, or after as many pieces as it says; after the last ones nothing comes."""
    assert outline(script) == expected


def test_a_fault_at_the_start_comes_before_anything_begins() -> None:
    """Nothing has begun yet, so it is a refused request and no broken stream."""
    assert list(turn(say("a"), fail(RateLimit(), at=0)).steps()) == [Fail(RateLimit(), at=0)]


def test_calls_are_numbered_through_the_script_unless_they_have_an_id() -> None:
    """`first_call` goes on where the turn before left off."""
    steps = turn(call("a"), call("b").with_id("mine"), call("c")).steps(first_call=4)
    assert [step.part.id for step in steps if isinstance(step, Begin) and isinstance(step.part, Call)] == [
        "call_4",
        "mine",
        "call_5",
    ]


@given(st.text(), st.integers(1, 40))
def test_a_text_in_any_number_of_chunks_is_the_same_text(text: str, chunks: int) -> None:
    """Cutting loses nothing, and gives as many pieces as were asked for, of even length."""
    pieces = say(text, chunks=chunks).pieces
    assert "".join(pieces) == text
    assert len(pieces) == chunks
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 1


@given(st.integers(0, 6), st.integers(1, 6))
def test_a_cut_lets_just_so_many_pieces_through(at: int, chunks: int) -> None:
    """`at` counts pieces, over all parts."""
    parts = (think("thinking", chunks=chunks), say("speaking", chunks=chunks))
    steps = turn(*parts, cut(at=min(at, 2 * chunks))).steps()
    assert sum(isinstance(step, Piece) for step in steps) == min(at, 2 * chunks)


def test_malformed_arguments_are_sent_as_they_are() -> None:
    """The text of a raw call is no JSON, on purpose; that of another is."""
    assert (raw_call("search", '{"q": ').text, raw_call("search", '{"q": ').arguments) == ('{"q": ', None)
    assert call("search", q="é").in_chunks(3).arguments == {"q": "é"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: say("ab", chunks=["a"]), r"the chunks \('a',\) do not add up to the text 'ab'"),
        (lambda: say("ab", chunks=0), "chunks=0: a text streams in at least one piece"),
        (lambda: turn("ab", cut(at=2)), "the turn has 1 pieces, so `at` is from 0 to 1"),
        (lambda: turn(3), "3 is no part of a turn"),  # type: ignore[arg-type]
        (lambda: call("f", x=object()), "the arguments of 'f' have no JSON form"),
        (lambda: call("f", x=float("nan")), "the arguments of 'f' have no JSON form"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(make: object, message: str) -> None:
    """The error says what is wrong, when the script is written and not when it is played."""
    with pytest.raises(UsageError, match=message):
        make()  # type: ignore[operator]
