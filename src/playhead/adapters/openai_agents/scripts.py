"""Scripts, played as a model of OpenAI Agents.

Knows which error of OpenAI's SDK a failure is. Does not know where steps come from, nor which events of the Responses
API they are: our provider's format does. Importing this module without the SDK raises `UsageError`.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from anyio.lowlevel import checkpoint

from playhead.adapters.openai_agents.asking import Asked, AskedModel
from playhead.adapters.openai_agents.values import REQUEST, handoff_json, load_event, status_error, tool_json
from playhead.errors import ModelFailure, UsageError
from playhead.ids import SequenceIds
from playhead.models.base import SteppingModel
from playhead.provider.formats.base import Head
from playhead.provider.formats.responses import RESPONSES
from playhead.scripts.parts import Garbage
from playhead.scripts.request import ModelRequest
from playhead.sse.parser import SSEParser

try:
    import openai
    from agents import (
        Model,
        ModelBehaviorError,
        ModelResponse,
    )
    from agents import Usage as AgentUsage
    from agents.items import ItemHelpers, TResponseStreamEvent
    from openai.types.responses import Response, ResponseCompletedEvent, ResponseIncompleteEvent
except ImportError as _error:
    raise UsageError(
        "this needs OpenAI Agents, which is not installed: pip install 'playhead[openai-agents]'"
    ) from _error


def scripted(played: SteppingModel, *, name: str = "scripted") -> Model:
    """Return a `ScriptedModel` or a `FunctionModel` as a model of OpenAI Agents.

    What it is asked are messages with `role` and `content`. A `ModelFailure` of it becomes the error of OpenAI's SDK
    that a real model would raise. After a clean cut there is no last event, which the SDK takes for a
    `ModelBehaviorError`.
    """
    return PlayedModel(played, name)


class PlayedModel(AskedModel):
    """Play the steps of a model. Made by `scripted`."""

    def __init__(self, played: SteppingModel, name: str) -> None:
        self.model = name
        self._played = played
        self._ids = SequenceIds()

    async def answer(self, asked: Asked) -> ModelResponse:
        """Return the answer as a whole."""
        async with aclosing(self._events(self._question(asked, is_stream=False))) as events:
            async for event in events:
                if isinstance(event, ResponseCompletedEvent | ResponseIncompleteEvent):
                    return _whole(event.response)
        raise ModelBehaviorError("the script's turn was cut off, and there is no answer")

    def answer_in_events(self, asked: Asked) -> AsyncIterator[TResponseStreamEvent]:
        """Return an iterator over the events of the answer."""
        return self._events(self._question(asked, is_stream=True))

    def _question(self, asked: Asked, *, is_stream: bool) -> ModelRequest:
        first = [{"role": "system", "content": asked.instructions}] if asked.instructions else []
        said = map(_message, ItemHelpers.input_to_new_input_list(asked.given))
        options = {key: value for key, value in asked.settings.to_json_dict().items() if value is not None}
        if asked.schema is not None and not asked.schema.is_plain_text():
            options["output_schema"] = asked.schema.json_schema()
        return ModelRequest(
            messages=(*first, *said),
            tools=(*map(tool_json, asked.tools), *map(handoff_json, asked.handoffs)),
            model=self.model,
            is_stream=is_stream,
            options=options,
        )

    async def _events(self, asked: ModelRequest) -> AsyncGenerator[TResponseStreamEvent]:
        encoder = RESPONSES.encoder(Head(asked, self._ids, self._played.clock.now()))
        is_open = False
        try:
            async with aclosing(self._played.steps(asked)) as steps:
                async for step in steps:
                    if isinstance(step, Garbage):
                        # There is no wire here that could have it.
                        continue
                    # What is refused has not begun.
                    begun, is_open = b"" if is_open else encoder.begin(), True
                    for event in _read(begun + encoder.feed(step)):
                        # The SDK hands events on through a queue, which it drops when the stream fails.
                        await checkpoint()
                        yield event
        except ModelFailure as failure:
            raise error_of(failure) from failure


def _read(data: bytes) -> Iterator[TResponseStreamEvent]:
    """Yield the events in a piece of a stream as the provider would send it."""
    return (load_event(json.loads(message.data)) for message in SSEParser().feed(data))


def _whole(response: Response) -> ModelResponse:
    tokens = response.usage
    usage = AgentUsage(requests=1)
    if tokens is not None:
        usage = AgentUsage(
            requests=1,
            input_tokens=tokens.input_tokens,
            output_tokens=tokens.output_tokens,
            total_tokens=tokens.total_tokens,
        )
    return ModelResponse(output=response.output, usage=usage, response_id=response.id)


def error_of(failure: ModelFailure) -> openai.APIError:
    """Return a failure as the error that OpenAI's SDK raises where our provider refuses with it."""
    if failure.status is None:
        return openai.APIConnectionError(message=str(failure), request=REQUEST)
    status = RESPONSES.status(failure)
    kind = openai.InternalServerError if status >= 500 else _ERRORS.get(status, openai.APIStatusError)
    retry_after = failure.retry_after_s
    return status_error(
        kind,
        f"Error code: {status} - {failure}",
        status=status,
        body=RESPONSES.error(failure, "")["error"],
        headers=None if retry_after is None else {"retry-after": f"{retry_after:g}"},
    )


_ERRORS: Final[Mapping[int, type[openai.APIStatusError]]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
}


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of a conversation with a role and content."""
    match item:
        case {"type": "function_call", "call_id": id, "name": name, "arguments": text}:
            called = {"id": id, "name": name, "arguments": _parsed(text)}
            return {"role": "assistant", "content": "", "tool_calls": [called]}
        case {"type": "function_call_output", "call_id": id, "output": output}:
            return {"role": "tool", "content": _text(output), "tool_call_id": id}
        case {"role": role, "content": content}:
            return {"role": role, "content": _text(content)}
    return {"role": "assistant", "content": "", **item}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(content: Any) -> Any:
    """Return content as text, if there is nothing else in it."""
    if isinstance(content, list) and all(isinstance(part, Mapping) and "text" in part for part in content):
        return "".join(str(part["text"]) for part in content)
    return content
