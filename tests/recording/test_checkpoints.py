"""The checkpointer in every place: what it keeps, what it says, and what it never does."""

import json
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

import playhead
from playhead.agent.state import AgentState
from playhead.cassettes.locking import WaitingLock
from playhead.cassettes.places import list_places, locate
from playhead.clocks.virtual import VirtualClock
from playhead.errors import CassetteError, CorruptCassette, UsageError
from playhead.ids import SequenceIds
from playhead.recording.checkpoints import Checkpointer
from playhead.testing import check_checkpointer
from tests.recording.samples import made_up_key, run_of_a_tool

KINDS = ("database", "cassette-of-database", "folder", "file", "memory", "cassette-in-memory", "recorder")
OWN = ("database", "folder")
"""Where each thread has a cassette of its own on the disk."""

ONE = ("file", "cassette-of-database")
"""Where all threads are in one cassette on the disk."""

THREADS = ("a", "A", "", "a/b", "..", "a\nb", "\0", "\ud800", "é 雨", "CON", "x" * 5000, "x" * 5000 + "y", "@1", "%2f")

_numbers = count()


def place(kind: str, folder: Path) -> str:
    """Return a place of its own in a folder."""
    return {
        "database": f"{folder}/threads.db",
        "cassette-of-database": f"{folder}/runs.db::all",
        "folder": f"{folder}/threads/",
        "file": f"{folder}/all.jsonl",
        "memory": ":memory:",
        "cassette-in-memory": f":memory:::{folder}",
    }[kind]


def make(kind: str, folder: Path, **options: Any) -> Checkpointer:
    """Return a checkpointer of a kind of place."""
    if kind == "recorder":
        return Checkpointer(playhead.record(f":memory:::{folder}"), **options)
    return Checkpointer(place(kind, folder), **options)


def fresh(kind: str, folder: Path, **options: Any) -> Callable[[], Checkpointer]:
    """Return what makes a new, empty checkpointer each time."""
    return lambda: make(kind, folder / str(next(_numbers)), **options)


def a_state(text: str) -> AgentState:
    """Return a state of Playhead's agent."""
    return AgentState(messages=({"role": "user", "content": text},), iteration=1)


class Counter:
    """Be a state that is nobody's: an object that makes a checkpoint of itself."""

    def __init__(self, value: int) -> None:
        self.value = value

    def to_checkpoint(self) -> dict[str, int]:
        return {"value": self.value}

    @classmethod
    def from_checkpoint(cls, data: dict[str, int]) -> "Counter":
        return cls(data["value"])


class Picky(Counter):
    """Be a state that takes no other's."""

    @classmethod
    def from_checkpoint(cls, data: dict[str, int]) -> "Picky":
        raise ValueError("not mine")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", [None, a_state], ids=["dict", "our-state"])
def test_every_promise_is_kept(kind: str, state: Callable[[str], Any] | None, tmp_path: Path) -> None:
    """The conformance suite finds nothing, with plain dicts and with the states of our agent."""
    options = {} if state is None else {"state": state}
    report = check_checkpointer(fresh(kind, tmp_path), **options)
    report.raise_if_broken()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [*OWN, *ONE])
