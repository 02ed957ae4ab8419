"""shipit: Playhead's models as its LLMs.

Knows what shipit's protocol has. Does not know taps. Importing this module without shipit raises `UsageError`.
"""

# shipit carries no types.
# mypy: disable-error-code="import-untyped"

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from anyio.from_thread import start_blocking_portal

from playhead.adapters.shipit.values import asked_of, hand_out, input_piece, question_of, text_piece
from playhead.errors import UsageError
from playhead.models.base import SteppingModel
from playhead.scripts.parts import Call, Say, Stop, Think, Usage
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import End, Piece, Step

try:
    from shipit_agent.llms.base import LLMResponse
    from shipit_agent.models import ToolCall
except ImportError as _error:
    raise UsageError("this needs shipit, which is not installed: pip install 'playhead[shipit]'") from _error


def scripted(model: SteppingModel) -> Any:
    """Return a model of Playhead's as an LLM of shipit's. It raises `ModelFailure` where the model fails."""
    return _ScriptedLLM(model)


class _ScriptedLLM:
    """Answer as a model of Playhead's does."""

    def __init__(self, model: SteppingModel) -> None:
        self._model = model

    def complete(self, messages: Sequence[Any], *, tool_input_callback: Any = None, **options: Any) -> Any:
        """Return the answer, and hand out its pieces as they come. The model's own time passes in a thread."""
        ask = partial(self.acomplete, messages, tool_input_callback=tool_input_callback, **options)
        with start_blocking_portal() as portal:
            return portal.call(ask)

    async def acomplete(self, messages: Sequence[Any], *, tool_input_callback: Any = None, **options: Any) -> Any:
        """Do the same in an event loop. A callback that returns False ends the answer, as in shipit's own LLMs."""
        asked = asked_of(messages, tool_input_callback, False, options)
        answer = LLMResponse()
        async with aclosing(self._model.steps(_request(question_of(asked)))) as steps:
            async for step in steps:
                piece = _told(step, answer)
                if piece is not None and hand_out(piece, asked) is False:
                    break
        return answer


def _request(question: Mapping[str, Any]) -> ModelRequest:
    """Return a question as models of Playhead's are asked."""
    options = dict(question)
    system = options.pop("system_prompt", None)
    messages = ([{"role": "system", "content": system}] if system else []) + options.pop("messages")
    described = [schema.get("function", schema) for schema in options.pop("tools", ())]
    return ModelRequest(messages=tuple(messages), tools=tuple(described), options=options)


def _told(step: Step, answer: Any) -> dict[str, Any] | None:
    """Add a step to an answer. Return the piece that is handed out for it, if there is one."""
    match step:
        case Piece(part=Say(), text=text):
            answer.content += text
            return text_piece(text)
        case Piece(part=Think(), text=text):
            answer.reasoning_content = (answer.reasoning_content or "") + text
        case Piece(part=Call() as call, text=text):
            return input_piece(call.id or "", call.tool, text)
        case End(part=Call() as call):
            arguments = call.arguments if isinstance(call.arguments, dict) else {"_raw": call.text}
            answer.tool_calls.append(ToolCall(call.tool, arguments, call.id or "", len(answer.tool_calls)))
        case Usage(input_tokens=put_in, output_tokens=put_out):
            tokens = {"prompt_tokens": put_in, "completion_tokens": put_out, "total_tokens": put_in + put_out}
            answer.usage.update(tokens)
        case Stop(reason=reason):
            answer.metadata["finish_reason"] = reason
    return None
