"""Each route answers as it says, and says what is wrong with a request."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playhead.agent.agent import Agent
from playhead.errors import UsageError
from playhead.events.locus import AgentEvent
from playhead.server.agent_server import AgentServer
from tests.agent.agents import OddModel
from tests.server.agents import FunctionAgent, TalkingAgent, asking, chunk, terminate
from tests.server.clients import ask, get, messages, post, run_of, serving, streaming, told

WHOLE = [("model_chunk", "1"), ("model_chunk", "2"), ("terminate", "3"), ("done", "end")]


def test_a_stream_for_a_browser() -> None:
    """`GET /stream` sends each event by name and id, and `done` last; its head is that of an event stream."""
    with serving(TalkingAgent()) as served:
        response = get(served, "/stream?prompt=2")
        assert told(response) == WHOLE
        assert json.loads(messages(response)[-1].data) == {"status": "complete", "total_events": 3}
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-content-type-options"] == "nosniff"


def test_a_stream_for_fetch() -> None:
    """`POST /stream` takes the same as JSON."""
    with serving(TalkingAgent()) as served:
        assert told(post(served, "/stream", {"prompt": "2"})) == WHOLE


def test_what_the_client_gave_reaches_the_agent() -> None:
    """Thread, checkpoint and metadata are passed on where they are given, and only then."""
    seen: list[Any] = []

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        seen.append((prompt, more))
        yield terminate()

    with serving(FunctionAgent(run)) as served:
        get(served, "/stream?prompt=a")
        get(served, "/stream?prompt=b&thread_id=t&more=x")
        post(served, "/stream", {"prompt": "c", "thread_id": "t", "checkpoint_id": "k", "metadata": {"n": 1}})
    assert seen == [
        ("a", {}),
        ("b", {"thread_id": "t"}),
        ("c", {"thread_id": "t", "checkpoint_id": "k", "metadata": {"n": 1}}),
    ]


def test_names_of_classes() -> None:
    """`event_names="class"` sends the names of classes; frames keep theirs."""
    with serving(TalkingAgent(), event_names="class") as served:
        names = [name for name, _ in told(get(served, "/stream?prompt=1"))]
        assert names == ["ModelChunkEvent", "TerminateEvent", "done"]


def test_the_opening_message_says_how_to_come_back() -> None:
    """The first message is a heartbeat with the id 0 and the time to wait, before the agent has said anything."""
    with serving(TalkingAgent(60), retry_ms=250) as served, streaming(served, "/stream?prompt=1") as stream:
        first = next(stream)
        assert (first.event, first.retry) == ("heartbeat", 250)
        assert (first.id or "").endswith(":0")


def test_heartbeats_while_nothing_happens() -> None:
    """They have no id of their own, are not counted, and stop when the agent goes on."""
    with serving(TalkingAgent(0.3), heartbeat_s=0.05) as served:
        response = get(served, "/stream?prompt=1")
        assert response.text.count("event: heartbeat\ndata") >= 3
        assert told(response) == [("model_chunk", "1"), ("terminate", "2"), ("done", "end")]
        assert json.loads(messages(response)[-1].data)["total_events"] == 2


@pytest.mark.parametrize("names", ["snake", "class"])
def test_a_model_that_fails(names: Any, tmp_path: Path) -> None:
    """The reason is told, live, taped and whole, and nothing of the inside; the cassette has the text."""
    agent = Agent(OddModel(RuntimeError("the password of db.internal is hunter2")))
    with serving(agent, event_names=names, store=tmp_path / "runs") as served:
        response = get(served, "/stream?prompt=x")
        again = get(served, "/stream", last_event_id=f"{run_of(response)}:0")
        whole = post(served, "/invoke", {"prompt": "x"})
    for each in (response, again):
        (end, done) = messages(each)
        assert (json.loads(end.data)["reason"], json.loads(end.data)["error"]) == ("model_error", "internal error")
        assert done.event == "done"
    assert (whole.json()["stop_reason"], whole.json()["error"]) == ("model_error", "internal error")
    assert "hunter2" not in response.text + again.text + whole.text
    assert all("hunter2" in path.read_text() for path in (tmp_path / "runs").glob("*.jsonl"))


def test_a_run_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The client gets an error with a correlation id and nothing of the inside, live and taped; the log has both."""

    async def run(prompt: str, **more: Any) -> AsyncIterator[AgentEvent]:
        yield chunk("Hm.")
        raise RuntimeError("the password of db.internal is hunter2")

    with serving(FunctionAgent(run)) as served, caplog.at_level(logging.ERROR, "playhead.server"):
        response = get(served, "/stream?prompt=x")
        last = messages(response)[-1]
        again = get(served, "/stream", last_event_id=f"{run_of(response)}:1")
    assert told(response) == [("model_chunk", "1"), ("error", "end")]
    assert json.loads(last.data).keys() == {"error", "correlation_id"}
    assert "hunter2" not in response.text
    assert json.loads(last.data)["correlation_id"] in caplog.text
    assert "hunter2" in caplog.text
    assert messages(again) == [last]