async def test_a_thread_may_be_called_anything(kind: str, tmp_path: Path) -> None:
    """Ids of any characters and length are different threads, found again by another checkpointer."""
    async with make(kind, tmp_path) as saver:
        for number, thread in enumerate(THREADS):
            await saver.save({"n": number}, thread, thread)
    async with make(kind, tmp_path) as again:
        assert [await again.load(thread, thread) for thread in THREADS] == [{"n": n} for n in range(len(THREADS))]
        assert sorted(await again.list_threads()) == sorted(THREADS)
        assert sorted(await again.list_threads(pattern="x*")) == sorted(THREADS[10:12])


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [*OWN, *ONE])
async def test_what_is_saved_is_a_sound_cassette(kind: str, tmp_path: Path) -> None:
    """What a checkpointer leaves is sealed, is right by every checksum, and a tape plays it."""
    async with make(kind, tmp_path) as saver:
        await saver.save({"n": 1}, "t", "c1", metadata={"by": "me"})
        await saver.save({"n": 2}, "t", "c2")
        await saver.delete("t", "c1")
    (found,) = list_places(tmp_path)
    with found.read() as cassette:
        cassette.verify()
        assert [(entry.track, entry.owner, entry.kind) for entry in cassette.entries()] == [
            ("event", "r1", "checkpoint")
        ] * 3
        assert next(cassette.entries()).value() == {
            "id": "c1",
            "thread": "t",
            "state": {"n": 1},
            "metadata": {"by": "me"},
        }
        assert cassette.seal is not None
        assert cassette.seal.runs == {"r1": "paused"}
    with playhead.open(found.where) as tape:
        assert list(tape.events(after="c2")) == []
        assert not list(playhead.check(tape))


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [*OWN, *ONE])
async def test_it_goes_on_where_it_left_off(kind: str, tmp_path: Path) -> None:
    """Closed, and opened again by the same one and by another, it has all and adds to it."""
    saver = make(kind, tmp_path)
    await saver.save({"n": 1}, "t", "c1")
    await saver.close()
    await saver.save({"n": 2}, "t", "c2")
    await saver.close()
    async with make(kind, tmp_path) as another:
        await another.save({"n": 3}, "t", "c3")
        assert await another.list_checkpoints("t") == ["c3", "c2", "c1"]
    assert [await saver.load("t", f"c{n}") for n in (1, 2, 3)] == [{"n": 1}, {"n": 2}, {"n": 3}]
    await saver.close()
    (found,) = list_places(tmp_path)
    with found.read() as cassette:
        cassette.verify()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_a_fork_has_what_was_there_until_the_checkpoint(kind: str, tmp_path: Path) -> None:
    """A copy up to a checkpoint has that as its newest one; one of nothing says so, one over something is refused."""
    saver = make(kind, tmp_path)
    for number in range(4):
        await saver.save({"n": number}, "t", f"c{number}")
    assert await saver.copy_thread("t", "fork", checkpoint_id="c1")
    assert await saver.list_checkpoints("fork") == ["c1", "c0"]
    assert await saver.load("fork") == {"n": 1}
    assert not await saver.copy_thread("t", "other", checkpoint_id="c9")
    assert not await saver.copy_thread("nobody", "other")
    assert not await saver.exists("other")
    with pytest.raises(UsageError, match="'fork' has checkpoints already: delete it first"):
        await saver.copy_thread("t", "fork")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_a_checkpoint_that_is_saved_again_is_the_newest(kind: str, tmp_path: Path) -> None:
    """The id of an old checkpoint, saved again, has the new state, and there is one of it."""
    saver = make(kind, tmp_path)
    for number, name in enumerate(("a", "b", "a")):
        await saver.save({"n": number}, "t", name)
    assert await saver.list_checkpoints("t") == ["a", "b"]
    assert (await saver.load("t"), await saver.load("t", "b")) == ({"n": 2}, {"n": 1})


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_ids_are_made_by_ids_and_nothing_else_is_random(kind: str, tmp_path: Path) -> None:
    """With ids that are given, two checkpointers save the same."""
    saver = make(kind, tmp_path, ids=SequenceIds(7), clock=VirtualClock())
    assert await saver.save({}, "t") == f"{7:032x}"
    assert await saver.delete("t", f"{7:032x}")
    assert not await saver.delete("t", "never")
    assert await saver.save({}, "t") == f"{8:032x}"
    assert await saver.delete("t")
    assert not await saver.delete("t")
    assert await saver.list_threads() == []


@pytest.mark.anyio
@pytest.mark.parametrize("kind", OWN)
async def test_a_thread_that_is_deleted_is_gone_from_the_disk(kind: str, tmp_path: Path) -> None:
    """Deleting a thread takes its cassette away, sealed or growing, and no other one."""
    async with make(kind, tmp_path) as saver:
        await saver.save({}, "sealed")
        await saver.save({}, "kept")
    async with make(kind, tmp_path) as saver:
        await saver.save({}, "growing")
        assert await saver.delete("sealed")
        assert await saver.delete("growing")
        assert await saver.list_threads() == ["kept"]
    assert [found.name for found in list_places(tmp_path)] in (["kept"], ["kept.jsonl"], ["threads/kept.jsonl"])


