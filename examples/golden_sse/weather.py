"""An endpoint that streams what an agent does: a Starlette application, an agent, and an `AsyncSSEHandler`.

The model is scripted, so that the example needs no key; a real one is asked in its place the same way.
"""

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playhead import Agent, AsyncSSEHandler, ScriptedModel
from playhead.scripts import Overloaded, call, fail
from playhead.sse.headers import create_sse_response_headers

SCRIPTS = {
    "Paris?": [call("weather", city="Paris"), "Take an umbrella."],
    "Atlantis?": [call("weather", city="Atlantis"), fail(Overloaded())],
}


def weather(city: str) -> str:
    """Look out of the window."""
    return f"rain in {city}"


async def feed(handler: AsyncSSEHandler, prompt: str) -> None:
    """Run the agent, and tell the handler how it ends."""
    try:
        async for event in Agent(ScriptedModel(SCRIPTS[prompt]), [weather]).run(prompt):
            await handler.on_event(event)
    except Exception as error:
        await handler.on_error(error)
    else:
        await handler.on_complete()


class Stream:
    """Answer with the events of a run as they occur."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. The agent stops when its client has left."""
        handler = AsyncSSEHandler()
        response = StreamingResponse(handler.stream(), headers=create_sse_response_headers())
        async with anyio.create_task_group() as group:
            group.start_soon(feed, handler, Request(scope).query_params["prompt"])
            await response(scope, receive, send)
            group.cancel_scope.cancel()


app = Starlette(routes=[Route("/stream", Stream())])
