"""The reference agent, its tools and conditions, and the hooks that watch and steer its runs."""

from playhead.agent.agent import Agent
from playhead.agent.hooks import (
    AfterInvocation,
    AfterIteration,
    AfterModelCall,
    AfterToolCall,
    BeforeInvocation,
    BeforeIteration,
    BeforeModelCall,
    BeforeToolCall,
    HookProvider,
)
from playhead.agent.logs import LoggingHook
from playhead.agent.results import AgentResult
from playhead.agent.sessions import Session
from playhead.agent.state import AgentState, ToolExecution
from playhead.agent.termination import (
    ConfidenceMet,
    CustomCondition,
    MaxIterations,
    NoToolCalls,
    TerminationCondition,
    TextMention,
    TimeLimit,
    TokenLimit,
    ToolCalled,
)
from playhead.agent.thinking import Grounding, Reflection
from playhead.agent.tools import Tool, emit, interrupt, report_progress

__all__ = [
    "AfterInvocation",
    "AfterIteration",
    "AfterModelCall",
    "AfterToolCall",
    "Agent",
    "AgentResult",
    "AgentState",
    "BeforeInvocation",
    "BeforeIteration",
    "BeforeModelCall",
    "BeforeToolCall",
    "ConfidenceMet",
    "CustomCondition",
    "Grounding",
    "HookProvider",
    "LoggingHook",
    "MaxIterations",
    "NoToolCalls",
    "Reflection",
    "Session",
    "TerminationCondition",
    "TextMention",
    "TimeLimit",
    "TokenLimit",
    "Tool",
    "ToolCalled",
    "ToolExecution",
    "emit",
    "interrupt",
    "report_progress",
]