@pytest.mark.anyio
async def test_a_thread_that_another_one_began_anew_is_read_anew(tmp_path: Path) -> None:
    """Deleted and saved again by another checkpointer, a thread has nothing of what it had before."""
    async with make("database", tmp_path) as first, make("database", tmp_path) as second:
        for number in range(3):
            await first.save({"first": number}, "t", f"c{number}")
            await second.delete("t")
            for other in range(1 + number):
                await second.save({"second": other}, "t", f"d{other}")
            assert await first.list_checkpoints("t") == [f"d{other}" for other in range(number, -1, -1)]
            assert await first.load("t") == {"second": number}
            await first.delete("t")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", OWN)
async def test_other_threads_are_not_looked_at(kind: str, tmp_path: Path) -> None:
    """A thread is loaded and saved although others are damaged: they are not read for it."""
    async with make(kind, tmp_path) as saver:
        for thread in ("a", "b"):
            await saver.save({"thread": thread}, thread)
    if kind == "database":
        _spoil_in_database(tmp_path / "threads.db", "b")
    else:
        (tmp_path / "threads/b.jsonl").write_text("rubbish\n")
    async with make(kind, tmp_path) as saver:
        await saver.save({"thread": "a2"}, "a")
        assert await saver.load("a") == {"thread": "a2"}
        with pytest.raises(CorruptCassette):
            await saver.load("b")
        with pytest.raises(CorruptCassette):
            await saver.save({}, "b")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", OWN)
async def test_no_more_threads_are_read_than_are_listed(kind: str, tmp_path: Path) -> None:
    """A list of threads reads none that does not match, and none behind the limit: damage there is not met."""
    async with make(kind, tmp_path) as saver:
        for thread in ("a", "b", "c"):
            await saver.save({"thread": thread}, thread)
    if kind == "database":
        _spoil_in_database(tmp_path / "threads.db", "b")
    else:
        spoiled = tmp_path / "threads/b.jsonl"
        spoiled.write_bytes(spoiled.read_bytes().replace(b'"state"', b'"staet"'))
    async with make(kind, tmp_path) as saver:
        assert await saver.list_threads(pattern="[ac]") == ["a", "c"]
        assert await saver.list_threads(limit=1) == ["a"]
        with pytest.raises(CorruptCassette):
            await saver.list_threads()


def _spoil_in_database(path: Path, name: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "UPDATE entries SET line = replace(line, 'thread', 'thraed') "
            "WHERE run = (SELECT id FROM runs WHERE name = ?)",
            (name,),
        )
    connection.close()


@pytest.mark.anyio
async def test_checkpoints_lie_beside_the_events_of_a_recording() -> None:
    """Saved through a recorder they are on its tape, at their moment, and a replay begins behind one of them."""
    place = f":memory:::beside-{next(_numbers)}"
    events = run_of_a_tool()
    with playhead.record(place) as recorder:
        saver = Checkpointer(recorder)
        await saver.save({"at": 0}, "t", "early")
        for number, _ in enumerate(recorder.events(events), 1):
            await saver.save({"at": number}, "t", f"k{number}")
        assert await saver.load("t", "k3") == {"at": 3}
        await saver.close()
    with playhead.open(place) as tape:
        assert [event.event_type for event in tape.events(after="k3")] == ["think", "terminate"]
        assert len(list(tape.events(after="early"))) == len(events)
        assert tape.runs == {"r1": "complete"}
    with pytest.raises(CassetteError, match="sealed"):
        await saver.save({}, "t")


@pytest.mark.anyio
@pytest.mark.parametrize("begun", [False, True], ids=["events-first", "response-first"])
async def test_a_checkpoint_is_in_the_run_of_events(begun: bool) -> None:
    """Whichever began first, the events or the response that they go into, a checkpoint is in the run of events."""
    place = f":memory:::in-run-{next(_numbers)}"
    with playhead.record(place) as recorder:
        saver = Checkpointer(recorder)
        if begun:
            recorder.head(recorder.response(), {"status": 200, "headers": []})
            with pytest.raises(UsageError, match="comes before the first event"):
                recorder.checkpoint({}, checkpoint_id="none")
            await saver.save({}, "t", "early")
        for _ in recorder.chunks(repr(event).encode() for event in recorder.events(run_of_a_tool())):
            await saver.save({}, "t", "saved")
            recorder.checkpoint({}, checkpoint_id="told")
    with locate(place).read() as cassette:
        owners = {(entry.kind, entry.owner) for entry in cassette.entries() if entry.track == "event"}
    run = "r2" if begun else "r1"
    assert owners == {("event", run), ("checkpoint", run)}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [*ONE, "cassette-in-memory"])
