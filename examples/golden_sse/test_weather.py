"""What the endpoint sends is compared with golden files; times and made up ids are masked in them."""

import pytest
from starlette.testclient import TestClient
from weather import app

from playhead.snapshot import canonical_sse


@pytest.fixture
def client():
    return TestClient(app)


def test_the_endpoint_sends_what_it_sent_before(client, sse_snapshot):
    """A run, as it goes over the wire: __snapshots__/test_weather/test_the_endpoint_sends_what_it_sent_before.sse."""
    response = client.get("/stream", params={"prompt": "Paris?"})
    assert response.headers["content-type"] == "text/event-stream"
    assert response == sse_snapshot(dialect="locus")


def test_a_failure_is_told_by_the_last_event(client, sse_snapshot):
    """The model fails after the tool has run: `terminate` has the reason, and `done` follows."""
    response = client.get("/stream", params={"prompt": "Atlantis?"})
    assert response == sse_snapshot(dialect="locus")


def test_the_last_message_inline(client):
    """Without a file: the canonical form is a plain value, for inline-snapshot or by hand."""
    blocks = canonical_sse(client.get("/stream", params={"prompt": "Paris?"}), dialect="locus")
    assert blocks[-1] == 'event: done\nid: 9\ndata: {"status":"complete","total_events":8}\n\n'
