"""`playhead reseal` and `playhead upgrade`: a hand edits a file, and what it did is shown before it is sealed."""

import subprocess
import sys
from pathlib import Path

import pytest

from playhead.cassettes.format import Header, object_line
from playhead.cassettes.places import locate
from playhead.errors import CorruptCassette
from playhead.replaying.tape import open_tape
from tests.cli.running import playhead, write_tape

CORPUS = Path(__file__).parents[1] / "durability/corpus"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_tape("trip.jsonl")


def edit(old: str, new: str, *, name: str = "trip.jsonl") -> None:
    """Change a text in a file, as an editor does."""
    text = Path(name).read_text("utf-8")
    assert old in text
    Path(name).write_text(text.replace(old, new), "utf-8")


def test_a_changed_line_is_shown_and_sealed() -> None:
    """Before, the file is refused; without --yes nothing is written; after, it is whole, its seal's words kept."""
    before = open_tape("trip.jsonl").seal
    edit("Paris", "Rome")
    assert playhead("verify", "trip.jsonl").code == 2
    content = Path("trip.jsonl").read_bytes()
    refused = playhead("reseal", "trip.jsonl")
    assert refused.code == 2
    assert refused.out.startswith('trip.jsonl:3: changed: {"dt":1000,"track":"event"')
    assert "nothing was written: look at the difference, then seal it again with --yes" in refused.err
    assert Path("trip.jsonl").read_bytes() == content
    assert playhead("reseal", "trip.jsonl", "--yes").out.splitlines()[-1] == (
        "sealed trip.jsonl again: 9 entries, end complete"
    )
    assert playhead("verify", "trip.jsonl").code == 0
    after = open_tape("trip.jsonl").seal
    assert before is not None
    assert after is not None
    assert after.model_copy(update={"sha256": before.sha256, "crc32": before.crc32}) == before
    assert "Rome" in playhead("show", "trip.jsonl", "--events").out


def test_lines_may_go_and_come() -> None:
    """A line without a checksum is new; a wrong count is told; blank lines and a missing newline do no harm."""
    lines = Path("trip.jsonl").read_text("utf-8").splitlines()
    lines[2:4] = ['{"dt":5,"track":"event","run":"r1","kind":"event","data":{"event_type":"think","iteration":7}}', ""]
    Path("trip.jsonl").write_text("\n".join(lines), "utf-8")
    shown = playhead("reseal", "trip.jsonl", "--yes").out.splitlines()
    assert shown[0].startswith("trip.jsonl:3: no checksum: ")
    assert shown[-2:] == ["the seal says 9 entries, there are 8", "sealed trip.jsonl again: 8 entries, end complete"]
    assert playhead("verify", "trip.jsonl").code == 0


def test_moved_lines_are_told() -> None:
    """Each checksum is right, and still the order is not what was sealed."""
    lines = Path("trip.jsonl").read_bytes().splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    Path("trip.jsonl").write_bytes(b"".join(lines))
    shown = playhead("reseal", "trip.jsonl", "--yes").out.splitlines()
    assert shown[0] == "each line is as it was, but not all together: some were moved or replaced"
    assert playhead("verify", "trip.jsonl").code == 0


def test_a_lost_seal_is_made_anew() -> None:
    """Nothing says how the runs ended, so they end unknown."""
    lines = Path("trip.jsonl").read_bytes().splitlines(keepends=True)
    Path("trip.jsonl").write_bytes(b"".join(lines[:-1]))
    shown = playhead("reseal", "trip.jsonl", "--yes").out.splitlines()
    assert shown == [
        "trip.jsonl has no seal: its runs end unknown",
        "sealed trip.jsonl again: 9 entries, end unknown",
    ]
    seal = open_tape("trip.jsonl").seal
    assert seal is not None
    assert seal.runs == {"r1": "unknown"}