async def test_a_recorded_run_is_gone_on_with(kind: str, tmp_path: Path) -> None:
    """A recording's checkpoints can be loaded later, and more are added behind its events, which stay as they are."""
    where = place(kind, tmp_path)
    with playhead.record(where) as recorder:
        beside = Checkpointer(recorder)
        for number, _ in enumerate(recorder.events(run_of_a_tool()), 1):
            await beside.save(a_state(str(number)), "t", f"k{number}")
        recorder.checkpoint({"plain": True}, checkpoint_id="old")
    before = _lines(where)
    async with Checkpointer(where) as saver:
        saver.remember(AgentState)
        assert await saver.list_checkpoints("t") == [f"k{number}" for number in (5, 4, 3, 2, 1)]
        assert await saver.load("t", "k2") == a_state("2")
        assert await saver.load("", "old") == {"plain": True}
        assert _lines(where) == before
        await saver.save(a_state("6"), "t", "k6")
    after = _lines(where)
    assert after[: len(before) - 1] == before[:-1]
    old, new = (json.loads(lines[-1]) for lines in (before, after))
    assert new["entries"] == old["entries"] + 1
    assert [new[key] for key in ("end", "runs", "redacted")] == [old[key] for key in ("end", "runs", "redacted")]
    with playhead.open(where) as tape:
        assert not list(playhead.check(tape))


def _lines(where: str) -> list[bytes]:
    with locate(where).read() as cassette:
        cassette.verify()
        return list(cassette.lines())


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_secrets_are_not_kept(kind: str, tmp_path: Path) -> None:
    """A state that is loaded has a placeholder where a secret was, in this process as in the next."""
    saver = make(kind, tmp_path)
    await saver.save({"said": f"my key is {made_up_key()}"}, "t", metadata={"key": made_up_key()})
    assert await saver.load("t") == {"said": "my key is <openai-key-1>"}
    await saver.close()
    assert not any(made_up_key().encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [*OWN, *ONE])
async def test_placeholders_of_another_time_are_not_given_to_other_secrets(kind: str, tmp_path: Path) -> None:
    """A second process numbers on from the placeholders that it finds, and the seal counts what both took out."""
    for turn in range(2):
        async with make(kind, tmp_path) as saver:
            await saver.save({"said": made_up_key()[:-1] + str(turn)}, "t", f"c{turn}")
    reader = make(kind, tmp_path)
    assert [await reader.load("t", f"c{turn}") for turn in range(2)] == [
        {"said": "<openai-key-1>"},
        {"said": "<openai-key-2>"},
    ]
    (found,) = list_places(tmp_path)
    with found.read() as cassette:
        assert cassette.seal is not None
        assert cassette.seal.redacted == {"openai-key": 2}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [*OWN, *ONE])
async def test_the_seal_counts_each_secret_once(kind: str, tmp_path: Path) -> None:
    """However often a cassette is sealed, what its seal says was taken out is what was."""
    saver = make(kind, tmp_path)
    for turn in range(3):
        await saver.save({"said": made_up_key()}, "t", f"c{turn}")
        await saver.close()
    (found,) = list_places(tmp_path)
    with found.read() as cassette:
        assert cassette.seal is not None
        assert cassette.seal.redacted == {"openai-key": 3}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_an_id_that_holds_a_secret_is_refused(kind: str, tmp_path: Path) -> None:
    """An id cannot be replaced, or nothing would be found again: it is refused, and nothing is written."""
    saver = make(kind, tmp_path)
    for ids in ((made_up_key(), "c"), ("t", made_up_key())):
        with pytest.raises(UsageError, match=r"looks like a secret.*<openai-key-1>.*Take another id") as caught:
            await saver.save({}, *ids)
        assert made_up_key() not in str(caught.value)
        assert not await saver.exists(ids[0])
    await saver.close()
    assert not [path for path in tmp_path.rglob("*") if made_up_key()[:20] in str(path)]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [*OWN, *ONE])
