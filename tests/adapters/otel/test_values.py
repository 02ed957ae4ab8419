"""What a run holds becomes values that every exporter takes, and content is told only on request."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("opentelemetry.sdk.trace", reason="opentelemetry-sdk is not installed")

from playhead.adapters.otel import Name
from playhead.adapters.otel.values import MAX_COLUMNS, tidy, tokens, wall_ns, whole
from playhead.agent.agent import Agent
from playhead.clocks.virtual import VirtualClock
from playhead.events.locus import AgentEvent
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import RateLimit, call, fail, say, turn
from playhead.text import columns
from tests.adapters.otel.watching import Watch, attributes

SECRETS = {
    "prompt": "hunter-prompt",
    "answer": "hunter-answer",
    "argument": "hunter-argument",
    "result": "hunter-result",
    "error": "hunter-error",
    "fault": "hunter-fault",
    "metadata": "hunter-metadata",
}


@given(st.text(st.characters()))
@example("\ud800\x1b[2J\n")
def test_tidy_names_are_short_and_whole(text: str) -> None:
    """They are one line that any encoding of Unicode takes."""
    told = tidy(text)
    told.encode()
    assert told.isprintable() or not told.isascii()
    assert "\n" not in told
    assert columns(told) <= MAX_COLUMNS


@given(st.text(st.characters()))
@example("\ud800")
def test_whole_content_loses_nothing(text: str) -> None:
    """Text that can be encoded is as it was; of other text the lone surrogates are shown."""
    told = whole(text)
    told.encode()
    assert told == text or any("\ud800" <= character <= "\udfff" for character in text)


@pytest.mark.parametrize(
    ("usage", "numbers"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, (7, 3)),
        ({"input_tokens": 7, "output_tokens": 3}, (7, 3)),
        ({"prompt_tokens": 0}, (0, None)),
        ({"prompt_tokens": "many", "completion_tokens": -1}, (None, None)),
        ({"prompt_tokens": True, "completion_tokens": 1.5}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_tokens_are_numbers(usage: dict[str, Any], numbers: tuple[int | None, int | None]) -> None:
    """Whatever a model says of its usage, by whichever name."""
    told = tokens(usage)
    assert (told.get(Name.INPUT_TOKENS), told.get(Name.OUTPUT_TOKENS)) == numbers


def test_times_are_exact() -> None:
    """To the microsecond: a float of seconds since 1970 would not be."""
    clock = VirtualClock(datetime(2030, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC))
    assert wall_ns(clock) == 1_893_456_000_999_999_000


async def read(events: AsyncGenerator[AgentEvent, None]) -> None:
    """Run to the end."""
    async for _ in events:
        pass


async def tell_secrets(watch: Watch) -> None:
    """Run an agent whose prompts, answers, tools and faults all hold a secret."""

    def fetch(key: str) -> str:
        return SECRETS["result"]

    def lose(key: str) -> str:
        raise LookupError(SECRETS["error"])

    calls = turn(say(SECRETS["answer"]), *(call(name, key=SECRETS["argument"]) for name in ("fetch", "lose")))
    script: list[Scripted] = [calls, fail(RateLimit(message=SECRETS["fault"]))]
    agent = Agent(ScriptedModel(script), [fetch, lose], system_prompt=SECRETS["prompt"], hooks=[watch.hook])
    await read(agent.run(SECRETS["prompt"], metadata={"note": SECRETS["metadata"]}))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, set()),
        ({"record_arguments": True}, {"argument"}),
        ({"record_results": True}, {"result", "error", "fault"}),
        ({"record_arguments": True, "record_results": True}, {"argument", "result", "error", "fault"}),
    ],
)
async def test_content_is_told_on_request_alone(options: dict[str, Any], told: set[str]) -> None:
    """No span, event, status or metric holds a secret that was not asked for; prompts and answers are nowhere ever."""
    watch = Watch(**options)
    await tell_secrets(watch)
    everything = watch.everything()
    assert "gen_ai.execute_tool.duration" in everything
    assert {name for name, secret in SECRETS.items() if secret in everything} == told


@pytest.mark.anyio
async def test_content_has_the_names_of_the_conventions() -> None:
    """Arguments are JSON; the text of an error is the description of the span's status."""
    watch = Watch(record_arguments=True, record_results=True)
    await tell_secrets(watch)
    fetch, lose = watch.span("execute_tool fetch"), watch.span("execute_tool lose")
    assert json.loads(attributes(fetch)["gen_ai.tool.call.arguments"]) == {"key": SECRETS["argument"]}
    assert attributes(fetch)["gen_ai.tool.call.result"] == SECRETS["result"]
    assert lose.status.description == f"LookupError: {SECRETS['error']}"
    assert "gen_ai.tool.call.result" not in attributes(lose)
