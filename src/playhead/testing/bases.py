"""Conformance suites as test classes: one test for each promise.

    class TestMyHandler(HandlerSuite):
        factory = MyHandler

Knows unittest's word for a skipped test, which pytest understands, and not pytest itself.
"""

from collections.abc import Callable, Sequence
from inspect import getattr_static
from typing import Any, ClassVar, TypeVar
from unittest import SkipTest

from playhead.testing.agents import AGENT_PROMISES, check_agent
from playhead.testing.checkpointers import CHECKPOINTER_PROMISES, check_checkpointer
from playhead.testing.codecs import ENCODER_PROMISES, PARSER_PROMISES, check_sse_encoder, check_sse_parser
from playhead.testing.compositions import COMPOSITION_PROMISES, check_composition
from playhead.testing.handlers import HANDLER_PROMISES, check_handler
from playhead.testing.models import MODEL_PROMISES, check_model
from playhead.testing.report import Promise, Report, State
from playhead.testing.stores import STORE_PROMISES, check_store

_Suite = TypeVar("_Suite", bound=type["ConformanceSuite"])


class ConformanceSuite:
    """Stand above the suites. `factory` is what makes the subject; `options` go to the suite's function."""

    factory: ClassVar[Any] = None
    options: ClassVar[dict[str, Any]] = {}
    check: ClassVar[Callable[..., Report]]
    _report: ClassVar[Report | None] = None

    @classmethod
    def report(cls) -> Report:
        """Return the report on the subject. It is made once for the class."""
        if "_report" not in vars(cls):
            made = getattr_static(cls, "factory")
            # A function in a class is no method here: what it is called with is the suite's business.
            factory = made.__func__ if isinstance(made, staticmethod) else made
            cls._report = cls.check(factory, **cls.options)
        assert cls._report is not None
        return cls._report


def _with_tests(promises: Sequence[Promise], check: Callable[..., Report]) -> Callable[[_Suite], _Suite]:
    """Give a class one test for each promise."""

    def give(suite: _Suite) -> _Suite:
        suite.check = staticmethod(check)
        for promise in promises:
            name = f"test_{promise.name.replace('-', '_')}"
            setattr(suite, name, _test_of(promise, name))
        return suite

    return give


def _test_of(promise: Promise, name: str) -> Callable[[ConformanceSuite], None]:
    def test(self: ConformanceSuite) -> None:
        result = type(self).report()[promise.name]
        if result.state is State.SKIPPED:
            raise SkipTest(result.why)
        if result.state is State.BROKEN:
            raise AssertionError("\n".join(filter(None, (result.why, result.example))))

    test.__name__ = test.__qualname__ = name
    test.__doc__ = f"A promise: {promise.says}."
    return test


@_with_tests(HANDLER_PROMISES, check_handler)
class HandlerSuite(ConformanceSuite):
    """Test a stream handler: see `check_handler`."""


@_with_tests(COMPOSITION_PROMISES, check_composition)
class CompositionSuite(ConformanceSuite):
    """Test a composition of handlers: see `check_composition`."""


@_with_tests(STORE_PROMISES, check_store)
class StoreSuite(ConformanceSuite):
    """Test a store of cassettes: see `check_store`."""


@_with_tests(PARSER_PROMISES, check_sse_parser)
class SSEParserSuite(ConformanceSuite):
    """Test a parser of event streams: see `check_sse_parser`."""


@_with_tests(ENCODER_PROMISES, check_sse_encoder)
class SSEEncoderSuite(ConformanceSuite):
    """Test a writer of event streams: see `check_sse_encoder`."""


@_with_tests(CHECKPOINTER_PROMISES, check_checkpointer)
class CheckpointerSuite(ConformanceSuite):
    """Test a checkpointer: see `check_checkpointer`."""


@_with_tests(MODEL_PROMISES, check_model)
class ModelSuite(ConformanceSuite):
    """Test a model: see `check_model`."""


@_with_tests(AGENT_PROMISES, check_agent)
class AgentSuite(ConformanceSuite):
    """Test an agent: see `check_agent`."""