async def test_redaction_is_not_switched_off_in_the_middle(kind: str, tmp_path: Path) -> None:
    """Secrets are kept on request, but not in a cassette whose header says that they are taken out."""
    async with make(kind, tmp_path / "open", redact=()) as saver:
        await saver.save({"said": made_up_key()}, "t")
        assert await saver.load("t") == {"said": made_up_key()}
    async with make(kind, tmp_path / "clean") as saver:
        await saver.save({}, "t", "c1")
    async with make(kind, tmp_path / "clean", redact=()) as saver:
        with pytest.raises(UsageError, match=r"was made with the redaction rules keys, .*leave out redact="):
            await saver.save({}, "t")
        assert await saver.list_checkpoints("t") == ["c1"]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_no_class_is_chosen_by_a_file(kind: str, tmp_path: Path) -> None:
    """An object comes back by the class that is given, or that was seen here; else the error says what to give."""
    saver = make(kind, tmp_path)
    await saver.save(Counter(5), "t", "c1")
    revived = await saver.load("t")
    assert isinstance(revived, Counter)
    assert revived.value == 5
    await saver.close()
    if kind in ("recorder", "memory"):
        return
    async with make(kind, tmp_path) as another:
        with pytest.raises(UsageError) as caught:
            await another.load("t")
    assert str(caught.value) == (
        "checkpoint 'c1' of thread 't' was saved as tests.recording.test_checkpoints.Counter, and no class is looked "
        "up by its name: give Checkpointer(..., state_type=Counter)"
    )
    async with make(kind, tmp_path, state_type=Counter) as told:
        assert (await told.load("t")).value == 5
    async with make(kind, tmp_path) as reminded:
        reminded.remember(Counter)
        assert (await reminded.load("t")).value == 5
    async with make(kind, tmp_path, state_type=Picky) as wrong:
        with pytest.raises(
            UsageError, match=r"'c1' of thread 't', which was saved as .*Counter, does not make a .*Picky: not mine"
        ):
            await wrong.load("t")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        (["a list"], "a state is a mapping, or has to_checkpoint.*list gives list"),
        ({"f": object()}, "checkpoint 'c' has a state with a value that JSON has no form for: .*object object at"),
        ({"n": [1] * 3 + [10**5000]}, "4,?300|4,?000 digits"),
    ],
)
async def test_a_state_with_no_json_form_is_refused(state: Any, complaint: str, tmp_path: Path) -> None:
    """What would not come back as it was is not saved, and the checkpointer goes on."""
    saver = make("file", tmp_path)
    with pytest.raises(UsageError, match=complaint):
        await saver.save(state, "t", "c")
    await saver.save({"n": float("inf"), "s": "\ud800"}, "t", "good")
    assert await saver.load("t") == {"n": float("inf"), "s": "\ud800"}
    assert await saver.list_checkpoints("t") == ["good"]
    await saver.close()


@pytest.mark.anyio
async def test_checkpoints_of_others_are_read_in_any_order_of_their_keys(tmp_path: Path) -> None:
    """A checkpoint that something else wrote is found by its keys, copied as well, and one that is none is named."""
    where = str(tmp_path / "odd.jsonl")
    with playhead.record(where) as recorder:
        recorder.put_checkpoint(b'{"state":{"n":1},"id":"c1","thread":"t"}')
        recorder.put_checkpoint(b'{"metadata":{"a":1,"state":2},"id":"c2","thread":"t","state":{"n":2}}')
        recorder.put_checkpoint(b'{"id":"c0","state":{"n":0},"thread":"t"}')
        recorder.put_checkpoint(b'{"id":"c3","thread":"t"}')
    saver = Checkpointer(where)
    assert await saver.copy_thread("t", "u")
    for thread in "tu":
        assert await saver.list_checkpoints(thread) == ["c3", "c0", "c2", "c1"]
        assert [await saver.load(thread, f"c{n}") for n in (0, 1, 2)] == [{"n": 0}, {"n": 1}, {"n": 2}]
        with pytest.raises(CorruptCassette, match=f"checkpoint 'c3' of thread '{thread}' has no state"):
            await saver.load(thread)
    await saver.close()
    for bad in (b'["c1"]', b'{"id":1}', b'{"id":null}', b'{"id":"c","thread":2}'):
        with playhead.record(where) as recorder:
            recorder.put_checkpoint(bad)
        with pytest.raises(CorruptCassette, match=r"odd\.jsonl:2: this is no checkpoint: it"):
            await saver.load("t")


