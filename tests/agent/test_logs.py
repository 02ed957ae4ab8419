"""What happens in a run is in the log: one structured record a moment, without content unless it is asked for."""

import gc
import io
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, redirect_stderr
from dataclasses import fields
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from playhead.agent.agent import Agent
from playhead.agent.hooks import MOMENTS, HookProvider, RunInfo
from playhead.agent.logs import CONTENT, FIELDS, LoggingHook, error_type, json_text
from playhead.clocks import run
from playhead.clocks.virtual import VirtualClock
from playhead.errors import UsageError
from playhead.events.locus import AgentEvent
from playhead.ids import SequenceIds
from playhead.models.scripted import Scripted, ScriptedModel
from playhead.scripts import RateLimit, call, fail, hang, pause, say, turn, usage

STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime"}
"""What every record has."""


class Kept(logging.Handler):
    """Keep records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.records.append(record)

    @property
    def extras(self) -> list[dict[str, Any]]:
        """The extra fields of each record."""
        return [{key: value for key, value in vars(each).items() if key not in STANDARD} for each in self.records]

    @property
    def messages(self) -> list[str]:
        """The message of each record."""
        return [each.getMessage() for each in self.records]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Return what is logged by `logger_of`."""
    handler, logger = Kept(), logging.getLogger("test.runs")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield handler
    logger.removeHandler(handler)


def hook_of(**options: Any) -> LoggingHook:
    """Return a hook that logs to the handler of the test."""
    return LoggingHook(logging.getLogger("test.runs"), **options)


async def read(events: AsyncGenerator[AgentEvent, None]) -> None:
    """Run to the end."""
    async for _ in events:
        pass


async def search(city: str) -> str:
    """Find something in every city but Rome, and in Paris only after a second."""
    await anyio.sleep(city == "Paris")
    if city == "Rome":
        raise LookupError("hunter-error")
    return "hunter-result"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_record_a_moment(kept: Kept, backend: str) -> None:
    """With the run, what the moment is about and, at its end, how long it took."""
    clock = VirtualClock()
    script: list[Scripted] = [
        turn(pause(2), call("search", city="Paris"), usage(7, 3)),
        turn(say("done"), usage(20, 5)),
    ]
    model = ScriptedModel(script, clock=clock)
    agent = Agent(model, [search], name="scout", hooks=[hook_of(clock=clock)], clock=clock, ids=SequenceIds())

    async def main() -> None:
        await read(agent.run("go", thread_id="t1"))

    run(main, backend=backend, clock=clock)
    assert kept.messages == [
        "before_invocation agent_name='scout'",
        "before_iteration agent_name='scout' iteration=1",
        "before_model_call agent_name='scout' iteration=1 attempt=1",
        "after_model_call agent_name='scout' iteration=1 attempt=1 stop_reason='tool_calls'"
        " usage={'prompt_tokens': 7, 'completion_tokens': 3} duration_ms=2000.000",
        "before_tool_call agent_name='scout' number=1 tool_name='search' tool_call_id='call_1'",
        "after_tool_call agent_name='scout' number=1 tool_name='search' tool_call_id='call_1' duration_ms=1000.000",
        "after_iteration agent_name='scout' iteration=1 duration_ms=3000.000",
        "before_iteration agent_name='scout' iteration=2",
        "before_model_call agent_name='scout' iteration=2 attempt=1",
        "after_model_call agent_name='scout' iteration=2 attempt=1 stop_reason='stop'"
        " usage={'prompt_tokens': 20, 'completion_tokens': 5} duration_ms=0.000",
        "after_iteration agent_name='scout' iteration=2 duration_ms=0.000",
        "after_invocation agent_name='scout' reason='complete' iterations=2"
        " usage={'prompt_tokens': 27, 'completion_tokens': 8, 'total_tokens': 35} duration_ms=3000.000",
    ]
    assert [extra["moment"] for extra in kept.extras] == [message.split()[0] for message in kept.messages]
    about = {"run_id": kept.extras[0]["run_id"], "agent_name": "scout", "thread_id": "t1"}
    assert kept.extras[5] == about | {
        "moment": "after_tool_call",
        "number": 1,
        "tool_name": "search",
        "tool_call_id": "call_1",
        "paused": False,
        "duration_ms": 1000.0,
    }
    assert all(extra.items() >= about.items() for extra in kept.extras)
    assert {each.levelno for each in kept.records} == {logging.INFO}