def test_a_run_that_pauses_and_is_resumed() -> None:
    """A question ends the stream well, and `POST /resume` streams what follows the answer."""
    with serving(asking()) as served:
        assert told(get(served, "/stream?prompt=x&thread_id=t"))[-2:] == [("interrupt", "2"), ("done", "end")]
        resumed = post(served, "/resume", {"answer": "Yes", "thread_id": "t"})
        assert told(resumed) == [("model_chunk", "1"), ("terminate", "2"), ("done", "end")]
        assert "Yes, then." in resumed.text


def test_an_agent_that_cannot_be_resumed() -> None:
    """It is told as what it is."""
    with serving(TalkingAgent()) as served:
        response = post(served, "/resume", {"answer": "Yes"})
        assert (response.status_code, response.json()) == (501, {"error": "this agent cannot be resumed"})


def test_nothing_to_resume() -> None:
    """An answer to no question is a conflict, and no stream."""

    async def resume(answer: Any, **more: Any) -> AsyncIterator[AgentEvent]:
        if not more:
            raise UsageError("no thread is paused, in /home/me/secret")
        yield terminate()

    with serving(FunctionAgent(TalkingAgent().run, resume)) as served:
        response = post(served, "/resume", {"answer": "Yes"})
        assert response.status_code == 409
        assert response.json() == {"error": "nothing waits for an answer in this thread"}


def test_invoke() -> None:
    """`POST /invoke` answers with what came of the run, which is on a tape like any other."""
    with serving(TalkingAgent()) as served:
        result = post(served, "/invoke", {"prompt": "2 0 apples"}).json()
        run = result.pop("run")
        assert result == {
            "message": "2 0 apples",
            "stop_reason": "complete",
            "metrics": {"iterations": 1, "tool_calls": 0},
            "usage": None,
            "error": None,
            "interrupt": None,
            "total_events": 3,
        }
        assert told(get(served, f"/stream?last_event_id={run}:0")) == WHOLE


def test_invoke_that_pauses() -> None:
    """The question is in the answer."""
    with serving(asking()) as served:
        result = post(served, "/invoke", {"prompt": "x"}).json()
        assert (result["stop_reason"], result["interrupt"]["question"]) == ("interrupt", "Sure?")


