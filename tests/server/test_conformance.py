"""What the server sends keeps every rule of the wire, and the events in it every rule of events."""

import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest

from playhead.agent.agent import Agent
from playhead.contracts.check import check
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES
from playhead.contracts.wire import WireWatch
from playhead.events.locus import AgentEvent
from playhead.models.scripted import ScriptedModel
from playhead.scripts import call, cut
from tests.server.agents import FunctionAgent, TalkingAgent, asking, chunk
from tests.server.clients import get, run_of, serving, told

EVERY_RULE = [
    rule.code for rule in RULES.values() if rule.code.startswith("WIR") and rule.severity is not Severity.OPT_IN
]


def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


def fails() -> FunctionAgent:
    """Return an agent that raises in the middle."""

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        yield chunk("Hm.")
        raise RuntimeError("no")

    return FunctionAgent(run)


AGENTS: dict[str, Callable[[], Any]] = {
    "healthy": lambda: Agent(ScriptedModel([call("weather", city="Paris"), "Take an umbrella."]), [weather]),
    "model fails": lambda: Agent(ScriptedModel([cut()]), [weather]),
    "fails": fails,
    "paused": asking,
    "slow": lambda: TalkingAgent(0.15),
}


def broken(headers: Iterable[tuple[str, str]], content: bytes) -> list[str]:
    """Return what breaks a rule of the wire, the head included, or of events."""
    head = WireWatch(codes=frozenset(EVERY_RULE)).headers(list(headers))
    return [f"{each.code} {each.message}" for each in [*head, *check(content, dialect="locus")]]


@pytest.mark.parametrize("name", AGENTS)
def test_streams_keep_the_rules(name: str) -> None:
    """A run that is healthy, fails, pauses or takes its time; whole, and behind its first message."""
    with serving(AGENTS[name](), heartbeat_s=0.05) as served:
        whole = get(served, "/stream?prompt=2")
        rest = get(served, "/stream?prompt=2", last_event_id=f"{run_of(whole)}:1")
    assert broken(whole.headers.items(), whole.content) == []
    # A rest does not hold all that `done` counts, nor what its events belong to.
    assert not [
        each for each in broken(rest.headers.items(), rest.content) if each.startswith("WIR") and "WIR012" not in each
    ]
    assert told(rest) == told(whole)[1:]


def test_a_rule_that_is_broken_shows() -> None:
    """A message that is lost from the same bytes is found, and a head that is wrong: these tests can fail."""
    with serving(TalkingAgent()) as served:
        response = get(served, "/stream?prompt=3")
    blocks = response.content.split(b"\n\n")
    found = broken([("content-type", "text/plain")], b"\n\n".join([*blocks[:2], *blocks[3:]]))
    assert {"WIR009", "WIR015"} <= {each.partition(" ")[0] for each in found}


def test_curl_reads_it() -> None:
    """A plain client gets the same bytes, in HTTP/1.1 and in HTTP/1.0."""
    with serving(TalkingAgent()) as served:
        whole = get(served, "/stream?prompt=3")
        url = f"{served.url}/stream?last_event_id={run_of(whole)}:0"
        for version in ("--http1.1", "--http1.0"):
            found = subprocess.run(["curl", "-sN", version, url], capture_output=True, check=True, timeout=60)
            assert messages_of(found.stdout) == messages_of(whole.content)


def messages_of(stream: bytes) -> list[bytes]:
    """Return the blocks of a stream but the first, which tells the time."""
    return stream.split(b"\n\n")[1:]
