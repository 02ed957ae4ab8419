"""What tests say of streams: assertions whose failures can be read, and conformance suites."""

from playhead.testing.agents import assert_agent, check_agent
from playhead.testing.assertions import assert_contracts, assert_same_run
from playhead.testing.bases import (
    AgentSuite,
    CheckpointerSuite,
    CompositionSuite,
    HandlerSuite,
    ModelSuite,
    SSEEncoderSuite,
    SSEParserSuite,
    StoreSuite,
)
from playhead.testing.checkpointers import check_checkpointer
from playhead.testing.codecs import check_sse_encoder, check_sse_parser
from playhead.testing.compositions import check_composition
from playhead.testing.handlers import assert_handler, check_handler
from playhead.testing.models import check_model
from playhead.testing.outputs import Sink, Subject
from playhead.testing.report import Promise, Report, Result, State
from playhead.testing.stores import check_store

__all__ = [
    "AgentSuite",
    "CheckpointerSuite",
    "CompositionSuite",
    "HandlerSuite",
    "ModelSuite",
    "Promise",
    "Report",
    "Result",
    "SSEEncoderSuite",
    "SSEParserSuite",
    "Sink",
    "State",
    "StoreSuite",
    "Subject",
    "assert_agent",
    "assert_contracts",
    "assert_handler",
    "assert_same_run",
    "check_agent",
    "check_checkpointer",
    "check_composition",
    "check_handler",
    "check_model",
    "check_sse_encoder",
    "check_sse_parser",
    "check_store",
]
