"""What became of the cassettes of a session, put together and told."""

from pathlib import Path

from playhead.plugin.ledger import OUTCOMES, File, Ledger, Outcome
from playhead.plugin.summary import MAX_LISTED, lines, report

CASSETTE = '{"playhead":1,"name":"x"}\n'


def ledger(folder: Path, *, ran: int, partial: bool = False, used: str = "a") -> Ledger:
    """Return what one worker knows of a file with two tests, of which so many ran."""
    found = Ledger(files={"test_x.py": File(str(folder), collected=2, ran=ran, is_partial=partial)})
    found.tested.append(Outcome(f"test_x.py::test_{used}", str(folder / f"{used}.jsonl"), "replayed"))
    return found


def test_ledgers_of_workers_are_one(tmp_path: Path) -> None:
    """Each worker knows all tests and ran some: together they ran all, and only then a cassette is unused."""
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_text(CASSETTE)
    whole = Ledger()
    whole.merge(ledger(tmp_path, ran=1).as_json())
    assert whole.unused() == []
    whole.merge(ledger(tmp_path, ran=1, used="b").as_json())
    assert whole.unused() == [str(tmp_path / "c.jsonl")]
    whole.spared.add(str(tmp_path / "c.jsonl"))
    assert whole.unused() == []


def test_a_file_that_did_not_run_as_a_whole_has_nothing_unused(tmp_path: Path) -> None:
    """Neither where tests were left out, nor where the session ended early."""
    (tmp_path / "c.jsonl").write_text(CASSETTE)
    assert ledger(tmp_path, ran=2).unused() == [str(tmp_path / "c.jsonl")]
    assert ledger(tmp_path, ran=2, partial=True).unused() == []
    assert ledger(tmp_path, ran=1).unused() == []
    assert Ledger(files={"x": File(str(tmp_path))}).unused() == []


def test_only_cassettes_are_unused(tmp_path: Path) -> None:
    """Files of other tools, what a failing test left, folders and what cannot be read are not ours to judge."""
    (tmp_path / "log.jsonl").write_text('{"level": "info"}\n')
    (tmp_path / "c.jsonl.rejected").write_text(CASSETTE)
    (tmp_path / "d.jsonl").mkdir()
    assert ledger(tmp_path, ran=2).unused() == []
    assert ledger(tmp_path / "none", ran=2).unused() == []


def test_the_summary_lists_what_somebody_should_look_at() -> None:
    """A line of numbers; replayed cassettes are not listed, many are counted, and nothing steers the terminal."""
    found = Ledger(tested=[Outcome(f"t{outcome}", f"/p/{outcome}.jsonl", outcome) for outcome in OUTCOMES])
    found.tested.append(Outcome("again", "/p/replayed.jsonl", "replayed"))
    told = list(lines(found, ["/p/\x1b[2J.jsonl"], shown=lambda path: path.removeprefix("/p/")))
    assert told == [
        "playhead: 1 recorded, 1 unchanged, 1 replayed, 1 missing, 1 rejected, 1 unused",
        "  recorded  recorded.jsonl",
        "  missing   missing.jsonl",
        "  rejected  rejected.jsonl",
        "  unused    \\x1b[2J.jsonl",
    ]
    many = Ledger(tested=[Outcome(f"t{n}", f"{n}.jsonl", "recorded") for n in range(MAX_LISTED + 7)])
    assert list(lines(many, [], shown=str))[-1] == "  and 7 more recorded"
    assert list(lines(Ledger(), [], shown=str)) == []


def test_the_report_says_what_each_test_did() -> None:
    """Cassettes by outcome, and tests in order."""
    found = Ledger(tested=[Outcome("b", "/p/x.jsonl", "replayed"), Outcome("a", "/p/x.jsonl", "recorded")])
    told = report(found, ["/p/y.jsonl"])
    assert (told["replayed"], told["recorded"], told["missing"], told["unused"]) == (
        ["/p/x.jsonl"],
        ["/p/x.jsonl"],
        [],
        ["/p/y.jsonl"],
    )
    assert [each["test"] for each in told["tests"]] == ["a", "b"]
