"""The names of the semantic conventions for generative AI, as tables.

Knows names, and which of them a kind of span has. Does not know OpenTelemetry.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from playhead.events.spans import Span

CONVENTIONS: Final = "1.38.0"
"""The version of the semantic conventions whose names are used. Metrics of agents and tools came after it."""


class Name(StrEnum):
    """Name an attribute as the conventions do."""

    OPERATION = "gen_ai.operation.name"
    PROVIDER = "gen_ai.provider.name"
    MODEL = "gen_ai.response.model"
    REASONS = "gen_ai.response.finish_reasons"
    INPUT_TOKENS = "gen_ai.usage.input_tokens"
    OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
    TOKEN_TYPE = "gen_ai.token.type"
    CONVERSATION = "gen_ai.conversation.id"
    AGENT = "gen_ai.agent.name"
    AGENT_ID = "gen_ai.agent.id"
    TOOL = "gen_ai.tool.name"
    TOOL_CALL = "gen_ai.tool.call.id"
    ARGUMENTS = "gen_ai.tool.call.arguments"
    RESULT = "gen_ai.tool.call.result"
    SERVICE = "service.name"
    ERROR = "error.type"


class Own(StrEnum):
    """Name an attribute of a run that the conventions do not have."""

    REASON = "playhead.reason"
    RESUMED = "playhead.resumed"
    ITERATIONS = "playhead.iterations"
    ITERATION = "playhead.iteration"
    ATTEMPT = "playhead.attempt"
    ATTEMPTS = "playhead.attempts"
    PAUSED = "playhead.paused"
    UNFINISHED = "playhead.unfinished"


class Metric(StrEnum):
    """Name an instrument: as the conventions do, and two counters that they do not have."""

    TOKENS = "gen_ai.client.token.usage"
    MODEL_DURATION = "gen_ai.client.operation.duration"
    TOOL_DURATION = "gen_ai.execute_tool.duration"
    AGENT_DURATION = "gen_ai.invoke_agent.duration"
    RUNS = "playhead.agent.runs"
    RETRIES = "playhead.agent.retries"


OPERATIONS: Final[Mapping[Span, str]] = {
    Span.MODEL: "chat",
    Span.TOOL: "execute_tool",
    Span.SUBAGENT: "invoke_agent",
}
"""The kinds of span that are an operation of the conventions. Others have the names that they have here."""

ATTRIBUTES: Final[Mapping[Span, tuple[Name, Name]]] = {
    Span.TOOL: (Name.TOOL, Name.TOOL_CALL),
    Span.SUBAGENT: (Name.AGENT, Name.AGENT_ID),
}
"""Where the name and the key of a span go. Those of other kinds are `playhead.name` and `playhead.key`."""

PROVIDERS: Final[Mapping[str, tuple[str, str]]] = {
    "openai.chat": ("openai", "chat"),
    "openai.responses": ("openai", "chat"),
    "anthropic.messages": ("anthropic", "chat"),
    "gemini": ("gcp.gemini", "generate_content"),
}
"""The provider and the operation of a whole run, by dialect. Others are frameworks, whose runs are `invoke_agent`."""

USAGE: Final[Mapping[Name, tuple[str, ...]]] = {
    Name.INPUT_TOKENS: ("prompt_tokens", "input_tokens"),
    Name.OUTPUT_TOKENS: ("completion_tokens", "output_tokens"),
}
"""Where an attribute's number is in what a model says of its usage: under the first of these keys that is there."""
