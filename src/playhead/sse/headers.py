"""The response headers that an event stream needs.

Knows the names and values only. Does not know any web framework: a plain dict fits all of them.
"""


def create_sse_response_headers() -> dict[str, str]:
    """Return new headers for a response that carries an event stream.

    `X-Accel-Buffering: no` keeps nginx from holding messages back. `Connection` must be left out where the server
    speaks HTTP/2 or 3, which forbid it. Source: spec "Handlers, SSE and structured streams".
    """
    return {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-cache",
        "Connection": "keep-alive",
        "X-Accel-Buffering": "no",
    }
