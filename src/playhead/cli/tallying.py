"""What is on tapes, in numbers: runs and how they ended, entries, events, times.

Knows cassettes. What lasts how long is measured in `playhead.events.measuring`. Does not print.
"""

from collections import Counter

from playhead.cassettes.reading import Cassette
from playhead.events.measuring import Measures, Meter
from playhead.replaying.tape import Tape


class Tally:
    """Add tapes up."""

    def __init__(self) -> None:
        self.cassettes: int = 0
        self.runs: int = 0
        self.entries: int = 0
        self.byte_count: int = 0
        self.recorded_us: int = 0
        self.ends: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.tracks: Counter[str] = Counter()
        self.types: Counter[str] = Counter()
        self.measures: Measures = Measures()

    def add(self, cassette: Cassette, byte_count: int) -> None:
        """Add a cassette. Raises what reading its entries raises."""
        tape = Tape(cassette)
        self.cassettes += 1
        self.byte_count += byte_count
        self.runs += len(tape.runs)
        self.ends.update(tape.runs.values())
        if tape.seal is not None:
            self.errors.update(failure.type for failure in tape.seal.errors.values())
        meters: dict[str, Meter] = {}
        at_us = 0
        for entry in cassette.entries():
            # A run begins when it is asked for, not with its first event.
            since_us, at_us = at_us, at_us + entry.dt_us
            self.entries += 1
            self.tracks[f"{entry.track}.{entry.kind}"] += 1
            value = entry.value() if (entry.track, entry.kind) == ("event", "event") else None
            if isinstance(value, dict):
                self.types[tape.dialect.type_of(value) or "(no type)"] += 1
                if entry.owner not in meters:
                    meters[entry.owner] = Meter(tape.dialect, self.measures, since_us=since_us)
                meters[entry.owner].feed(value, at_us)
        self.recorded_us += at_us
        for meter in meters.values():
            meter.close()