@pytest.mark.anyio
async def test_failures_stand_out(kept: Kept) -> None:
    """A tool that failed is a warning, a model that did is one too, and a run that did is an error."""
    agent = Agent(ScriptedModel([call("search", city="Rome"), fail(RateLimit())]), [search], hooks=[hook_of()])
    await read(agent.run("go"))
    failed = [
        (each.levelname, vars(each)["moment"], vars(each)["error_type"]) for each in kept.records if each.levelno > 20
    ]
    assert failed == [
        ("WARNING", "after_tool_call", "LookupError"),
        ("WARNING", "after_model_call", "rate_limit"),
        ("ERROR", "after_invocation", "rate_limit"),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("asked", [False, True])
async def test_content_is_logged_on_request_alone(kept: Kept, asked: bool) -> None:
    """Prompts, answers, arguments, results and texts of errors are content."""
    calls = turn(say("hunter-answer"), call("search", city="hunter-city"), call("search", city="Rome"))
    model = ScriptedModel([calls, fail(RateLimit(message="hunter-fault"))])
    agent = Agent(model, [search], system_prompt="hunter-system", hooks=[hook_of(record_content=asked)])
    await read(agent.run("hunter-prompt", metadata={"note": "hunter-metadata"}))
    told = json.dumps([kept.messages, kept.extras])
    secrets = {"prompt", "answer", "city", "result", "error", "fault", "system", "metadata"}
    found = {secret for secret in secrets if f"hunter-{secret}" in told}
    assert found == (secrets - {"system", "metadata"} if asked else set())


@pytest.mark.anyio
async def test_content_is_text_and_safe(kept: Kept) -> None:
    """Arguments are JSON; what could steer a terminal is shown, in names too."""
    odd = call("\x1b[2Jsearch", city="\x1b[2J\u202e").with_id("\ud800")
    script: list[Scripted] = [turn(odd, call("search", city="\ud800")), "\x1b[2J"]
    await read(Agent(ScriptedModel(script), hooks=[hook_of(record_content=True)]).run("\x1b[2J"))
    first, second = (
        next(extra for extra in kept.extras if extra["moment"] == "before_tool_call" and extra["number"] == number)
        for number in (1, 2)
    )
    assert (first["tool_name"], first["tool_call_id"]) == ("\\x1b[2Jsearch", "\\ud800")
    assert json.loads(first["arguments"]) == {"city": "\x1b[2J\u202e"}
    assert second["arguments"] == "{'city': '\\ud800'}"
    for told in [*kept.messages, *(str(value) for extra in kept.extras for value in extra.values())]:
        told.encode()
        assert not {"\x1b", "\u202e"} & set(told)


@pytest.mark.anyio
async def test_two_runs_at_once_are_told_apart(kept: Kept) -> None:
    """By their ids; each has its own durations."""
    agent = Agent(ScriptedModel(["one", "two"]), hooks=[hook_of()])
    first, second = agent.run("one"), agent.run("two")
    async with aclosing(first), aclosing(second):
        await anext(first)
        await anext(second)
        await read(first)
        await read(second)
    ids = [extra["run_id"] for extra in kept.extras]
    assert len(set(ids)) == 2
    for run_id in set(ids):
        moments = [extra["moment"] for extra in kept.extras if extra["run_id"] == run_id]
        assert (moments[0], moments[-1], len(moments)) == ("before_invocation", "after_invocation", 6)


@pytest.mark.anyio
async def test_a_run_that_is_left_is_logged_to_its_end(kept: Kept) -> None:
    """With the reason, and no error."""
    events = Agent(ScriptedModel([turn(say("wait"), hang())]), hooks=[hook_of()]).run("go")
    await anext(events)
    await events.aclose()
    last = kept.extras[-1]
    assert (last["moment"], last["reason"], "error_type" in last) == ("after_invocation", "closed", False)
    assert last["duration_ms"] >= 0


@pytest.mark.anyio
async def test_nothing_is_made_where_the_level_is_off() -> None:
    """But for failures, which have a level of their own."""
    asked: list[int] = []

    class Counting(logging.Logger):
        def log(self, level: int, *told: object, **extra: object) -> None:
            asked.append(level)

    hook = LoggingHook(Counting("counting", logging.INFO), logging.DEBUG)
    await read(Agent(ScriptedModel([fail(RateLimit())]), hooks=[hook]).run("go"))
    assert asked == [logging.WARNING, logging.ERROR]


@pytest.mark.anyio
async def test_a_run_that_is_over_is_forgotten(kept: Kept) -> None:
    """A hook that has watched for a year holds no more than one that has watched for a minute."""
    hook = hook_of()
    await read(Agent(ScriptedModel(["done"]), name="forgotten", hooks=[hook]).run("go"))
    # The event loop lets go of a task one turn after its end.
    await anyio.lowlevel.checkpoint()
    gc.collect()
    left = [each for each in gc.get_objects() if isinstance(each, RunInfo)]
    assert "forgotten" not in {each.agent_name for each in left}
    assert {extra["agent_name"] for extra in kept.extras} == {"forgotten"}


class Broken(logging.Handler):
    """Stand for a handler that lets its failures out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Fail."""
        raise OSError("the disk is full")


@pytest.mark.anyio
@pytest.mark.parametrize("told", [True, False])
async def test_a_failure_to_log_does_not_fail_the_run(told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written to standard error, as `logging` does it, unless that was switched off."""
    monkeypatch.setattr(logging, "raiseExceptions", told)
    logger = logging.Logger("broken", logging.INFO)
    logger.addHandler(Broken())
    errors = io.StringIO()
    with redirect_stderr(errors):
        events = [event async for event in Agent(ScriptedModel(["done"]), hooks=[LoggingHook(logger)]).run("go")]
    assert getattr(events[-1], "reason", None) == "complete"
    assert ("the disk is full" in errors.getvalue()) is told


@pytest.mark.anyio
async def test_a_hook_that_was_not_told_of_the_beginning_logs_the_end(kept: Kept) -> None:
    """As far as it can: one that failed before it kept the beginning from it."""

    class Buggy(HookProvider):
        async def on_before_invocation(self, event: object) -> None:
            raise RuntimeError("a bug")

    await read(Agent(ScriptedModel(["done"]), hooks=[Buggy(), hook_of()]).run("go"))
    (only,) = kept.extras
    assert (only["moment"], only["error_type"], "duration_ms" in only) == ("after_invocation", "hook_failed", False)


def test_the_default_logger_has_a_name(caplog: pytest.LogCaptureFixture) -> None:
    """It is `playhead.agent`, and its level is INFO."""
    caplog.set_level(logging.INFO, "playhead.agent")
    Agent(ScriptedModel(["done"]), hooks=[LoggingHook()]).run_sync("go")
    assert {each.name for each in caplog.records} == {"playhead.agent"}
    assert len(caplog.records) == 6


@pytest.mark.parametrize("level", ["INFO", True, None])
def test_a_level_is_a_number(level: Any) -> None:
    """A name, as `logging` takes it elsewhere, would fail in the middle of a run."""
    with pytest.raises(UsageError, match="must be a number"):
        LoggingHook(level=level)


def test_the_tables_know_every_moment() -> None:
    """Each moment has fields, and each field is one of its event; none is a name that records have already."""
    assert set(FIELDS) == set(MOMENTS)
    for moment, names in FIELDS.items():
        content = CONTENT.get(moment, {})
        assert {*names, *content.values()} <= {field.name for field in fields(moment)}
        assert not {*names, *content} & STANDARD


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"city": "Paris", "n": 1}, '{"city":"Paris","n":1}'),
        ({"n": float("nan")}, '{"n":"NaN"}'),
        ({"s": "\ud800"}, "{'s': '\\ud800'}"),
        ({"f": object}, "{'f': <class 'object'>}"),
    ],
)
def test_arguments_are_json_where_they_can_be(arguments: dict[str, Any], text: str) -> None:
    """What has no JSON form is told as Python tells it."""
    assert json_text(arguments) == text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("ValueError: no luck", "ValueError"),
        ("ValueError: ", "ValueError"),
        ("asyncio.exceptions.TimeoutError: x", "asyncio.exceptions.TimeoutError"),
        ("there is no tool: 'x'", "_OTHER"),
        ("hunter2", "_OTHER"),
        ("", "_OTHER"),
    ],
)
def test_the_type_of_an_error(error: str, kind: str) -> None:
    """It is the exception's name, and never a word of its text."""
    assert error_type(error) == kind


def test_every_moment_is_logged() -> None:
    """A new one would be missing here."""
    assert {name for name in vars(LoggingHook) if name.startswith("on_")} == set(MOMENTS.values())
