"""The errors of OpenAI: the same in chat completions and in responses."""

from types import MappingProxyType
from typing import Any, Final

from playhead.errors import ModelFailure

_WORDS: Final = MappingProxyType(
    {
        "rate_limit": ("requests", "rate_limit_exceeded"),
        "overloaded": ("server_error", "server_overloaded"),
        "server_error": ("server_error", "server_error"),
        "bad_request": ("invalid_request_error", None),
        "unauthorized": ("invalid_request_error", "invalid_api_key"),
        "not_found": ("invalid_request_error", "not_found"),
    }
)
"""The type and the code of each kind of failure."""


def error_body(failure: ModelFailure, request_id: str) -> dict[str, Any]:
    """Return the body of a refusal. A kind without a word of OpenAI's is its own."""
    kind, code = _WORDS.get(failure.kind, (failure.kind, failure.kind))
    return {"error": {"message": str(failure), "type": kind, "param": None, "code": code}}
