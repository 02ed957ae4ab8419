"""A page that shows what an agent does while it does it: one endpoint, one HTML file, no build.

The model is scripted, so that the example needs no key; a real one is asked in its place the same way.
"""

from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playhead import Agent, AsyncSSEHandler, ScriptedModel, create_sse_response_headers
from playhead.scripts import call, say

FORECASTS = {"Lisbon": "21 °C and clear", "Bergen": "9 °C and rain"}


async def weather(city: str) -> str:
    """Look up tomorrow's weather."""
    await anyio.sleep(0.4)
    if city not in FORECASTS:
        raise LookupError(f"no forecast for {city}")
    return FORECASTS[city]


async def trains(city: str) -> str:
    """Look up when the night train leaves."""
    await anyio.sleep(0.7)
    return f"{city}: 21:43, platform 4"


def model(city: str) -> ScriptedModel:
    """Return a model that asks two tools at once, and then advises."""
    known = f"Yes. {city} has {FORECASTS.get(city)} tomorrow.\nThe night train leaves at 21:43 from platform 4."
    look = say("I will look at the weather and the trains.", chunks=9, pause_s=0.04)
    advice = say(known if city in FORECASTS else f"I found no forecast for {city}.", chunks=16, pause_s=0.05)
    return ScriptedModel([[look, call("weather", city=city), call("trains", city=city)], advice])


async def feed(handler: AsyncSSEHandler, city: str) -> None:
    """Run the agent, and tell the handler how it ends."""
    try:
        async for event in Agent(model(city), [weather, trains]).run(f"Shall I go to {city}?"):
            await handler.on_event(event)
    except Exception as error:
        await handler.on_error(error)
    else:
        await handler.on_complete()


class Stream:
    """Answer with the events of a run as they occur."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. The agent stops when its client has left."""
        handler = AsyncSSEHandler(heartbeat_s=15)
        response = StreamingResponse(handler.stream(), headers=create_sse_response_headers())
        async with anyio.create_task_group() as group:
            group.start_soon(feed, handler, Request(scope).query_params.get("city", "Lisbon"))
            await response(scope, receive, send)
            group.cancel_scope.cancel()


async def page(request: Request) -> FileResponse:
    return FileResponse(Path(__file__).with_name("page.html"))


app = Starlette(routes=[Route("/", page), Route("/stream", Stream())])
