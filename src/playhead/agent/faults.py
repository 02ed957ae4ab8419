"""What can go wrong in a run, in words: a fault has a reason that the run ends with, and an error that tells more.

Knows exceptions, those of the usual SDKs by their HTTP status. Does not know who raised them, nor what is done.
"""

from collections.abc import Mapping
from typing import Any, Final

from playhead.errors import ModelFailure, PlayheadError, RecordedError


class Fault(Exception):
    """End a run, or a model's answer, with a reason. Internal to the agent: who runs it reads a terminal event."""

    def __init__(
        self, reason: str, error: str | None = None, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(error or reason)
        self.reason = reason
        self.error = error
        self.status = status
        self.retry_after_s = retry_after_s


STATUS_FAULTS: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthorized",
    403: "unauthorized",
    404: "bad_request",
    408: "timeout",
    422: "bad_request",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
"""What the HTTP status of an SDK's exception means. Any other from 500 on is `server_error`."""


def is_harness_failure(error: BaseException) -> bool:
    """Say whether an exception is about the test and not about the agent: nobody may take it for an answer."""
    return isinstance(error, PlayheadError) and not isinstance(error, ModelFailure | RecordedError)


def model_fault(error: Exception) -> Fault:
    """Return what an exception of a model means: one of its `kind`s, `timeout`, or `model_error` where nobody knows."""
    if isinstance(error, Fault):
        return error
    status = _status(error)
    return Fault(_reason(error, status), f"{type(error).__name__}: {error}", status=status, retry_after_s=_later(error))


def _reason(error: Exception, status: int | None) -> str:
    if isinstance(error, ModelFailure):
        return error.kind
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return "timeout"
    if status is not None and status >= 400:
        return STATUS_FAULTS.get(status, "server_error" if status >= 500 else "bad_request")
    return "cut" if isinstance(error, ConnectionError | EOFError) else "model_error"


def _status(error: Exception) -> int | None:
    found: Any = getattr(error, "status", None) or getattr(error, "status_code", None)
    return found if isinstance(found, int) else None


def _later(error: Exception) -> float | None:
    return error.retry_after_s if isinstance(error, ModelFailure) else None
