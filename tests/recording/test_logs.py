"""Plain logs become cassettes: each line whole, in its time, without secrets, or with a word of what is wrong."""

import io
import json
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.cassettes.format import MAX_LINE_BYTES
from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.places import Place, locate
from playhead.cassettes.reading import Cassette
from playhead.errors import CassetteError, PlayheadError, UsageError
from playhead.events.base import Event, OpaqueEvent
from playhead.events.codec import decode_json, encode_event
from playhead.events.dialects import DIALECTS
from playhead.events.tagged import loads
from playhead.recording.logs import Imported, import_log
from tests.events.samples import CLASSES, events_of
from tests.recording.samples import made_up_key

THINK = b'{"event_type":"think","iteration":1}'


class _Log(io.RawIOBase):
    """Be a log that is never in memory as a whole."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        block, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


def imported(content: bytes, dialect: str = "locus", **options: Any) -> tuple[Imported, Cassette]:
    """Import a log into memory, and return what was said of it and the cassette."""
    place = Place(MemoryStore(), "tape")
    options = {"redact": ()} | options
    done = import_log(io.BytesIO(content), place, dialect=dialect, where="run.log", **options)
    return done, place.read()


def refused(content: bytes, dialect: str = "locus", **options: Any) -> str:
    """Return why a log is refused."""
    with pytest.raises(PlayheadError) as caught:
        imported(content, dialect, **options)
    return str(caught.value)


def events(path: Path) -> list[Any]:
    """Return the events of a recording of a real run."""
    return [row["event"] for row in map(json.loads, path.read_text("utf-8").splitlines()) if "event" in row]


def test_every_recording_of_a_real_run_is_imported_whole(shared_data: Path) -> None:
    """Each event is typed, and comes back equal as JSON: from its bytes, and from its typed fields alone."""
    seen: set[type] = set()
    for path in sorted((shared_data / "runs").glob("*.jsonl")):
        dialect = DIALECTS["locus" if path.name.startswith("locus") else "shipit"]
        log = [json.dumps(event) for event in events(path)]
        done, cassette = imported("\n".join(log).encode(), dialect.name)
        assert not done.opaque
        datas = [entry.data for entry in cassette.entries()]
        typed = [decode_json(data, dialect) for data in datas]
        seen.update(map(type, typed))
        assert [repr(loads(data)) for data in datas] == [repr(json.loads(line)) for line in log]
        for event, line in zip(typed, log, strict=True):
            assert not isinstance(event, OpaqueEvent)
            assert _same(encode_event(event.model_copy(update={"nothing": None})), json.loads(line) | {"nothing": None})
    assert len(seen) > 8


def _same(mine: Any, theirs: Any) -> bool:
    """Compare two JSON objects, but for the spelling of times."""
    return repr(_without_time(mine)) == repr(_without_time(theirs))


def _without_time(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_time(value[key]) for key in sorted(value) if key != "timestamp"}
    return [_without_time(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@settings(max_examples=10)
@given(data=st.data())
def test_every_class_of_the_native_union_is_imported(cls: type[Event], data: st.DataObject) -> None:
    """An event of each class comes back as that class, equal as JSON, from its bytes and from its fields alone."""
    event = data.draw(events_of(cls))
    line = json.dumps(encode_event(event))
    done, cassette = imported(line.encode())
    (entry,) = cassette.entries()
    typed = decode_json(entry.data, DIALECTS["locus"])
    assert (type(typed), dict(done.opaque)) == (cls, {})
    assert repr(entry.value()) == repr(json.loads(line))
    assert encode_event(typed.model_copy(update={"nothing": None})).keys() == {*json.loads(line), "nothing"}


@pytest.mark.parametrize(
    ("dialect", "times", "dts"),
    [
        ("locus", ['"2030-01-01T00:00:00Z"', '"2030-01-01T00:00:01.5+00:00"'], [0, 1_500_000]),
        ("locus", ['"2030-01-01T01:00:00+01:00"', '"2030-01-01T00:00:00.000001Z"'], [0, 1]),
        ("locus", ['"2030-01-01T00:00:05Z"', '"2030-01-01T00:00:03Z"', '"2030-01-01T00:00:06Z"'], [0, 0, 1_000_000]),
        ("locus", ['"soon"', '"2030-01-01T00:00:00Z"', "null", '"2030-01-01T00:00:01Z"'], [0, 0, 0, 1_000_000]),
        ("shipit", ["1795220580.25", "1795220580.5"], [0, 250_000]),
        ("shipit", ["5", "1e300", "true", "6"], [0, 0, 0, 1_000_000]),
        ("shipit", ["NaN", "5", "7"], [0, 0, 2_000_000]),
    ],
)
def test_times_are_those_of_the_events(dialect: str, times: list[str], dts: list[int]) -> None:
    """`dt` is the difference of the events' own times, never negative, and 0 where an event does not say."""
    tag = DIALECTS[dialect].tag
    log = "\n".join(f'{{"{tag}":"x","timestamp":{time}}}' for time in times)
    _, cassette = imported(log.encode(), dialect)
    assert [entry.dt_us for entry in cassette.entries()] == dts


