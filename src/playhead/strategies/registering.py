"""Strategies by type: what Hypothesis draws where a test asks for one of Playhead's own classes.

Knows which class is whose. The strategies themselves are made when they are first asked for.
"""

from typing import Any, Final, get_args

from hypothesis import strategies as st

from playhead.events.agui import AguiEvent
from playhead.events.anthropic import MessagesEvent
from playhead.events.gemini import GeminiEvent
from playhead.events.locus import AgentEvent
from playhead.events.openai import ChatEvent, ResponsesEvent
from playhead.events.shipit import ShipitEvent
from playhead.events.turns import Turn as TurnEvents
from playhead.handlers.base import StreamHandler
from playhead.scripts.turn import Turn
from playhead.sse.message import SSEMessage
from playhead.strategies.handling import handlers
from playhead.strategies.running import events_of_class
from playhead.strategies.scripting import turns
from playhead.strategies.streams import messages

EVENTS: Final[dict[type, str]] = {
    **dict.fromkeys(get_args(AgentEvent), "locus"),
    **dict.fromkeys(get_args(TurnEvents), "turns"),
    ShipitEvent: "shipit",
    AguiEvent: "agui",
    ChatEvent: "openai.chat",
    ResponsesEvent: "openai.responses",
    MessagesEvent: "anthropic.messages",
    GeminiEvent: "gemini",
}
"""The classes of events, and whose they are."""


def register() -> None:
    """Let `st.from_type` draw events of each class, handlers, turns and messages. To do so again changes nothing."""
    for kind in EVENTS:
        st.register_type_strategy(kind, _draw)
    st.register_type_strategy(StreamHandler, lambda _: handlers())
    st.register_type_strategy(Turn, lambda _: turns())
    st.register_type_strategy(SSEMessage, messages)


def _draw(kind: type[Any]) -> st.SearchStrategy[Any]:
    return events_of_class(EVENTS[kind], kind)


register()
