"""`playhead import`, `convert`, `repair` and `scrub`: one cassette becomes of something else, and nothing is lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from playhead.cassettes.places import locate
from playhead.replaying.tape import open_tape
from tests.cli.running import SEARCH, playhead, process, write_tape

LOG = "".join(json.dumps(event) + "\n" for _, event in SEARCH).encode()
KEY = "sk-" + "proj-" + "Ab3dEf9hIj" * 4


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names() -> list[str]:
    """Return the names of all files there are."""
    return sorted(path.name for path in Path().rglob("*"))


def test_a_log_becomes_a_cassette_beside_it() -> None:
    """What went in comes out equal as JSON, line by line."""
    Path("run.log").write_bytes(LOG)
    assert playhead("import", "run.log", "--dialect", "locus") == (
        0,
        "9 events of run.log are in run.cassette.jsonl (dialect locus, end unknown)\n",
        "",
    )
    assert names() == ["run.cassette.jsonl", "run.log"]
    assert playhead("show", "run.cassette.jsonl", "--events").lines() == [event for _, event in SEARCH]


def test_every_recording_of_a_real_run_goes_through_the_command(shared_data: Path) -> None:
    """Imported without redaction and printed again, each is equal as JSON."""
    for path in sorted((shared_data / "runs").glob("*.jsonl")):
        rows = map(json.loads, path.read_text("utf-8").splitlines())
        events = [row["event"] for row in rows if "event" in row]
        dialect = path.name[: 5 if path.name.startswith("locus") else 6]
        stdin = "\n".join(map(json.dumps, events)).encode()
        place = f"runs.db::{path.stem}"
        done = playhead("import", "-", "-d", dialect, "-o", place, "--no-redact", "--end", "closed", stdin=stdin)
        assert (done.code, done.err) == (0, "")
        assert repr(playhead("show", place, "--events").lines()) == repr(events)


def test_import_says_all_in_json() -> None:
    """Options go into the cassette: name, end, rules, and where it is."""
    Path("run.log").write_bytes(json.dumps({"event_type": "custom", "name": f"the key is {KEY}"}).encode())
    options = ["-o", "tapes/x.jsonl", "--name", "mine", "--end", "error", "--redact", "keys", "--json"]
    assert playhead("import", "run.log", "-d", "locus", *options).lines() == [
        {
            "place": "tapes/x.jsonl",
            "entries": 1,
            "end": "error",
            "dialect": "locus",
            "opaque": {},
            "better": None,
            "redacted": {"openai-key": 1},
        }
    ]
    with open_tape("tapes/x.jsonl") as tape:
        assert (tape.header.name, tape.end(), tape.header.redact) == ("mine", "error", ["keys"])
    assert KEY not in Path("tapes/x.jsonl").read_text()
    shown = playhead("import", "run.log", "-d", "locus", "-o", "y.jsonl")
    assert shown.out.splitlines()[1] == "redacted: 1 × openai-key"


def test_a_wrong_dialect_is_warned_of() -> None:
    """Where another dialect knows more of the types, it is named, on standard error."""
    turn = {"type": "TextDelta", "turn_id": "t1", "text": "hi"}
    Path("run.log").write_text(f"{json.dumps(turn)}\n" * 2)
    shown = playhead("import", "run.log", "-d", "shipit", "--json")
    assert shown.code == 0
    assert shown.lines()[0]["opaque"] == {"TextDelta": 2}
    assert shown.err == (
        "warning: dialect 'shipit' cannot read 2 events of 2: 'TextDelta'; `--dialect turns` knows more of them\n"
    )
    Path("odd.log").write_text('{"event_type":"nobody_knows"}\n')
    assert playhead("import", "odd.log", "-d", "locus").err == (
        "warning: dialect 'locus' cannot read 1 event of 1: 'nobody_knows'; they are kept whole\n"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run.log", "-d", "locus", "-o", "there.jsonl"], "there.jsonl exists already"),
        (["run.log", "-d", "locus", "-o", "run.log"], "does not say what it is"),
        (["log.jsonl", "-d", "locus", "-o", "log.jsonl", "--force"], "log.jsonl is the log itself"),
        (["there.jsonl", "-d", "locus"], "there.jsonl is a cassette already"),
        (["run.lag", "-d", "locus"], "there is no log 'run.lag'; did you mean 'run.log'?"),
        ([".", "-d", "locus"], "'.' is a folder, not a log"),
        (["run.log", "-d", "locs"], "gemini; did you mean 'locus'?"),
        (["run.log", "-d", "shipit"], "run.log:1: not an event of dialect 'shipit'"),
        (["run.log", "-d", "locus", "--end", "well"], "a run does not end as 'well'"),
        (["run.log", "-d", "locus", "--redact", "keyz"], "keyz"),
        (["run.log", "-d", "locus", "--redact", "keys", "--no-redact"], "contradict"),
        (["-", "-d", "locus"], "say with --out where"),
        (["-", "-d", "locus", "-o", "x.jsonl"], "<stdin> has no events"),
        (["run.log"], "Missing option '--dialect'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_failed_import_changes_nothing(args: list[str], message: str) -> None:
    """The exit code is 2, and there is no file that was not there before."""
    Path("run.log").write_bytes(LOG)
    Path("log.jsonl").write_bytes(LOG)
    write_tape("there.jsonl")
    before = {name: Path(name).read_bytes() for name in names()}
    failed = playhead("import", *args)
    assert (failed.code, failed.out) == (2, "")
    assert message in failed.err
    assert {name: Path(name).read_bytes() for name in names()} == before


def test_a_cassette_goes_to_other_stores_and_back() -> None:
    """The bytes are the same, whatever the way; a folder or a store takes the name of the source."""
    path = write_tape("trip.jsonl")
    assert (
        playhead("convert", "trip.jsonl", "runs.db").out == "trip.jsonl -> runs.db::trip: 9 entries, the same bytes\n"
    )
    Path("tapes").mkdir()
    (found,) = playhead("convert", "runs.db", "tapes", "--json").lines()
    assert (found["from"], found["to"], found["entries"]) == ("runs.db::trip", "tapes/trip.jsonl", 9)
    assert Path("tapes/trip.jsonl").read_bytes() == path.read_bytes()


def test_convert_replaces_only_on_purpose() -> None:
    """An existing cassette stays, damaged or not, unless `--force` is given."""
    write_tape("a.jsonl")
    Path("b.jsonl").write_bytes(b"rubbish")
    assert "b.jsonl exists already" in playhead("convert", "a.jsonl", "b.jsonl").err
    assert Path("b.jsonl").read_bytes() == b"rubbish"
    assert playhead("convert", "a.jsonl", "b.jsonl", "--force").code == 0
    assert Path("b.jsonl").read_bytes() == Path("a.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        ("trip.jsonl", "trip.repaired.jsonl"),
        ("trip.jsonl.partial", "trip.repaired.jsonl"),
        ("trip.jsonl.torn.2", "trip.repaired.jsonl"),
    ],
)
def test_repair_copies_what_is_intact(name: str, copy: str) -> None:
    """The damaged one stays, the copy is sound, and what was lost is told."""
    path = write_tape("trip.jsonl").rename(name)
    torn = b"".join(path.read_bytes().splitlines(keepends=True)[:4]) + b'{"dt":'
    path.write_bytes(torn)
    shown = playhead("repair", name)
    assert (shown.code, shown.out.splitlines()[1]) == (0, f"kept 3 entries in {copy}, lost 6 B behind them")
    assert f"{name}:5: at byte " in shown.out
    assert path.read_bytes() == torn
    assert playhead("verify", copy).code == 0
    assert "exists already" in playhead("repair", name).err
    (again,) = playhead("repair", name, "--force", "--json").lines()
    assert (again["to"], again["kept"], again["lost_bytes"]) == (copy, 3, 6)


def test_repair_works_inside_a_store() -> None:
    """A run that its recorder left in a store is copied beside it."""
    path = write_tape("trip.jsonl")
    sink = locate("runs.db::trip").create()
    for line in path.read_bytes().splitlines(keepends=True)[:-1]:
        sink.append(line)
    del sink
    shown = playhead("repair", "runs.db::trip.partial")
    assert shown.out.splitlines()[-1] == "kept 9 entries in runs.db::trip.repaired, lost 0 B behind them"


def test_what_is_whole_needs_no_repair() -> None:
    """That is an error, and nothing is written."""
    write_tape("trip.jsonl")
    assert "trip.jsonl is whole, with 9 entries: it needs no repair" in playhead("repair", "trip.jsonl").err
    assert names() == ["trip.jsonl"]


def test_scrub_takes_secrets_out_of_a_copy() -> None:
    """The copy has placeholders, the source stays, and the hits are counted by kind."""
    pieces: list[tuple[int, dict[str, Any]]] = [
        (5, {"event_type": "model_chunk", "content": piece, "done": False}) for piece in (KEY[:9], KEY[9:], " end")
    ]
    path = write_tape("trip.jsonl", [*SEARCH[:1], *pieces, (7, {"event_type": "custom", "name": f"again {KEY}"})])
    before = path.read_bytes()
    assert playhead("scrub", "trip.jsonl") == (
        0,
        "2 secrets found in trip.jsonl; the copy is trip.scrubbed.jsonl\n       2  openai-key\n",
        "",
    )
    assert path.read_bytes() == before
    assert KEY[:20] not in Path("trip.scrubbed.jsonl").read_text()
    with open_tape("trip.scrubbed.jsonl") as tape:
        values = [entry.value() for entry in tape.entries()]
        assert [entry.dt_us for entry in tape.entries()] == [0, 5, 5, 5, 7]
    assert "".join(value["content"] for value in values[1:4]) == "<openai-key-1> end"
    (again,) = playhead("scrub", "trip.scrubbed.jsonl", "-o", "third.jsonl", "--json").lines()
    assert again == {"from": "trip.scrubbed.jsonl", "to": "third.jsonl", "redacted": {}}
    shown = playhead("scrub", "trip.scrubbed.jsonl", "-o", "fourth.jsonl").out
    assert shown == "no secrets found in trip.scrubbed.jsonl; the copy is fourth.jsonl\n"


def test_import_as_a_process_reads_a_pipe() -> None:
    """`-` is standard input, read as bytes."""
    done = process("import", "-", "-d", "locus", "-o", "x.jsonl", input=b"\xef\xbb\xbf" + LOG.replace(b"\n", b"\r\n"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"9 events of <stdin> are in x.jsonl (dialect locus, end unknown)\n"