def test_blank_lines_line_ends_and_a_bom_are_no_part_of_events() -> None:
    """CRLF, blank lines, a byte order mark and a missing last newline change nothing; inner spaces stay."""
    spaced = b'{ "event_type": "think", "iteration": 2 }'
    _, cassette = imported(b"\xef\xbb\xbf" + THINK + b"\r\n\r\n  \n" + spaced + b"  \r\n" + THINK)
    assert [entry.data for entry in cassette.entries()] == [THINK, spaced, THINK]


ODD = [
    b'{"event_type":"custom","name":"x","data":{"n":NaN,"i":Infinity,"m":-Infinity}}',
    b'{"event_type":"custom","name":"\\ud800","data":{"\\udfff":"\\ud83d\\ude00"}}',
    b'{"event_type":"custom","name":"x","data":{"n":12345678901234567890123}}',
    b'{"event_type":"custom","name":"x","data":{"$playhead":"nan"}}',
    b'{"event_type":"custom","name":"x","data":{"text":"' + b"x" * 1_000_000 + b'"}}',
    json.dumps(
        {
            "event_type": "subagent",
            "tool_call_id": "a",
            "tool_name": "task",
            "event": {"event_type": "subagent", "tool_call_id": "b", "tool_name": "task", "event": json.loads(THINK)},
        }
    ).encode(),
    b'{"event_type":"nobody_knows","data":' + b"[" * 180 + b"]" * 180 + b"}",
]


@pytest.mark.parametrize("line", ODD, ids=["nan", "surrogate", "digits", "mark", "1 MB", "nested", "deep"])
@pytest.mark.parametrize("redact", [(), None], ids=["kept", "redacted"])
def test_odd_events_come_back(line: bytes, redact: tuple[str, ...] | None) -> None:
    """What is odd but JSON to Python comes back as Python would have read it."""
    _, cassette = imported(line, redact=redact)
    (entry,) = cassette.entries()
    assert repr(entry.value()) == repr(json.loads(line))
    decode_json(entry.data, DIALECTS["locus"])


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


@given(st.lists(st.dictionaries(st.text(max_size=4), values, max_size=3), min_size=1, max_size=5))
def test_any_json_object_comes_back(objects: list[dict[str, Any]]) -> None:
    """Whatever Python's own `json` writes is taken and given back, in order."""
    wanted = [found | {"event_type": "x"} for found in objects]
    _, cassette = imported("\n".join(map(json.dumps, wanted)).encode())
    assert [repr(entry.value()) for entry in cassette.entries()] == [
        repr(json.loads(json.dumps(value))) for value in wanted
    ]


@given(st.binary(max_size=200))
def test_rubbish_is_refused_by_line(rubbish: bytes) -> None:
    """Whatever the bytes, they are imported, or refused with one of our errors that names the log."""
    raised: list[CassetteError] = []
    try:
        imported(rubbish)
    except CassetteError as error:
        raised.append(error)
    assert all(str(error).startswith("run.log") for error in raised)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "run.log has no events: there is nothing to make a cassette of"),
        (b"\n \n", "run.log has no events: there is nothing to make a cassette of"),
        (THINK + b"\n[1]", "run.log:2: an event is a JSON object, and this is an array"),
        (b'"think"', "run.log:1: an event is a JSON object, and this is a string"),
        (b"3", "run.log:1: an event is a JSON object, and this is a number"),
        (b"null", "run.log:1: an event is a JSON object, and this is null"),
        (THINK + b"\n\n{", "run.log:3: not JSON: "),
        (b"\x00\x01\x02\xff", "run.log:1: not JSON: "),
        (b"\xff\xfe{\x00}\x00", "run.log:1: the log is UTF-16: convert it to UTF-8"),
        (b'{"iteration":1}', "run.log:1: not an event of dialect 'locus': no text field 'event_type' names its type"),
        (b'{"type":"run_started"}', "as 'shipit' it would be one"),
        (b'{"event_type":"x","n":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "is nested 10,001 levels deep"),
        (b'{"event_type":"x","n":' + b"1" * 5000 + b"}", "a number of more than 4,000 digits"),
        (b'{"playhead":1,"name":"x"}', "run.log is a cassette already: copy it with `playhead convert`"),
    ],
)
def test_what_is_no_log_is_refused(content: bytes, message: str) -> None:
    """The message names the log, the line, and what is wrong with it."""
    assert message in refused(content)