@pytest.mark.parametrize(
    ("dialect", "events", "told"),
    [
        ("turns", [{"type": "Complete", "turn_id": "t", "final_text": "Paris."}], {"message": "Paris."}),
        ("turns", [{"type": "ErrorEvent", "turn_id": "t", "error": "hunter2"}], {"error": "internal error"}),
        (
            "agui",
            [
                {"type": "RUN_FINISHED", "runId": "r", "threadId": "t"},
                {"type": "RUN_ERROR", "message": "hunter2", "code": "E1"},
            ],
            {"error": "internal error"},
        ),
        (
            "agui",
            [{"type": "RUN_FINISHED", "outcome": {"type": "interrupt"}}],
            {"interrupt": {"type": "RUN_FINISHED", "outcome": {"type": "interrupt"}}, "stop_reason": "interrupt"},
        ),
        (
            "shipit",
            [{"type": "approval_required", "message": "Sure?"}],
            {"interrupt": {"type": "approval_required", "message": "Sure?"}, "stop_reason": "interrupt"},
        ),
        (
            "shipit",
            [{"type": "approval_required"}, {"type": "run_completed", "payload": {"output": "Done."}}],
            {"message": "Done."},
        ),
        (
            "shipit",
            [{"type": "run_failed", "message": "hunter2", "payload": {"error": "hunter2"}}],
            {"error": "internal error"},
        ),
        ("openai.chat", [{"choices": [{"index": 0, "delta": {"content": "Hi."}}]}], {}),
    ],
)
def test_invoke_in_other_dialects(dialect: str, events: list[Any], told: dict[str, Any]) -> None:
    """The answer is read by the dialect's table; what its events do not say is null, and no error is told."""

    async def run(prompt: str, **more: Any) -> AsyncIterator[Any]:
        for event in events:
            yield event

    with serving(FunctionAgent(run), dialect=dialect) as served:
        response = post(served, "/invoke", {"prompt": "x"})
    result = response.json()
    said = {name: value for name, value in result.items() if value is not None}
    nothing = {"run": result["run"], "metrics": {"iterations": None, "tool_calls": None}, "total_events": len(events)}
    assert said == nothing | told
    assert "hunter2" not in response.text


def test_invoke_that_fails() -> None:
    """A failure is a 500 that says nothing of the inside."""
    with serving(TalkingAgent()) as served:
        response = post(served, "/invoke", {"prompt": "no number"})
        assert response.status_code == 500
        assert response.json().keys() == {"run", "error", "correlation_id"}
        assert response.json()["error"] == "internal error"


class Threads:
    """Keep the states of threads: the newest first."""

    def __init__(self) -> None:
        self.kept = {"a/b ☂": {"c1": {"messages": [{"content": "Paris?"}]}, "c2": {"messages": [{"content": "Rome?"}]}}}

    async def list_checkpoints(self, thread_id: str, limit: int = 10) -> list[str]:
        """Return the ids."""
        return list(self.kept.get(thread_id, {}))[::-1][:limit]

    async def load(self, thread_id: str, checkpoint_id: str) -> Any:
        """Return a state."""
        return self.kept[thread_id][checkpoint_id]

    async def exists(self, thread_id: str) -> bool:
        """Say whether there is one."""
        return thread_id in self.kept

    async def delete(self, thread_id: str) -> None:
        """Delete one."""
        del self.kept[thread_id]


def test_threads() -> None:
    """A thread can be looked at and deleted, by any name; one that is not there is a 404."""
    with serving(TalkingAgent(checkpointer=Threads())) as served:
        path = "/threads/a%2Fb%20%E2%98%82"
        assert get(served, path).json() == {
            "thread_id": "a/b ☂",
            "checkpoints": ["c2", "c1"],
            "messages": [{"content": "Rome?"}],
        }
        assert ask(served, "DELETE", path).status_code == 204
        assert get(served, path).status_code == ask(served, "DELETE", path).status_code == 404
    with serving(TalkingAgent()) as served:
        assert "no checkpointer" in get(served, "/threads/t").json()["error"]


