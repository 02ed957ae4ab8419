"""Tickets: what stands in a URL in place of a key, as `EventSource` cannot send one.

A ticket is good for one request, and for a short while. What is kept of it is a digest. Does not know requests.
"""

from collections import OrderedDict
from typing import Final

from playhead.clock import SYSTEM_CLOCK, Clock
from playhead.ids import SYSTEM_IDS, Ids, derived_id

_MAX_TICKETS: Final = 10_000


class Tickets:
    """Issue tickets that last `ttl_s` seconds, and take them back. At most 10,000 are out: the oldest ones lapse."""

    def __init__(self, ttl_s: float, *, clock: Clock = SYSTEM_CLOCK, ids: Ids = SYSTEM_IDS) -> None:
        self.ttl_s: float = ttl_s
        self._clock = clock
        self._ids = ids
        self._issued: OrderedDict[str, int] = OrderedDict()

    def issue(self) -> str:
        """Return a new ticket."""
        ticket = self._ids.new()
        self._issued[digest(ticket)] = self._clock.monotonic_ns()
        if len(self._issued) > _MAX_TICKETS:
            self._issued.popitem(last=False)
        return ticket

    def take(self, ticket: str) -> bool:
        """Say whether a ticket is good. From then on it is not."""
        issued_ns = self._issued.pop(digest(ticket), None)
        return issued_ns is not None and self._clock.monotonic_ns() - issued_ns <= self.ttl_s * 1e9


def digest(ticket: str) -> str:
    """Return what can be kept of a ticket, also on a tape: nobody gets the ticket from it."""
    return derived_id(f"ticket {ticket}")
