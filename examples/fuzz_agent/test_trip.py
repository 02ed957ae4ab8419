"""Both keep every promise, and a bug that was found once stays away."""

from page_handler import PageHandler
from trip_agent import make_agent

from playhead.scripts import hang, turn
from playhead.testing import AgentSuite, HandlerSuite, assert_agent


class TestAgent(AgentSuite):
    """One test for each promise of an agent."""

    factory = make_agent


class TestHandler(HandlerSuite):
    """One test for each promise of a handler."""

    factory = PageHandler


def test_gives_up_on_silence() -> None:
    """As `playhead fuzz agent` printed it, before there was a deadline."""
    turns = [
        turn(hang()),
    ]
    assert_agent(make_agent, turns, keeps="gives-up-on-silence", dialect="locus")
