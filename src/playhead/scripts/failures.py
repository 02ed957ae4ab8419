"""How providers of models say no, as data.

Knows what every provider has a word for. The words themselves, and the bodies around them, are each provider's own.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final


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


RateLimit: Final = partial(ProviderFailure, kind="rate_limit", status=429, message="Rate limit reached.")
"""Too many requests: 429."""

Overloaded: Final = partial(ProviderFailure, kind="overloaded", status=529, message="Overloaded.")
"""The provider has more work than it can do: 529 at Anthropic, 503 elsewhere."""

ServerError: Final = partial(ProviderFailure, kind="server_error", status=500, message="The server had an error.")
"""Something broke at the provider: 500."""

BadRequest: Final = partial(ProviderFailure, kind="bad_request", status=400, message="The request is not valid.")
"""The request is wrong: 400. Trying again does not help."""

Unauthorized: Final = partial(ProviderFailure, kind="unauthorized", status=401, message="Incorrect API key provided.")
"""The key is wrong: 401."""
