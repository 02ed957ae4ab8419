"""What the real SDKs make of each fault: the class of what they raise, and the pieces that came before it."""

import json
from collections.abc import Mapping

import anthropic
import httpx2
import openai
import pytest
from google.genai import errors as google

from playhead.models.scripted import Scripted, ScriptedModel
from playhead.provider.serving import serve_model
from playhead.scripts import (
    BadRequest,
    Overloaded,
    RateLimit,
    ServerError,
    Unauthorized,
    cut,
    fail,
    garbage,
    hang,
    turn,
)
from tests.provider.peers import (
    ASKS,
    CHAT_MESSAGES,
    CLAUDE_MESSAGES,
    MODEL,
    QUESTION,
    TIMEOUT_S,
    claude,
    open_ai,
)
from tests.provider.turns import SPOKEN

ALL = ["ab", "cd", "ef", "gh"]
HALF = ["ab", "cd"]

Outcome = tuple[list[str], type[Exception] | None]
"""The pieces that arrive, and what is raised then."""

REFUSALS: dict[str, tuple[Scripted, tuple[type[Exception], ...]]] = {
    "429": (
        fail(RateLimit()),
        (openai.RateLimitError, openai.RateLimitError, anthropic.RateLimitError, google.ClientError),
    ),
    "529": (
        fail(Overloaded()),
        (openai.InternalServerError, openai.InternalServerError, anthropic.OverloadedError, google.ServerError),
    ),
    "500": (
        fail(ServerError()),
        (openai.InternalServerError, openai.InternalServerError, anthropic.InternalServerError, google.ServerError),
    ),
    "400": (
        fail(BadRequest()),
        (openai.BadRequestError, openai.BadRequestError, anthropic.BadRequestError, google.ClientError),
    ),
    "401": (
        fail(Unauthorized()),
        (openai.AuthenticationError, openai.AuthenticationError, anthropic.AuthenticationError, google.ClientError),
    ),
    "cut": (
        cut(),
        (
            openai.APIConnectionError,
            openai.APIConnectionError,
            anthropic.APIConnectionError,
            httpx2.RemoteProtocolError,
        ),
    ),
}
"""A fault before the first piece: what is raised by chat, responses, anthropic and gemini."""

STREAMS: dict[str, tuple[Scripted, tuple[Outcome, ...]]] = {
    "overloaded": (
        turn(SPOKEN, fail(Overloaded(), at=2)),
        (
            (HALF, openai.APIError),
            (HALF, openai.APIError),
            (HALF, anthropic.APIStatusError),
            (HALF, google.ServerError),
        ),
    ),
    "rate limit": (
        turn(SPOKEN, fail(RateLimit(), at=2)),
        (
            (HALF, openai.APIError),
            (HALF, openai.APIError),
            (HALF, anthropic.APIStatusError),
            (HALF, google.ClientError),
        ),
    ),
    "cut": (
        turn(SPOKEN, cut(at=2)),
        (
            (HALF, openai.APIConnectionError),
            (HALF, openai.APIConnectionError),
            (HALF, httpx2.RemoteProtocolError),
            (HALF, httpx2.RemoteProtocolError),
        ),
    ),
    "clean cut": (turn(SPOKEN, cut(at=2, clean=True)), ((HALF, None),) * 4),
    "clean cut at once": (turn(SPOKEN, cut(at=0, clean=True)), (([], None),) * 4),
    "byte order mark": (
        turn(garbage(b"\xef\xbb\xbf"), SPOKEN),
        # What is lost is what opens the stream, and nobody misses it.
        ((ALL, None), (ALL, None), (ALL, None), ([], google.UnknownApiResponseError)),
    ),
    "no UTF-8": (
        turn(SPOKEN, garbage(b"\xff\xfe", at=2)),
        (
            (HALF, UnicodeDecodeError),
            (HALF, UnicodeDecodeError),
            (HALF, UnicodeDecodeError),
            (HALF, google.UnknownApiResponseError),
        ),
    ),
    "no JSON": (
        turn(SPOKEN, garbage(b"data: {no JSON\n\n", at=2)),
        (
            (HALF, json.JSONDecodeError),
            (HALF, json.JSONDecodeError),
            (ALL, None),
            (HALF, google.UnknownApiResponseError),
        ),
    ),
    "an event without data": (
        turn(SPOKEN, garbage(b"event: ping\n\n", at=2)),
        (
            (HALF, json.JSONDecodeError),
            (HALF, json.JSONDecodeError),
            (ALL, None),
            (HALF, google.UnknownApiResponseError),
        ),
    ),
    "an id and a comment": (
        turn(SPOKEN, garbage(b"id: 7\n: ping\n\n", at=2)),
        (
            (HALF, json.JSONDecodeError),
            (HALF, json.JSONDecodeError),
            (ALL, None),
            (HALF, google.UnknownApiResponseError),
        ),
    ),
    "a retry alone": (
        turn(SPOKEN, garbage(b"retry: 5\n\n", at=2)),
        (
            (HALF, json.JSONDecodeError),
            (HALF, json.JSONDecodeError),
            (ALL, None),
            (HALF, google.UnknownApiResponseError),
        ),
    ),
    "a comment": (
        turn(SPOKEN, garbage(b": ping\n\n", at=2)),
        ((ALL, None), (ALL, None), (ALL, None), (HALF, google.UnknownApiResponseError)),
    ),
}
"""A fault in the stream: what chat, responses, anthropic and gemini make of it."""