def test_health() -> None:
    """It says that the server is there."""
    with serving(TalkingAgent(), title="Trips") as served:
        assert get(served, "/health").json() == {"status": "ok", "title": "Trips"}


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status", "said"),
    [
        ("GET", "/stream", b"", "", 422, "prompt: Field required"),
        ("GET", "/stream?prompt=", b"", "", 422, "prompt: String should have at least 1 character"),
        ("GET", "/stream?prompt=1&thread_id=" + "x" * 600, b"", "", 422, "thread_id: String should have at most"),
        ("GET", "/stream?last_event_id=7", b"", "", 400, "it is RUN:N"),
        ("GET", f"/stream?last_event_id={'0' * 32}:1", b"", "", 404, "there is no such run"),
        ("GET", "/stream?last_event_id=../../etc/passwd:1", b"", "", 400, "it is RUN:N"),
        ("POST", "/stream", b'{"prompt":', "application/json", 400, "this is no JSON"),
        ("POST", "/stream", b'{"prompt":NaN}', "application/json", 400, "this is no JSON"),
        ("POST", "/stream", b"[" * 100_000, "application/json", 400, "this is no JSON"),
        ("POST", "/stream", b"[]", "application/json", 422, "send a JSON object"),
        ("POST", "/stream", b'{"prompt":1}', "application/json", 422, "prompt: Input should be a valid string"),
        ("POST", "/stream", b'{"promt":"1"}', "application/json", 422, "promt: Extra inputs are not permitted"),
        ("POST", "/stream", b'{"prompt":"\xff"}', "application/json", 400, "this is no JSON"),
        ("POST", "/stream", b"prompt=1", "application/x-www-form-urlencoded", 415, "application/json"),
        ("POST", "/invoke", b"x" * 2000, "application/json", 413, "a body has at most 1,000 bytes"),
        ("POST", "/resume", b'{"thread_id":1}', "application/json", 422, "thread_id: Input should be a valid string"),
        ("PUT", "/stream", b"", "", 405, "Method Not Allowed"),
        ("GET", "/nowhere", b"", "", 404, "Not Found"),
    ],
)
def test_requests_that_are_wrong(method: str, path: str, body: bytes, kind: str, status: int, said: str) -> None:
    """Each is refused in JSON, with what is wrong; no agent runs."""
    agent = TalkingAgent()
    with serving(agent, max_body_bytes=1000 if status == 413 else 1024 * 1024) as served:
        response = ask(served, method, path, content=body, headers={"content-type": kind})
    assert response.status_code == status, response.text
    assert said in response.json()["error"]
    assert agent.runs == 0


def test_a_look_runs_nothing() -> None:
    """`HEAD /stream` is no reason to run an agent."""
    agent = TalkingAgent()
    with serving(agent) as served:
        assert ask(served, "HEAD", "/stream?prompt=1").status_code == 405
    assert agent.runs == 0


def test_too_many_runs() -> None:
    """One more than may go on is told to come later."""
    agent = TalkingAgent(60)
    with serving(agent, max_runs=1) as served, streaming(served, "/stream?prompt=1") as stream:
        next(stream)
        response = get(served, "/stream?prompt=1")
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_a_run_that_cannot_be_taped(tmp_path: Path) -> None:
    """It takes no place from the next one."""
    (tmp_path / "runs").write_text("a file where the folder should be")
    with serving(TalkingAgent(), store=tmp_path / "runs", max_runs=1) as served:
        assert [get(served, "/stream?prompt=1").status_code for _ in range(2)] == [500, 500]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "AgentServer needs api_key=..."),
        ({"api_key": ""}, "must not be empty"),
        ({"api_key": "k", "allow_unauthenticated": True}, "contradict each other"),
        ({"api_key": "k", "event_names": "camel"}, "event_names='camel'): give 'snake' or 'class'"),
        ({"api_key": "k", "on_leave": "stay"}, "on_leave='stay'): give 'cancel' or 'finish'"),
        ({"api_key": "k", "max_buffer": 0}, "max_buffer=0) must be 1 or more"),
        ({"api_key": "k", "heartbeat_s": 0}, "heartbeat_s=0) must be a number of seconds, 0.001 or more"),
        ({"api_key": "k", "linger_s": -1}, "linger_s=-1) must be a number of seconds, 0 or more"),
        ({"api_key": "k", "store": "runs.db::one"}, "is one cassette: give a folder"),
    ],
)
def test_options_that_are_wrong(options: dict[str, Any], said: str) -> None:
    """A server that would be open by mistake, or cannot work, does not come to be."""
    with pytest.raises(UsageError, match=said.replace("(", r"\(").replace(")", r"\)")):
        AgentServer(TalkingAgent(), **options)


def test_an_address_that_leaves_the_machine() -> None:
    """`run` on one of those wants to be told the names of the server."""
    server = AgentServer(TalkingAgent(), api_key="k")
    with pytest.raises(UsageError, match="say which names the server goes by"):
        server.run("0.0.0.0")
