"""Real agents behind a real server: ours and locus', their threads, and `AgentServer.run` as a process."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from playhead.agent.agent import Agent
from playhead.models.scripted import ScriptedModel
from playhead.provider.serving import Served
from playhead.recording.checkpoints import Checkpointer
from playhead.replaying.tape import open_tape
from playhead.scripts import call
from tests.server.clients import ask, get, messages, place, post, run_of, serving, streaming
from tests.server.program import ROOT, environment

PROGRAM = """
import sys
from playhead.server.agent_server import AgentServer
from tests.server.agents import TalkingAgent
AgentServer(TalkingAgent(0.01), api_key="secret key", store=sys.argv[1]).run(port=int(sys.argv[2]))
"""


def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


def test_our_agent() -> None:
    """Its tools run, its answer streams, and its thread is there to look at, to go on with, and to delete."""
    model = ScriptedModel([call("weather", city="Paris"), "Take an umbrella.", "It still rains."])
    with serving(Agent(model, [weather], checkpointer=Checkpointer(":memory:"))) as served:
        first = get(served, "/stream?prompt=Paris?&thread_id=t")
        assert {"tool_start", "tool_complete", "terminate"} <= {each.event for each in messages(first)}
        again = post(served, "/invoke", {"prompt": "And now?", "thread_id": "t"}).json()
        assert (again["message"], again["stop_reason"]) == ("It still rains.", "complete")
        said = json.dumps(get(served, "/threads/t").json()["messages"])
        assert "Paris?" in said
        assert "It still rains." in said
        assert ask(served, "DELETE", "/threads/t").status_code == 204
        assert get(served, "/threads/t").status_code == 404


def test_nothing_waits_in_a_thread() -> None:
    """Our agent says that nothing is paused, and the client gets a conflict."""
    with serving(Agent(ScriptedModel(["Hello."]))) as served:
        assert post(served, "/resume", {"answer": "Yes", "thread_id": "t"}).status_code == 409


def test_the_agent_of_locus() -> None:
    """A real locus agent is served as it is: its events, in its own JSON."""
    locus = pytest.importorskip("locus.agent")
    from playhead.adapters.locus import scripted  # noqa: PLC0415

    model = scripted(ScriptedModel([call("weather", city="Paris"), "Take an umbrella."]))
    agent = locus.Agent(model=model, tools=[locus_tool()])
    with serving(agent) as served:
        response = get(served, "/stream?prompt=Paris?")
        names = [each.event for each in messages(response)]
        assert names[-2:] == ["terminate", "done"]
        assert {"think", "tool_start", "tool_complete"} <= set(names)
        again = get(served, "/stream", last_event_id=f"{run_of(response)}:0")
        assert messages(again) == messages(response)


def locus_tool() -> Any:
    """Return the weather as a tool of locus'."""
    from locus.tools import tool  # noqa: PLC0415

    return tool(weather)


def test_the_server_as_a_process(tmp_path: Path) -> None:
    """`run` serves until SIGTERM, which stops what goes on and seals it; it prints no key and no prompt."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = [sys.executable, "-c", PROGRAM, str(tmp_path), str(port)]
    with subprocess.Popen(line, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        served = Served(f"http://127.0.0.1:{port}")
        await_server(served, process)
        assert get(served, "/stream?prompt=1").status_code == 401
        with streaming(served, "/stream?prompt=100000", authorization="Bearer secret key") as stream:
            next(each for each in stream if place(each) == "3")
            process.send_signal(signal.SIGTERM)
            with pytest.raises(httpx2.TransportError):
                list(stream)
        _, errors = process.communicate(timeout=30)
    [cassette] = tmp_path.glob("*")
    with open_tape(cassette) as tape:
        # Inside the agent, or between two events of it.
        assert tape.end() in ("cancelled", "closed")
    assert errors.startswith(f"Playhead: serving on http://127.0.0.1:{port} until Ctrl-C\n")
    assert "secret" not in errors
    assert "100000" not in errors


def await_server(served: Served, process: subprocess.Popen[str]) -> None:
    """Return when the server answers."""
    while process.poll() is None:
        try:
            get(served, "/health")
        except httpx2.ConnectError:
            continue
        return
    pytest.fail("the server has ended")
