"""A small agent: it asks a model, runs the tools that the model wants, and tells what it does as events."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import count
from typing import Any

Ask = Callable[[list[dict[str, Any]]], Awaitable[dict[str, Any]]]
Event = dict[str, Any]


async def run(prompt: str, *, ask: Ask, tools: Mapping[str, Callable[..., str]]) -> AsyncIterator[Event]:
    """Yield the events of one run."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    for step in count(1):
        reply = await ask(messages)
        yield {"event_type": "think", "iteration": step, "reasoning": reply["text"]}
        if not reply["calls"]:
            yield {"event_type": "terminate", "reason": "complete", "final_message": reply["text"]}
            return
        messages.append({"role": "assistant", **reply})
        for number, call in enumerate(reply["calls"], 1):
            named = {"tool_name": call["tool"], "tool_call_id": f"call_{step}_{number}"}
            yield {"event_type": "tool_start", **named, "arguments": call["arguments"]}
            result = tools[call["tool"]](**call["arguments"])
            yield {"event_type": "tool_complete", **named, "result": result}
            messages.append({"role": "tool", "content": result})


def weather(city: str) -> str:
    """Say how the weather is. A real tool asks a service."""
    return {"Oslo": "rain", "Rome": "sun"}[city]
