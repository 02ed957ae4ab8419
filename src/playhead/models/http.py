"""A model over HTTP, as the track `model` keeps it: requests and heads of responses, as values with a JSON form.

    request  {"method": "POST", "path": "/v1/responses", "query": [["alt", "sse"]], "headers": [...], "body": {...}}
    reply    {"status": 200, "headers": [["content-type", "text/event-stream"]]}
    chunk    bytes, as they were read
    fault    what the connection failed with
    end      complete, closed or cancelled

Knows which headers matter to whoever replays. Does not know sockets or clients.
"""

import json
import re
from collections.abc import Iterable, Mapping
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

_MULTIPART: Final = re.compile(r'multipart/.*\bboundary="?([^\s;"]+)', re.IGNORECASE)
_BOUNDARY: Final = "boundary"


def request_of(method: str, url: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return a request as it is kept and matched. A body that is JSON is kept as JSON, any other as text or bytes.

    The host is left out: a replay has another one. What separates the parts of a form is always `boundary`: a client
    draws another one each time.
    """
    split = urlsplit(url)
    kept = sorted([name.lower(), value] for name, value in headers if name.lower() in ASKING_HEADERS)
    for header in kept:
        if header[0] == "content-type":
            header[1], body = _form(header[1], body)
    found: dict[str, Any] = {"method": method.upper(), "path": split.path or "/"}
    if split.query:
        found["query"] = [list(pair) for pair in parse_qsl(split.query, keep_blank_values=True)]
    if kept:
        found["headers"] = kept
    if body:
        found["body"] = _body(body)
    return found


def is_http(request: Any) -> bool:
    """Tell whether a recorded question was asked over HTTP."""
    return isinstance(request, Mapping) and {"method", "path"} <= request.keys()


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


def _form(content_type: str, body: bytes) -> tuple[str, bytes]:
    """Return the type and the body of a form with a boundary that is always the same; of anything else as they are."""
    found = _MULTIPART.match(content_type)
    if found is None:
        return content_type, body
    even_type = content_type[: found.start(1)] + _BOUNDARY + content_type[found.end(1) :]
    return even_type, body.replace(b"--" + found[1].encode(), b"--" + _BOUNDARY.encode())


def _body(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        # Whole UTF-8 is written as text, whatever else as tagged bytes.
        return body
