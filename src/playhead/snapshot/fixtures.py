"""What the fixtures `sse_snapshot` and `events_snapshot` return.

Knows which extension belongs to which. Does not know pytest: the plugin makes the fixtures.
"""

from syrupy.assertion import SnapshotAssertion

from playhead.snapshot.assertion import StreamSnapshot, make_assertion
from playhead.snapshot.extensions import EventsExtension, SSEExtension


def make_sse_snapshot(snapshot: SnapshotAssertion) -> StreamSnapshot:
    """Return the assertion that compares the bytes of an event stream, made of syrupy's own `snapshot`.

    `assert response.content == sse_snapshot` compares with a file that holds these bytes. It takes what
    `playhead.snapshot.canonical_sse` takes.
    """
    return make_assertion(snapshot, SSEExtension)


def make_events_snapshot(snapshot: SnapshotAssertion) -> StreamSnapshot:
    """Return the assertion that compares events, made of syrupy's own `snapshot`.

    `assert events == events_snapshot` compares with a file of canonical JSON Lines. It takes what
    `playhead.snapshot.canonical` takes.
    """
    return make_assertion(snapshot, EventsExtension)
