"""A run names itself with its first entry, and only its first end counts."""

from collections.abc import Collection
from typing import Any

from playhead.cassettes.format import Failure
from playhead.errors import CassetteError, PlayheadError, UsageError
from playhead.events.tagged import dumps
from playhead.recording.runs import Run, untaped
from playhead.recording.texts import Piece, Stream


class Paper:
    """Be a tape that keeps what runs write, up to a number of entries."""

    def __init__(self, room: int = 99) -> None:
        self.failure: PlayheadError | None = None
        self.lines: list[tuple[bytes, bytes]] = []
        self.runs: list[Run] = []
        self.room = room

    def open_run(self, run: Run) -> str:
        self.runs.append(run)
        return f"r{len(self.runs)}"

    def put(self, prefix: bytes, data: bytes, piece: Piece | None = None) -> None:
        if len(self.lines) == self.room:
            raise CassetteError("full")
        self.lines.append((prefix, data))

    def flush(self, streams: Collection[Stream]) -> None:
        raise AssertionError("no run here has streams")

    def describe(self, error: BaseException) -> Failure:
        return Failure(type=type(error).__name__, message=str(error))


def run(paper: Paper, **options: Any) -> Run:
    """Return a run on a tape; how it ended is the JSON of its last item."""
    return Run(paper, "event", "event", encode=dumps, end_of=lambda last: (last or b"none").decode(), **options)


def test_a_name_comes_with_the_first_entry() -> None:
    """Runs are numbered as they begin, not as they are made."""
    paper = Paper()
    first, second = run(paper), run(paper)
    second.take(1)
    first.take(2)
    second.note("checkpoint", {})
    assert (first.name, second.name) == ("r2", "r1")
    assert paper.lines == [
        (b',"track":"event","run":"r1","kind":"event","data":', b"1"),
        (b',"track":"event","run":"r2","kind":"event","data":', b"2"),
        (b',"track":"event","run":"r1","kind":"checkpoint","data":', b"{}"),
    ]


def test_the_last_telling_item_tells() -> None:
    """Items that are not telling are taped, and pass over the end."""
    told = run(Paper(), telling=lambda item: item < 10)
    for item in (1, 2, 30):
        told.take(item)
    told.finish()
    assert told.end == "2"


def test_only_the_first_end_counts() -> None:
    """A source that failed and is closed afterwards has failed; an item after the end takes the end back."""
    error = ValueError("no")
    failed = run(Paper())
    failed.finish(error)
    failed.finish(GeneratorExit())
    assert (failed.end, failed.error) == ("error", error)
    failed.take(1)
    assert (failed.end, failed.error, failed.failure) == (None, None, None)
    failed.finish()
    assert failed.end == "1"


def test_a_failure_stops_all_runs_of_the_tape() -> None:
    """After the first entry that could not be written no run writes another one, and none raises."""
    paper = Paper(room=1)
    first, second = run(paper), run(paper)
    first.take(1)
    first.take(2)
    paper.room = 99
    second.take(3)
    first.finish()
    assert isinstance(paper.failure, CassetteError)
    assert [data for _, data in paper.lines] == [b"1"]
    assert first.end == "1"


def test_a_note_begins_a_run_and_stops_what_an_item_would() -> None:
    """Whatever comes first names the run; a note goes to another track if told so, and its failure is kept."""
    paper = Paper(room=1)
    noted = run(paper)
    noted.note("input", "yes", track="wire")
    noted.note("input", "no")
    paper.room = 99
    noted.note("input", "maybe")
    assert paper.lines == [(b',"track":"wire","run":"r1","kind":"input","data":', b'"yes"')]
    assert isinstance(paper.failure, CassetteError)


def test_foreign_errors_are_explained() -> None:
    """What somebody's own class raises while it is taped becomes an error of ours; ours stay."""
    ours, theirs = UsageError("ours"), KeyError("k")
    assert untaped(ours, 1) is ours
    explained = untaped(theirs, 1)
    assert str(explained) == "int could not be taped: KeyError: 'k'"
    assert explained.__cause__ is theirs