STALLS: dict[str, tuple[Scripted, tuple[Outcome, ...]]] = {
    "hang before the answer": (
        hang(),
        (
            ([], openai.APITimeoutError),
            ([], openai.APITimeoutError),
            ([], anthropic.APITimeoutError),
            ([], httpx2.ReadTimeout),
        ),
    ),
    "hang in the answer": (
        turn(SPOKEN, hang(at=2)),
        (
            (HALF, openai.APITimeoutError),
            (HALF, openai.APITimeoutError),
            (HALF, httpx2.ReadTimeout),
            (HALF, httpx2.ReadTimeout),
        ),
    ),
}
"""A stall: what they make of it when their timeout is short."""


def outcome(scripted: Scripted, peer: str, timeout_s: float = TIMEOUT_S) -> Outcome:
    """Return what a peer makes of an answer, and check that it asked once."""
    model, pieces = ScriptedModel([scripted]), []
    raised: type[Exception] | None = None
    with serve_model(model) as served:
        try:
            for piece in ASKS[peer](served, timeout_s):
                pieces += [piece]
        except Exception as error:
            raised = type(error)
    model.assert_complete()
    return pieces, raised


def cases(table: Mapping[str, tuple[Scripted, tuple[object, ...]]]) -> list[object]:
    """Return every fault with every peer, and what is expected of the two."""
    return [
        pytest.param(scripted, peer, expected, id=f"{name}-{peer}")
        for name, (scripted, outcomes) in table.items()
        for peer, expected in zip(ASKS, outcomes, strict=True)
    ]


@pytest.mark.parametrize(("scripted", "peer", "expected"), cases(REFUSALS))
def test_a_fault_before_the_first_piece(scripted: Scripted, peer: str, expected: type[Exception]) -> None:
    """A refusal is the exception that each SDK has for its status, and a cut is a lost connection."""
    assert outcome(scripted, peer) == ([], expected)


@pytest.mark.parametrize(("scripted", "peer", "expected"), cases(STREAMS))
def test_a_fault_in_the_stream(scripted: Scripted, peer: str, expected: Outcome) -> None:
    """The pieces before a fault arrive, and then happens what the SDK makes of it, which may be nothing."""
    assert outcome(scripted, peer) == expected


@pytest.mark.parametrize(("scripted", "peer", "expected"), cases(STALLS))
def test_a_stall(scripted: Scripted, peer: str, expected: Outcome) -> None:
    """Nothing comes any more, and the client gives up at its timeout, with the pieces that it had."""
    assert outcome(scripted, peer, 0.5) == expected


@pytest.mark.parametrize("first", [fail(RateLimit(retry_after_s=0.01)), fail(ServerError(retry_after_s=0.01)), cut()])
def test_what_is_tried_again(first: Scripted) -> None:
    """A refusal that may pass, and a connection that is lost before the answer, cost one question more."""
    openai_model, claude_model = ScriptedModel([first, SPOKEN]), ScriptedModel([first, SPOKEN])
    with serve_model(openai_model) as served, open_ai(served, retries=2) as client:
        client.chat.completions.create(model=MODEL, messages=CHAT_MESSAGES)
    with serve_model(claude_model) as served, claude(served, retries=2) as other:
        other.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=9)
    for model in (openai_model, claude_model):
        model.assert_complete()
        assert model.call_count == 2


def test_a_refusal_that_does_not_pass() -> None:
    """After as many tries as the client allows, the SDK raises."""
    model = ScriptedModel([fail(RateLimit(retry_after_s=0.01))] * 6)
    with serve_model(model) as served:
        with open_ai(served, retries=2) as client, pytest.raises(openai.RateLimitError):
            client.responses.create(model=MODEL, input=QUESTION)
        assert model.call_count == 3
        with claude(served, retries=2) as other, pytest.raises(anthropic.RateLimitError):
            other.messages.create(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=9)
    model.assert_complete()


def test_a_clean_cut_in_the_helpers() -> None:
    """Those of responses find that the end is missing; the others take what there is for the answer."""
    model = ScriptedModel([turn(SPOKEN, cut(at=2, clean=True))] * 3)
    with serve_model(model) as served:
        with open_ai(served) as client:
            with client.chat.completions.stream(model=MODEL, messages=CHAT_MESSAGES) as completions:
                assert completions.get_final_completion().choices[0].message.content == "abcd"
            with (
                client.responses.stream(model=MODEL, input=QUESTION) as responses,
                pytest.raises(RuntimeError, match=r"response\.completed"),
            ):
                responses.get_final_response()
        with (
            claude(served) as other,
            other.messages.stream(model=MODEL, messages=CLAUDE_MESSAGES, max_tokens=9) as messages,
        ):
            assert messages.get_final_text() == "abcd"
    model.assert_complete()