def test_what_is_whole_stays_as_it_is() -> None:
    """Nothing is written, and nobody is asked."""
    content = Path("trip.jsonl").read_bytes()
    assert playhead("reseal", "trip.jsonl").out == "trip.jsonl is whole: there is nothing to seal again\n"
    assert playhead("reseal", "trip.jsonl", "--json").lines() == [{"place": "trip.jsonl", "edited": 0}]
    assert Path("trip.jsonl").read_bytes() == content


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"data":{"event_type":"tool_start"', '"data":{event_type:"tool_start"', "trip.jsonl:3: not JSON"),
        ('{"dt":1000', '<<<<<<< ours\n{"dt":1000', "trip.jsonl:3: the mark of a merge"),
        ('{"dt":1000', '{"dt":"x"', "trip.jsonl:3: not an entry"),
        ('{"playhead":1', '{"playhead":2', "format version 2 is not known"),
        ('{"end":"complete"', '{"end":"complete","crc32":"00000000"', "not JSON: a key occurs twice"),
        ('{"dt":1000', '{"crc":"x","dt":1000', "trip.jsonl:3: "),
    ],
)
def test_what_is_no_cassette_is_not_sealed(old: str, new: str, message: str) -> None:
    """The line is named, and the file stays as it is."""
    edit(old, new)
    content = Path("trip.jsonl").read_bytes()
    refused = playhead("reseal", "trip.jsonl", "--yes")
    assert refused.code == 2
    assert message in refused.err
    assert Path("trip.jsonl").read_bytes() == content
    assert sorted(path.name for path in Path().iterdir()) == ["trip.jsonl"]


def git(*arguments: str, code: int | None = 0) -> str:
    """Run git in a repository of its own."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, done.stderr + done.stdout
    return done.stdout + done.stderr


def commit_sides(ours: tuple[str, str], theirs: tuple[str, str]) -> None:
    """Make a repository in which two branches changed the cassette, each sealed."""
    git("init", "-q")
    driver = f"'{sys.executable}' -m playhead reseal %A --base %O --theirs %B"
    git("config", "merge.playhead.driver", driver)
    Path(".gitattributes").write_text("*.jsonl merge=playhead\n", "utf-8")
    git("add", ".")
    git("commit", "-qm", "base")
    for branch, change in (("theirs", theirs), ("ours", ours)):
        git("checkout", "-q", "-b", branch, "main") if branch == "theirs" else git("checkout", "-q", "main")
        edit(*change)
        assert playhead("reseal", "trip.jsonl", "--yes").code == 0
        git("commit", "-qam", branch)


def test_git_merges_with_it() -> None:
    """Two branches that changed different lines merge by themselves, and the outcome is whole."""
    commit_sides(("Paris", "Rome"), ("It is sunny.", "It rains."))
    git("merge", "-q", "theirs", "-m", "merged")
    assert playhead("verify", "trip.jsonl").code == 0
    events = playhead("show", "trip.jsonl", "--events").out
    assert "Rome" in events
    assert "It rains." in events


def test_a_conflict_is_for_a_person() -> None:
    """The same line changed on both sides: git says so, the marks are in the file, and no reader takes it."""
    commit_sides(("Paris", "Rome"), ("Paris", "Oslo"))
    told = git("merge", "theirs", "-m", "merged", code=1)
    assert "CONFLICT" in told
    assert "1 conflict: choose one side of each by hand, then: playhead reseal CASSETTE" in told
    text = Path("trip.jsonl").read_text("utf-8")
    assert "<<<<<<< ours" in text
    with pytest.raises(CorruptCassette):
        locate("trip.jsonl").read()
    kept = text.split("<<<<<<< ours\n")[0] + text.split("<<<<<<< ours\n")[1].split("=======\n")[0]
    Path("trip.jsonl").write_text(kept + text.split(">>>>>>> theirs\n")[1], "utf-8")
    assert playhead("reseal", "trip.jsonl", "--yes").code == 0
    assert "Rome" in playhead("show", "trip.jsonl", "--events").out


def test_half_a_merge_is_refused() -> None:
    """A merge has two other sides."""
    assert "both --base and --theirs" in playhead("reseal", "trip.jsonl", "--base", "trip.jsonl").err


def test_every_released_version_is_read() -> None:
    """The corpus holds a cassette of each version; of the newest there is nothing to upgrade."""
    assert [path.name for path in sorted(CORPUS.iterdir())] == ["version1.jsonl"]
    shown = playhead("upgrade", CORPUS / "version1.jsonl")
    assert shown == (0, "1 cassette of version 1, the newest there is: nothing to upgrade\n", "")
    assert playhead("verify", CORPUS).code == 0


def test_a_newer_version_is_refused() -> None:
    """It is named, and so is what to do."""
    Path("newer.jsonl").write_bytes(object_line(Header(playhead=2, name="x", dialects={})))
    refused = playhead("upgrade", "newer.jsonl")
    assert refused.code == 2
    assert "format version 2 is not known: this Playhead reads version 1. Install a newer one" in refused.err
