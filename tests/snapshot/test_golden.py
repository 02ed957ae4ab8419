"""Golden files in somebody else's project: written, compared, updated, deleted, and never mistaken for each other."""

import pytest

from tests.snapshot.project import Project

ENDPOINT = """
def test_stream(sse_snapshot):
    body = b"event: think\\nid: 1\\ndata: {\\"reasoning\\": \\"REASON\\"}\\n\\n: ping\\n\\ndata: end\\n\\n"
    assert body == sse_snapshot

def test_events(events_snapshot):
    assert [{"event_type": "think", "reasoning": "REASON", "timestamp": NOW}] == events_snapshot
"""


def test_the_life_of_a_golden_file(project: Project) -> None:
    """It is missed, written, compared byte for byte, told apart by field, and updated."""
    project.write(ENDPOINT.replace("REASON", "a").replace("NOW", "1"))
    missing = project.fails()
    assert "Snapshot 'test_stream' does not exist!" in missing
    assert "To write it: pytest test_trip.py::test_stream --snapshot-update" in missing

    assert "2 snapshots generated." in str(project.passes("--snapshot-update").stdout)
    before = project.stored()
    assert before == {
        "test_trip/test_events.ndjson": b'{"event_type":"think","reasoning":"a","timestamp":"<volatile>"}\n',
        "test_trip/test_stream.sse": b'event: think\nid: 1\ndata: {"reasoning": "a"}\n\n: ping\n\ndata: end\n\n',
    }

    project.write(ENDPOINT.replace("REASON", "\\x1b[31mb").replace("NOW", "2").replace(": ping\\n\\n", ""))
    told = project.fails()
    assert "\x1b" not in told
    for line in (
        "2 messages in the snapshot, 2 messages received (counted from 0)",
        r"message 0 (event: think), line 3: $.reasoning changed: 'a' -> '\x1b[31mb'",
        r"comment behind message 0, line 5: missing, it was ': ping\n\n'",
        "If the change is right: pytest test_trip.py::test_stream --snapshot-update",
        r"event 0 (think), line 1: $.reasoning changed: 'a' -> '\x1b[31mb'",
        "2 snapshots failed.",
    ):
        assert line in told.splitlines()
    assert project.stored() == before

    assert "2 snapshots updated." in str(project.passes("--snapshot-update").stdout)
    assert project.stored()["test_trip/test_stream.sse"] == (
        b'event: think\nid: 1\ndata: {"reasoning": "\x1b[31mb"}\n\ndata: end\n\n'
    )


NAMES = """
import pytest

LONG = "x" * 300

@pytest.mark.parametrize("part", ["a/b", "a-b", "A-B", "a:b", "a.b", "ü", "%2f", LONG + "1", LONG + "2"], ids=str)
def test_part(sse_snapshot, part):
    assert f"data: {part}\\n\\n" == sse_snapshot

@pytest.mark.parametrize("part", ["named", "1"])
def test_index(sse_snapshot, part):
    for turn in range(3):
        assert f"data: {part} {turn}\\n\\n" == sse_snapshot
    assert f"data: {part}, named 1\\n\\n" == sse_snapshot(name="1")
    assert f"data: {part}, named 2\\n\\n" == sse_snapshot(name=2)

def test_index_named(sse_snapshot):
    assert "data: alone\\n\\n" == sse_snapshot

def test_INDEX_named(sse_snapshot):
    assert "data: loud\\n\\n" == sse_snapshot

def test_höhe(sse_snapshot, events_snapshot):
    assert "data: first\\n\\n" == sse_snapshot
    assert "data: second\\n\\n" == sse_snapshot.with_defaults(dialect="locus")
    assert "data: third\\n\\n" == sse_snapshot
    assert [] == events_snapshot

def test_LONG(sse_snapshot):
    assert "data: a long name\\n\\n" == sse_snapshot

class Testtrip:
    def test_index_named(self, sse_snapshot):
        assert "data: in a class\\n\\n" == sse_snapshot
"""


def test_names_do_not_collide(project: Project) -> None:
    """Tests that differ in case, in a slash, or far behind have files of their own, also where case is not seen."""
    project.write(NAMES.replace("test_LONG", f"test_{'long' * 60}"))
    project.passes("--snapshot-update")
    stored = project.stored()
    assert len({name.casefold() for name in stored}) == len(stored) == 9 + 10 + 2 + 4 + 2
    assert len(set(stored.values())) == len(stored)
    assert max(len(name.rpartition("/")[2]) for name in stored) <= 255
    assert "27 snapshots passed." in str(project.passes("-n", "2").stdout)


UNUSED = """
import os
import pytest

STAGE = os.environ.get("STAGE")

@pytest.mark.parametrize("part", ["a/b", "c"] if STAGE else ["a/b", "c", "GONE"])
def test_part(sse_snapshot, part):
    assert "data: 1\\n\\n" == sse_snapshot

@pytest.mark.skipif(STAGE == "skip", reason="not today")
@pytest.mark.parametrize("part", ["A/b"])
def test_kühe(events_snapshot, part):
    assert [] == events_snapshot
    assert [] == events_snapshot
"""


