"""How OpenAI Agents asks a model: its two methods of eleven arguments, as one question.

Knows the protocol of the SDK's models, once. Does not know who answers. Importing this module without the SDK raises
`UsageError`.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from playhead.errors import UsageError

try:
    from agents import AgentOutputSchemaBase, Handoff, Model, ModelResponse, ModelSettings, ModelTracing, Tool
    from agents.items import TResponseInputItem, TResponseStreamEvent
except ImportError as _error:
    raise UsageError(
        "this needs OpenAI Agents, which is not installed: pip install 'playhead[openai-agents]'"
    ) from _error


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model is asked with. `others` are the arguments that the SDK passes by name only."""

    instructions: str | None
    given: str | list[TResponseInputItem]
    settings: ModelSettings
    tools: list[Tool]
    schema: AgentOutputSchemaBase | None
    handoffs: list[Handoff[Any, Any]]
    tracing: ModelTracing
    others: Mapping[str, Any]

    @property
    def positional(self) -> tuple[Any, ...]:
        """Return the arguments in the SDK's order, but for `others`."""
        return (
            self.instructions,
            self.given,
            self.settings,
            self.tools,
            self.schema,
            self.handoffs,
            self.tracing,
        )


class AskedModel(Model):
    """Answer questions that are each one object."""

    @abstractmethod
    async def answer(self, asked: Asked) -> ModelResponse:
        """Return the answer as a whole."""

    @abstractmethod
    def answer_in_events(self, asked: Asked) -> AsyncIterator[TResponseStreamEvent]:
        """Return an iterator over the events of the answer."""

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        **others: Any,
    ) -> ModelResponse:
        """Return the answer as a whole."""
        return await self.answer(
            Asked(system_instructions, input, model_settings, tools, output_schema, handoffs, tracing, others)
        )

    def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        **others: Any,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Return an iterator over the events of the answer."""
        return self.answer_in_events(
            Asked(system_instructions, input, model_settings, tools, output_schema, handoffs, tracing, others)
        )
