"""The comparison of two streams of events: one inserted event is one difference, whatever follows it."""

from playhead.comparing.comparison import ABSENT, Absent, Comparison, Difference, Kind
from playhead.comparing.streams import compare

__all__ = ["ABSENT", "Absent", "Comparison", "Difference", "Kind", "compare"]