def test_a_line_that_is_too_long_is_refused_in_bounded_memory() -> None:
    """A line of 100 MB is given up once it is longer than any event, and is named."""
    taken = 0

    def pieces() -> Iterable[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1_000_000
            yield b"x" * 1_000_000

    place = Place(MemoryStore(), "tape")
    log = io.BufferedReader(_Log(pieces()))
    with pytest.raises(CassetteError, match=r"^run\.log:1: the line is longer than 67,108,864 bytes: no event is$"):
        import_log(log, place, dialect="locus", where="run.log")
    assert taken < MAX_LINE_BYTES + 4_000_000


def test_a_refused_log_leaves_nothing(tmp_path: Path) -> None:
    """Neither a cassette nor an unfinished one is left behind."""
    place = locate(tmp_path / "trip.jsonl")
    with pytest.raises(CassetteError):
        import_log(io.BytesIO(THINK + b"\nno"), place, dialect="locus", where="run.log")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_cassette_is_replaced_only_on_purpose(tmp_path: Path) -> None:
    """Without `replace` the cassette that has the name stays as it was."""
    place = locate(tmp_path / "trip.jsonl")
    import_log(io.BytesIO(THINK), place, dialect="locus", where="run.log")
    before = (tmp_path / "trip.jsonl").read_bytes()
    two = THINK + b"\n" + THINK
    with pytest.raises(CassetteError, match="exists already"):
        import_log(io.BytesIO(two), place, dialect="locus", where="run.log")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]
    import_log(io.BytesIO(two), place, dialect="locus", where="run.log", replace=True)
    assert place.read().entry_count == 2


def test_the_end_is_what_the_caller_says() -> None:
    """A log does not say how its run ended: that is `unknown`, or what the caller knows."""
    assert imported(THINK)[0].seal.runs == {"r1": "unknown"}
    assert imported(THINK, end="error")[0].seal.end == "error"
    assert "does not end as 'well'" in refused(THINK, end="well")


def test_secrets_are_taken_out_even_where_a_stream_cuts_them() -> None:
    """A key that three chunks share never reaches the cassette, and is counted in the seal."""
    key = "sk-" + "proj-" + "Ab3dEf9hIj" * 4
    cut = [key[:7], key[7:20], key[20:], " done"]
    log = [json.dumps({"event_type": "model_chunk", "content": piece, "done": False}) for piece in cut]
    done, cassette = imported("\n".join(log).encode(), redact=None)
    joined = "".join(entry.value()["content"] for entry in cassette.entries())
    assert joined == "<openai-key-1> done"
    assert done.seal.redacted == {"openai-key": 1}
    assert cassette.header.redact


def test_events_of_another_dialect_are_noticed() -> None:
    """Types that the dialect does not know are counted, and a dialect that knows most of them is named."""
    turns = [{"type": "RequestStart", "turn_id": "t"}, {"type": "TextDelta", "turn_id": "t", "text": "a"}]
    log = "\n".join(json.dumps(event) for event in [*turns, turns[1]]).encode()
    done, _ = imported(log, "shipit")
    assert (dict(done.opaque), done.better) == ({"TextDelta": 2, "RequestStart": 1}, "turns")
    done, _ = imported(log, "turns")
    assert (dict(done.opaque), done.better) == ({}, None)
    done, _ = imported(b'{"event_type":"nobody_knows"}\n' + THINK)
    assert (dict(done.opaque), done.better) == ({"nobody_knows": 1}, None)


def test_progress_is_told_in_bytes() -> None:
    """The sizes add up to the log."""
    sizes: list[int] = []
    imported((THINK + b"\n") * 5, on_bytes=sizes.append)
    assert sum(sizes) == 5 * (len(THINK) + 1)


def test_a_long_log_takes_constant_memory(tmp_path: Path) -> None:
    """A log of 40 MB is imported without being held: the peak stays far below it."""
    line = b'{"event_type":"custom","name":"x","data":{"text":"' + b"y" * 100_000 + b'"}}\n'
    log = io.BufferedReader(_Log(line for _ in range(400)))
    tracemalloc.start()
    try:
        import_log(log, locate(tmp_path / "long.jsonl"), dialect="locus", where="run.log", redact=())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "long.jsonl").stat().st_size > 40_000_000
    assert peak < 12_000_000


def test_unknown_names_are_refused_before_anything_is_made() -> None:
    """An unknown dialect or rule is the caller's mistake."""
    with pytest.raises(UsageError, match="did you mean 'shipit'"):
        imported(THINK, "shipt")
    with pytest.raises(UsageError, match="keyz"):
        imported(THINK, redact=["keyz"])


def test_a_name_is_written_without_secrets() -> None:
    """What a cassette is called goes through the same rules as its events."""
    _, cassette = imported(THINK, name=f"run of {made_up_key()}", redact=None)
    assert cassette.header.name == "run of <openai-key-1>"