@pytest.mark.anyio
async def test_bad_arguments_are_named(tmp_path: Path) -> None:
    """A place that is none, a rule that there is not, and ids that are no text are refused with what to give."""
    for bad, complaint in (
        ("threads.txt", "does not say what it is"),
        ("t.jsonl.partial", "no place for checkpoints: give a database, a folder, a .jsonl file or :memory:"),
    ):
        with pytest.raises(UsageError, match=complaint):
            Checkpointer(bad)
    with pytest.raises(UsageError, match="no redaction rule is called 'kyes'"):
        Checkpointer(":memory:", redact=("kyes",))
    with pytest.raises(UsageError, match=r"<class 'dict'> makes no states: it has no from_checkpoint"):
        Checkpointer(":memory:", state_type=dict)
    with pytest.raises(UsageError, match="thread_id=7: an id is text"):
        await Checkpointer(":memory:").load(7)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="limit=-1: give a whole number"):
        await Checkpointer(":memory:").list_checkpoints("t", limit=-1)
    with playhead.record(f":memory:::{tmp_path}") as recorder, pytest.raises(UsageError, match="is the recorder's"):
        Checkpointer(recorder, redact=())


@pytest.mark.anyio
@pytest.mark.parametrize("kind", OWN)
async def test_a_cassette_of_something_else_is_left_alone(kind: str, tmp_path: Path) -> None:
    """A recording that has the name of a thread's cassette is neither read as one nor added to, nor listed."""
    where = f"{tmp_path}/threads.db::t" if kind == "database" else f"{tmp_path}/threads/t.jsonl"
    with playhead.record(where) as recorder:
        list(recorder.events(run_of_a_tool()))
    before = _lines(where)
    async with make(kind, tmp_path) as saver:
        for act in (saver.load("t"), saver.save({}, "t"), saver.delete("t")):
            with pytest.raises(UsageError, match="is the cassette of something else"):
                await act
        assert await saver.list_threads() == []
    assert _lines(where) == before


@pytest.mark.anyio
async def test_the_event_loop_goes_on_while_another_process_writes(tmp_path: Path) -> None:
    """Where a save has to wait for a lock, other tasks run meanwhile; it is done once the lock is free."""
    path = tmp_path / "threads.db"
    async with Checkpointer(path) as saver, anyio.create_task_group() as tasks:
        await saver.save({"n": 1}, "t")
        with WaitingLock(f"{path}.lock"):
            tasks.start_soon(saver.save, {"n": 2}, "t")
            # Were the loop blocked, this would never be reached, and the lock never be free.
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
    async with Checkpointer(path) as saver:
        assert await saver.load("t") == {"n": 2}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_tasks_save_at_the_same_time(kind: str, tmp_path: Path) -> None:
    """Saves of many tasks to few threads are all there, each once."""
    async with make(kind, tmp_path) as saver:
        async with anyio.create_task_group() as tasks:
            for number in range(24):
                tasks.start_soon(saver.save, {"n": number}, f"t{number % 3}", f"c{number}")
        for thread in range(3):
            listed = await saver.list_checkpoints(f"t{thread}", limit=None)
            assert sorted(listed) == sorted(f"c{number}" for number in range(thread, 24, 3))


def test_many_threads_take_few_files(tmp_path: Path) -> None:
    """A folder of more threads than are held open has them all, in the right files, sealed in the end."""

    async def save_to_many() -> None:
        async with make("folder", tmp_path) as saver:
            for turn in range(2):
                for number in range(70):
                    await saver.save({"turn": turn}, f"t{number}", f"c{turn}")
            assert len(list(tmp_path.rglob("*.partial"))) <= 64

    anyio.run(save_to_many)
    assert len(list_places(tmp_path)) == 70
    for found in list_places(tmp_path):
        with found.read() as cassette:
            assert cassette.entry_count == 2
            assert found.name == f"threads/{(cassette.header.model_extra or {})['thread']}.jsonl"
