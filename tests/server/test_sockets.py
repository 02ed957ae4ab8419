"""Runs over a WebSocket: as many as the client likes, with codes for what it may not do."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from playhead.errors import UsageError
from playhead.events.locus import AgentEvent
from playhead.provider.serving import Served
from tests.server.agents import FunctionAgent, TalkingAgent, asking, terminate
from tests.server.clients import post, serving

RUN = {"type": "run", "prompt": "2"}


@contextmanager
def connected(served: Served, query: str = "", **options: Any) -> Iterator[Connection]:
    """Open a WebSocket."""
    with connect(f"ws{served.url.removeprefix('http')}/ws{query}", close_timeout=1, **options) as websocket:
        yield websocket


def said(websocket: Connection, message: Any) -> list[tuple[str, str]]:
    """Say something, and return name and place of each message up to the last one."""
    websocket.send(json.dumps(message))
    return heard(websocket)


def heard(websocket: Connection) -> list[tuple[str, str]]:
    """Return name and place of each message up to the last one."""
    found: list[tuple[str, str]] = []
    while not found or found[-1][1] != "end":
        told = json.loads(websocket.recv(20))
        if told["event"] != "heartbeat":
            found.append((told["event"], told["id"].partition(":")[2]))
    return found


def closed(served: Served, *sent: str | bytes) -> tuple[int, str]:
    """Return code and reason with which the server closes when it is sent this."""
    with connected(served) as websocket:
        with suppress(ConnectionClosed):
            for message in sent:
                websocket.send(message)
            while True:
                websocket.recv(20)
        assert websocket.close_code is not None
        return websocket.close_code, websocket.close_reason or ""


def test_runs_one_after_the_other() -> None:
    """Each is told from its first event to `done`, and the next one follows on the same connection."""
    whole = [("model_chunk", "1"), ("model_chunk", "2"), ("terminate", "3"), ("done", "end")]
    with serving(TalkingAgent()) as served, connected(served) as websocket:
        assert said(websocket, RUN) == whole
        assert said(websocket, RUN) == whole


def test_a_message_is_an_object() -> None:
    """It has the event's own JSON as `data`, and opens with a heartbeat that has the run's id."""
    with serving(TalkingAgent()) as served, connected(served) as websocket:
        websocket.send(json.dumps(RUN))
        first, second = json.loads(websocket.recv(20)), json.loads(websocket.recv(20))
        assert (first["event"], first["id"].partition(":")[2]) == ("heartbeat", "0")
        assert second["data"]["content"] == "1 "


def test_an_answer() -> None:
    """A question can be answered on the same connection."""
    with serving(asking()) as served, connected(served) as websocket:
        assert said(websocket, {**RUN, "thread_id": "t"})[-2:] == [("interrupt", "2"), ("done", "end")]
        answer = {"type": "resume", "answer": {"sure": True}, "thread_id": "t"}
        assert said(websocket, answer)[-2:] == [("terminate", "2"), ("done", "end")]


def test_an_answer_to_no_question() -> None:
    """It closes the connection before any message, also where the agent finds out when it is to begin."""

    async def resume(answer: Any, **more: Any) -> AsyncIterator[AgentEvent]:
        if not more:
            raise UsageError("no thread is paused, in /home/me/secret")
        yield terminate()

    with serving(FunctionAgent(TalkingAgent().run, resume)) as served, connected(served) as websocket:
        websocket.send('{"type":"resume","answer":1}')
        with pytest.raises(ConnectionClosed, match=r"1008.*nothing waits for an answer in this thread"):
            websocket.recv(20)


def test_a_run_that_is_cancelled() -> None:
    """`cancel` stops the run; its end says so, and the connection is good for another one."""
    agent = TalkingAgent(0.02)
    with serving(agent) as served, connected(served) as websocket:
        websocket.send('{"type":"run","prompt":"10000"}')
        assert agent.begun.wait(20)
        assert said(websocket, {"type": "cancel"})[-1] == ("error", "end")
        assert agent.left.is_set()
        assert said(websocket, RUN)[-1] == ("done", "end")


def test_going_on() -> None:
    """`follow` tells what came behind a message, and closes where that was the last one."""
    with serving(TalkingAgent()) as served:
        with connected(served) as websocket:
            websocket.send(json.dumps(RUN))
            run = json.loads(websocket.recv(20))["id"].partition(":")[0]
        with connected(served) as websocket:
            follow = {"type": "follow", "last_event_id": f"{run}:1"}
            assert said(websocket, follow)[-1][1] == "end"
        end = json.dumps({"type": "follow", "last_event_id": f"{run}:end"})
        assert closed(served, end) == (1000, "that was the last message of its run")


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (b"{}", 1003, "send JSON as text"),
        ("{", 1007, "this is no JSON: "),
        ("{}", 1008, "Unable to extract tag"),
        ('{"type":"run"}', 1008, "prompt: Field required"),
        ('{"type":"run","prompt":"1","more":1}', 1008, "more: Extra inputs are not permitted"),
        ('{"type":"resume","answer":1}', 1008, "this agent cannot be resumed"),
        ('{"type":"follow","last_event_id":"x"}', 1008, "the last event id is none of this server's"),
        (f'{{"type":"follow","last_event_id":"{"0" * 32}:1"}}', 1008, "there is no such run"),
        (json.dumps({"type": "run", "prompt": "x" * 3000}), 1009, "a message has at most 2,000 bytes"),
    ],
)
def test_messages_that_are_wrong(message: str | bytes, code: int, reason: str) -> None:
    """Each closes the connection, with a code and a reason."""
    agent = TalkingAgent()
    with serving(agent, max_body_bytes=2000) as served:
        found = closed(served, message)
        assert (found[0], reason in found[1]) == (code, True), found
    assert agent.runs == 0


def test_too_many_at_once() -> None:
    """One run goes on and one waits; what comes beyond is refused."""
    with serving(TalkingAgent(60)) as served:
        code, reason = closed(served, *[json.dumps(RUN)] * 20)
        assert (code, reason) == (1008, "one run at a time, and one more that waits")


def test_a_server_that_is_full() -> None:
    """The client is told to come later."""
    agent = TalkingAgent(60)
    with serving(agent, max_runs=1) as served, connected(served) as websocket:
        websocket.send(json.dumps(RUN))
        assert agent.begun.wait(20)
        assert closed(served, json.dumps(RUN)) == (1013, "too many runs go on")


def test_a_used_ticket_begins_no_other_run() -> None:
    """It connects who says that they go on, and then nothing but that run."""
    agent = TalkingAgent()
    with serving(agent, allow_unauthenticated=False, api_key="k") as served:
        ticket = post(served, "/ticket", authorization="Bearer k").json()["ticket"]
        with connected(served, f"?ticket={ticket}") as websocket:
            assert said(websocket, RUN)[-1] == ("done", "end")
        with connected(served, f"?ticket={ticket}&last_event_id=x") as websocket:
            websocket.send(json.dumps(RUN))
            with pytest.raises(ConnectionClosed, match=r"1008.*it is good for that one only"):
                websocket.recv(20)
    assert agent.runs == 1


def test_a_ticket_begins_one_run() -> None:
    """On its connection that run can be followed again, and no other one be begun."""
    agent = TalkingAgent()
    with serving(agent, allow_unauthenticated=False, api_key="k") as served:
        ticket = post(served, "/ticket", authorization="Bearer k").json()["ticket"]
        with connected(served, f"?ticket={ticket}") as websocket:
            websocket.send(json.dumps(RUN))
            run = json.loads(websocket.recv(20))["id"].partition(":")[0]
            whole = heard(websocket)
            assert said(websocket, {"type": "follow", "last_event_id": f"{run}:1"}) == whole[1:]
            websocket.send(json.dumps(RUN))
            with pytest.raises(ConnectionClosed, match=r"1008.*it is good for that one only"):
                websocket.recv(20)
    assert agent.runs == 1


def test_a_failure_of_the_server(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets a correlation id, and the log the rest."""
    (tmp_path / "runs").write_text("a file where the folder should be")
    with serving(TalkingAgent(), store=tmp_path / "runs") as served:
        code, reason = closed(served, json.dumps(RUN))
    assert (code, reason.partition(",")[0]) == (1011, "internal error")
    assert reason.rpartition(" ")[2] in caplog.text
    assert str(tmp_path) in caplog.text
    assert str(tmp_path) not in reason


@pytest.mark.parametrize(
    ("query", "headers", "is_open"),
    [
        ("", {"Authorization": "Bearer k"}, True),
        ("?ticket={ticket}", {}, True),
        ("", {}, False),
        ("?ticket=forged", {}, False),
        ("", {"Authorization": "Bearer k", "Origin": "https://evil.example"}, False),
        ("", {"Authorization": "Bearer k", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_who_may_connect(query: str, headers: dict[str, str], is_open: bool) -> None:
    """The gate is the same as for HTTP: another site's page gets no connection, with or without a key."""
    with serving(TalkingAgent(), allow_unauthenticated=False, api_key="k") as served:
        ticket = post(served, "/ticket", authorization="Bearer k").json()["ticket"]
        connecting = connected(served, query.format(ticket=ticket), additional_headers=headers)
        if is_open:
            with connecting as websocket:
                assert said(websocket, RUN)[-1] == ("done", "end")
        else:
            with pytest.raises(InvalidStatus, match="HTTP 403"):
                connecting.__enter__()
