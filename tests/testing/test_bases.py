"""The suites as test classes: one test a promise, in a pytest run of their own."""

import pytest

TESTS = """
import tempfile

from playhead.cassettes.memory import MemoryStore
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.sse import SSEHandler
from playhead.sse.parser import SSEParser
from playhead.testing import CompositionSuite, HandlerSuite, SSEParserSuite, StoreSuite


class Forgetful(SSEHandler):
    async def on_error(self, error):
        await self.on_complete()


def make_parser():
    return SSEParser()


class TestForgetful(HandlerSuite):
    factory = Forgetful
    options = {"runs": [[{"event_type": "think", "iteration": 1}]]}


class TestStore(StoreSuite):
    factory = MemoryStore


class TestParser(SSEParserSuite):
    factory = make_parser


class TestComposition(CompositionSuite):
    factory = CompositeHandler
"""


def test_each_promise_is_a_test(pytester: pytest.Pytester) -> None:
    """What is kept passes, what does not apply is skipped, and what is broken fails with its example."""
    pytester.makepyfile(test_them=TESTS)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio", "-rs")
    done.assert_outcomes(passed=35, failed=2, skipped=3)
    done.stdout.fnmatch_lines(
        [
            "*TestForgetful.test_tells_errors*",
            "E*AssertionError: the run failed, and what came out is the same as if it were complete",
            "E*then error",
            "*it has nothing that could show it*",
        ]
    )
