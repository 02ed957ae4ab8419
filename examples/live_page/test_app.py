"""What the page is told, without a browser: the endpoint is asked in process, and its stream breaks no rule."""

import json

import pytest
from app import app
from starlette.testclient import TestClient

import playhead


@pytest.fixture
def client():
    return TestClient(app)


def read(client, city):
    """Return the messages of a run, by name."""
    response = client.get("/stream", params={"city": city})
    assert list(playhead.check(response.content)) == []
    return [(message.event, json.loads(message.data)) for message in playhead.SSEParser().feed(response.content)]


def test_the_answer_streams_in_pieces(client):
    """The text of the last turn comes in many messages, and ends as the agent's final answer."""
    messages = read(client, "Lisbon")
    [final] = [data["final_message"] for name, data in messages if name == "terminate"]
    pieces = [data["content"] for name, data in messages if name == "model_chunk" and data.get("content")]
    assert final.startswith("Yes. Lisbon has 21 °C and clear tomorrow.\n")
    assert "".join(pieces).endswith(final)
    assert len(pieces) > 20
    assert messages[-1][0] == "done"


def test_tools_run_side_by_side(client):
    """Both have started before the first one is done; the page tells them apart by their ids."""
    tools = [(name, data["tool_name"]) for name, data in read(client, "Bergen") if name.startswith("tool_")]
    assert sorted(tools[:2]) == [("tool_start", "trains"), ("tool_start", "weather")]
    assert tools[2:] == [("tool_complete", "weather"), ("tool_complete", "trains")]


def test_a_tool_that_fails_does_not_end_the_run(client):
    """The page shows the error, and the agent goes on."""
    messages = read(client, "Atlantis")
    [error] = [data["error"] for name, data in messages if name == "tool_complete" and data.get("error")]
    assert error == "LookupError: no forecast for Atlantis"
    assert messages[-1][0] == "done"


def test_the_page_puts_nothing_in_as_markup(client):
    """What comes from a run is text, whatever it says."""
    page = client.get("/").text
    assert "new EventSource(" in page
    assert "innerHTML" not in page
