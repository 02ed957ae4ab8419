"""What each mode does, as a table.

The unit is a whole exchange or a whole run: half a stream is worth nothing. Knows words; does not know cassettes.

    mode           no cassette   there is one
    none           it fails      all is replayed
    once           recorded      all is replayed
    new_episodes   recorded      what is on it is replayed, the rest is recorded and put behind it
    all            recorded      all is recorded anew; what was not asked for this time is kept
    rewrite        recorded      all is recorded anew; nothing is kept
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mode:
    """Say what happens to a cassette. All four are about one that is there, but for `records_missing`.

    `replays` what is on it, `records` what is not, or everything where it does not replay, and `keeps` what is on it
    and did not occur.
    """

    name: str
    records_missing: bool
    replays: bool
    records: bool
    keeps: bool

    def on(self, *, exists: bool) -> "Mode":
        """Return what the mode means for a cassette that is there or not: without one there is nothing to replay."""
        return self if exists or not self.records_missing else MODES["rewrite"]


MODES: Final = {
    mode.name: mode
    for mode in (
        Mode("none", records_missing=False, replays=True, records=False, keeps=True),
        Mode("once", records_missing=True, replays=True, records=False, keeps=True),
        Mode("new_episodes", records_missing=True, replays=True, records=True, keeps=True),
        Mode("all", records_missing=True, replays=False, records=True, keeps=True),
        Mode("rewrite", records_missing=True, replays=False, records=True, keeps=False),
    )
}
"""The modes by their names."""
