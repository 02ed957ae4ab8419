"""Tests of playhead.sse.headers."""

from playhead.sse.headers import create_sse_response_headers


def test_headers_are_the_documented_ones_in_order() -> None:
    """The four headers come with their values, in the documented order."""
    assert list(create_sse_response_headers().items()) == [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-cache"),
        ("Connection", "keep-alive"),
        ("X-Accel-Buffering", "no"),
    ]


def test_headers_can_be_changed_without_harm() -> None:
    """Each call makes a new dict, so that a caller can add to it."""
    create_sse_response_headers()["Content-Type"] = "text/plain"
    assert create_sse_response_headers()["Content-Type"] == "text/event-stream"