def test_unused_files_are_told_and_deleted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that no test asks for is named and then deleted; those of tests that are skipped or left out stay."""
    project.write(UNUSED)
    project.passes("--snapshot-update")
    before = project.stored()
    gone = "test_trip/test_part[GONE].@f00.sse"
    monkeypatch.setenv("STAGE", "skip")
    told = project.fails("--snapshot-details")
    assert "2 snapshots passed. 1 snapshot unused." in told
    assert f"Unused test_part[GONE] (__snapshots__/{gone})" in told
    project.passes("--snapshot-update", "--deselect", "test_trip.py::test_part[a/b]")
    assert project.stored() == before
    assert f"Deleted test_part[GONE] (__snapshots__/{gone})" in str(project.passes("--snapshot-update").stdout)
    assert before.keys() - project.stored().keys() == {gone}


FAULTY = """
import pytest

def fails(*, data, path):
    raise LookupError("the matcher is broken")

@pytest.mark.parametrize("turn", [1, 2])
def test_matcher(sse_snapshot, turn):
    assert "data: 1\\n\\n" == sse_snapshot(matcher=fails)

def test_value(sse_snapshot, events_snapshot):
    with pytest.raises(Exception, match="dict is not the bytes of an event stream: give bytes, str, an iterable"):
        assert {"data": 1} == sse_snapshot
    with pytest.raises(Exception, match=r"give a list, \\[event\\]"):
        assert {"event_type": "think"} != events_snapshot

def test_damaged(events_snapshot):
    assert [{"event_type": "think"}, {"event_type": "think"}] == events_snapshot

def test_unreadable(sse_snapshot):
    assert "data: 1\\n\\n" == sse_snapshot
"""


def test_what_goes_wrong_is_said(project: Project) -> None:
    """A matcher that raises, a value that is no stream, a damaged and an unreadable file: never equal, never unsaid."""
    project.write(FAULTY)
    folder = project.pytester.path / "__snapshots__/test_trip"
    (folder / "test_unreadable.sse").mkdir(parents=True)
    damaged = folder / "test_damaged.ndjson"
    damaged.write_bytes(b'{"event_type":"think"}\n{"event_type":"thi\n')
    told = project.fails("--snapshot-warn-unused")
    assert "4 failed, 1 passed" in told
    assert told.count("\nLookupError: the matcher is broken") == 2
    assert f"playhead.errors.CorruptCassette: {damaged}:2: the snapshot is damaged, its line is not JSON" in told
    assert f"CassetteError: the snapshot {folder}/test_unreadable.sse cannot be read: Is a directory" in told

    told = project.fails("--snapshot-update")
    assert "3 failed, 2 passed" in told
    assert "1 snapshot updated" in told
    assert damaged.read_bytes() == b'{"event_type":"think"}\n' * 2


VOLATILE = """
import datetime, json, os, time
import pytest
from syrupy.matchers import path_type

@pytest.fixture
def events():
    run = os.urandom(4).hex()
    calls = [{"event_type": "tool_start", "tool_call_id": run + name, "tool_name": name} for name in "ab"]
    ends = [{"event_type": "tool_complete", "tool_call_id": run + name, "tool_name": name} for name in "ab"]
    found = calls + ends[:: 1 if os.environ.get("TURN") else -1]
    return [{**event, "timestamp": time.time(), "duration_ms": None} for event in found]

def test_events(events, events_snapshot):
    assert events == events_snapshot

def test_some_fields(events, events_snapshot):
    assert events[:1] == events_snapshot(exclude=lambda prop, path: prop == "tool_name")

def test_types(events, events_snapshot):
    stamped = {**events[0], "at": datetime.datetime(2030, 1, 1), "n": (1, 2)}
    assert [stamped] == events_snapshot(matcher=path_type({"0.tool_name": (str,)}))

def test_bytes(events, sse_snapshot):
    body = (f"data: {json.dumps(event)}\\n\\n" for event in events[:2])
    assert body == sse_snapshot(dialect="locus")

def test_unmasked(events, sse_snapshot):
    assert f"data: {json.dumps(events[0])}\\n\\n" == sse_snapshot
"""


def test_what_differs_in_every_run_is_masked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times, made up ids and the order of parallel tools do not count for events, nor times and ids with a dialect."""
    project.write(VOLATILE)
    project.passes("--snapshot-update")
    before = project.stored()
    assert before["test_trip/test_bytes.sse"].startswith(
        b'data: {"event_type": "tool_start", "tool_call_id": "<id 1>", "tool_name": "a", "timestamp": "<volatile>", '
    )
    assert before["test_trip/test_some_fields.ndjson"] == (
        b'{"duration_ms":null,"event_type":"tool_start","timestamp":"<volatile>","tool_call_id":"<id 1>"}\n'
    )
    types = before["test_trip/test_types.ndjson"]
    assert b'"at":{"$playhead":["datetime","2030-01-01T00:00:00"]}' in types
    assert b'"tool_name":"str"' in types
    monkeypatch.setenv("TURN", "1")
    told = project.fails()
    assert "1 failed, 4 passed" in told
    assert "only what differs in every run: sse_snapshot(dialect='locus') leaves times and ids out" in told
    project.passes("--snapshot-update", "-k", "not unmasked")
    assert project.stored() == before
