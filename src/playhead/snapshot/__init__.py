"""Golden files of streams: what is stored of them, and how differences are told.

Re-exported is what works without syrupy: the canonical form of events and of event streams as plain values.
"""

from playhead.snapshot.values import canonical, canonical_sse

__all__ = ["canonical", "canonical_sse"]
