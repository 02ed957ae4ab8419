"""How providers of models say no, as data.

Knows what every provider has a word for. The words themselves, and the bodies around them, are each provider's own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderFailure:
    """A provider's refusal. `kind` is one of ours; each wire format has its own name for it.

    `status` is the HTTP status of a refusal before the first byte of an answer; afterwards a refusal is an event in the
    stream. `retry_after_s` is sent along as the seconds to wait before trying again.
    """

    kind: str = "server_error"
    status: int = 500
    message: str = "The server had an error."
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimit(ProviderFailure):
    """Too many requests: 429."""

    kind: str = "rate_limit"
    status: int = 429
    message: str = "Rate limit reached."


@dataclass(frozen=True, slots=True)
class Overloaded(ProviderFailure):
    """The provider has more work than it can do: 529 at Anthropic, 503 elsewhere."""

    kind: str = "overloaded"
    status: int = 529
    message: str = "Overloaded."


@dataclass(frozen=True, slots=True)
class ServerError(ProviderFailure):
    """Something broke at the provider: 500."""

    kind: str = "server_error"
    status: int = 500
    message: str = "The server had an error."


@dataclass(frozen=True, slots=True)
class BadRequest(ProviderFailure):
    """The request is wrong: 400. Trying again does not help."""

    kind: str = "bad_request"
    status: int = 400
    message: str = "The request is not valid."


@dataclass(frozen=True, slots=True)
class Unauthorized(ProviderFailure):
    """The key is wrong: 401."""

    kind: str = "unauthorized"
    status: int = 401
    message: str = "Incorrect API key provided."
