"""A model over HTTP, as the track `model` keeps it: requests and heads of responses, as values with a JSON form.

    request  {"method": "POST", "path": "/v1/responses", "query": [["alt", "sse"]], "headers": [...], "body": {...}}
    reply    {"status": 200, "headers": [["content-type", "text/event-stream"]]}
    chunk    bytes, as they were read
    fault    what the connection failed with
    end      complete, closed or cancelled

Knows which headers matter to whoever replays. Does not know sockets or clients.
"""

import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from playhead.errors import CassetteError

Headers = Iterable[tuple[str, str]]
"""Names and values, in order; a name may come twice."""

ASKING_HEADERS: Final = ("anthropic-beta", "anthropic-version", "content-type")
"""What is kept of a request's headers: all else is the client's and the moment's."""

PASSING_HEADERS: Final = frozenset(
    {
        "alt-svc",
        "cf-cache-status",
        "cf-ray",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "server",
        "set-cookie",
        "strict-transport-security",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""What is not kept of a response's headers: the connection's own, and the moment's."""


def request_of(method: str, url: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return a request as it is kept and matched. A body that is JSON is kept as JSON, any other as text or bytes.

    The host is left out: a replay has another one.
    """
    split = urlsplit(url)
    kept = sorted([name.lower(), value] for name, value in headers if name.lower() in ASKING_HEADERS)
    found: dict[str, Any] = {"method": method.upper(), "path": split.path or "/"}
    if split.query:
        found["query"] = [list(pair) for pair in parse_qsl(split.query, keep_blank_values=True)]
    if kept:
        found["headers"] = kept
    if body:
        found["body"] = _body(body)
    return found


def head_of(status: int, headers: Headers) -> dict[str, Any]:
    """Return the head of a response as it is kept."""
    kept = [[name.lower(), value] for name, value in headers if name.lower() not in PASSING_HEADERS]
    return {"status": status, "headers": kept}


def read_head(reply: Any) -> tuple[int, list[tuple[str, str]]]:
    """Return status and headers of a kept head. Raises `CassetteError` for what is none."""
    match reply:
        case {"status": int(status), "headers": list(headers)}:
            return status, [(str(name), str(value)) for name, value in headers]
    raise CassetteError(f"a reply over HTTP has a status and headers, and this is {str(reply)[:200]!r}")


def _body(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        # Whole UTF-8 is written as text, whatever else as tagged bytes.
        return body
