"""A session of somebody else's tests: what they see, and what becomes of their cassettes."""

import json

import pytest

from playhead.plugin.settings import SETTINGS
from tests.plugin.projects import TRIP, Project


def shown(result: pytest.RunResult) -> str:
    """Return what was printed, without what differs from run to run."""
    return "\n".join(line.rstrip() for line in result.outlines)


def test_a_missing_cassette_is_told_with_the_command_and_nothing_else(project: Project) -> None:
    """No traceback: the place, and a command that can be copied and records it."""
    project.write({"tests/test_trip.py": TRIP})
    result = project.run("-q")
    result.assert_outcomes(failed=1)
    told = shown(result)
    assert (
        "MissingCassette: tests/cassettes/test_trip/test_paris.jsonl: there is no such cassette (tests only replay)\n"
        "Record it: pytest tests/test_trip.py::test_paris --playhead-mode=once\n"
        "playhead: 1 missing\n"
        "  missing   tests/cassettes/test_trip/test_paris.jsonl\n"
    ) in told
    assert "Traceback" not in told
    assert project.cassettes() == []
    project.run("tests/test_trip.py::test_paris", "--playhead-mode=once").assert_outcomes(passed=1)
    assert project.cassettes() == ["tests/cassettes/test_trip/test_paris.jsonl"]


def test_a_test_is_recorded_and_replayed(project: Project) -> None:
    """Once recorded it runs offline, and the summary says which was done."""
    project.write({"test_trip.py": TRIP})
    for arguments, told in ((["--playhead-mode=once"], "1 recorded"), ([], "1 replayed")):
        result = project.run(*arguments)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines([f"playhead: {told}"])


def test_the_command_works_where_pytest_was_started(project: Project) -> None:
    """Ids are told as they are typed in that folder, and quoted for the shell."""
    test = 'import pytest\n@pytest.mark.parametrize("city", ["a b"])\ndef test_it(tape, city): tape.events()\n'
    project.write({"inner/test_it.py": test})
    result = project.run_apart("--rootdir=.", "inner", "-q")
    assert "Record it: pytest 'inner/test_it.py::test_it[a b]' --playhead-mode=once" in result.stdout
    result = project.run_apart("-c", "../pytest.ini", "--rootdir=..", "-q", cwd="inner")
    assert "Record it: pytest 'test_it.py::test_it[a b]' --playhead-mode=once" in result.stdout


def test_drift_is_told_without_our_frames(project: Project) -> None:
    """The test's own line, what differs, and the command that records again."""
    project.write({"test_trip.py": TRIP})
    project.run("--playhead-mode=once").assert_outcomes(passed=1)
    project.write({"test_trip.py": TRIP.replace("trip(tape)", "trip(tape, 'Rome?')")})
    result = project.run("-q")
    result.assert_outcomes(failed=1)
    told = shown(result)
    assert 'E     $.messages[0].content: "Paris?" -> "Rome?"' in told
    assert "If the change is right, record again: pytest test_trip.py::test_paris --playhead-mode=rewrite" in told
    assert "ReplayMismatch: cassettes/test_trip/test_paris.jsonl: the model was asked" in told
    assert "src/playhead" not in told


def test_an_error_of_the_agent_is_told_without_our_frames(project: Project) -> None:
    """Between the test and the tool that failed are the agent's own lines, and none of the tape's."""
    project.write({"tools.py": "def broken():\n    raise OSError('no')\n"})
    project.write({"test_trip.py": "from tools import broken\ndef test_it(tape):\n    tape.tools([broken])[0]()\n"})
    result = project.run("-q", "--playhead-mode=once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_trip.py:3:*", "tools.py:2: OSError"])
    assert "src/playhead" not in shown(result)


def test_a_mismatch_that_was_caught_fails_the_test(project: Project) -> None:
    """Code that catches broadly passes no test; where it fails otherwise, the mismatch is told as the cause."""
    caught = TRIP.replace("async for event in trip(tape)]", "async for event in caught(tape)]") + (
        "async def caught(tape):\n"
        "    try:\n"
        "        async for event in trip(tape, 'Rome?'):\n"
        "            yield event\n"
        "    except Exception:\n"
        "        pass\n"
    )
    project.write({"test_trip.py": TRIP})
    project.run("--playhead-mode=once").assert_outcomes(passed=1)
    project.write({"test_trip.py": caught.replace('reason == "complete"', 'reason == "error"')})
    result = project.run("-q")
    result.assert_outcomes(failed=1)
    assert "ReplayMismatch: cassettes/test_trip/test_paris.jsonl: the model was asked" in shown(result)
    assert "--playhead-mode=rewrite" in shown(result)
    project.write({"test_trip.py": caught})
    result = project.run("-q")
    result.stdout.fnmatch_lines(["E * Before that: ReplayMismatch: *the model was asked*"])


def test_a_failing_test_keeps_its_cassette(project: Project) -> None:
    """What it recorded is left as `.rejected`, and the summary says so."""
    project.write({"test_trip.py": TRIP})
    project.run("--playhead-mode=once").assert_outcomes(passed=1)
    cassette = project.path / "cassettes/test_trip/test_paris.jsonl"
    before = cassette.read_bytes()
    project.write({"test_trip.py": TRIP.replace("trip(tape)", "trip(tape, 'Rome?')").replace('"complete"', '"no"')})
    result = project.run("--playhead-mode=rewrite")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["playhead: 1 rejected", "  rejected  cassettes/test_trip/test_paris.jsonl"])
    assert cassette.read_bytes() == before
    assert project.cassettes() == [f"cassettes/test_trip/test_paris.jsonl{end}" for end in ("", ".rejected")]


@pytest.mark.parametrize(
    "body",
    [
        "import pytest; pytest.skip('no')",
        "import pytest; pytest.xfail('no')",
        "raise KeyboardInterrupt",
        "import pytest; pytest.exit('no')",
    ],
)
def test_only_a_test_that_passed_replaces_its_cassette(project: Project, body: str) -> None:
    """Skipped, expected to fail, interrupted: none of these is a recording that anybody wants."""
    project.write({"test_it.py": f"from agent import tell\ndef test_it(tape):\n    tell(tape)\n    {body}\n"})
    project.run("--playhead-mode=once", no_reraise_ctrlc=True)
    assert project.cassettes() == ["cassettes/test_it/test_it.jsonl.rejected"]


def test_a_test_of_unittest_is_taped(project: Project) -> None:
    """Its class takes the tape by a fixture; one that fails is not sealed."""
    project.write(
        {
            "test_it.py": """
            import unittest
            import pytest
            from agent import tell

            class TestTrip(unittest.TestCase):
                @pytest.fixture(autouse=True)
                def _tape(self, tape):
                    self.tape = tape

                def test_passes(self):
                    tell(self.tape)

                def test_fails(self):
                    tell(self.tape)
                    self.fail("no")
            """
        }
    )
    project.run("--playhead-mode=once").assert_outcomes(passed=1, failed=1)
    assert project.cassettes() == [
        "cassettes/test_it/TestTrip.test_fails@11.jsonl.rejected",
        "cassettes/test_it/TestTrip.test_passes@11.jsonl",
    ]


def test_every_test_has_a_file_of_its_own(project: Project) -> None:
    """Classes, parameters with slashes, of any alphabet and of any length, and modules of one name in two folders."""
    test = """
    import pytest
    from agent import tell

    class TestTrip:
        @pytest.mark.parametrize("city", ["a/b", "a-b", "A-B", "Zürich", "東京", "x" * 300, "x" * 299 + "y", ".."])
        def test_city(self, tape, city):
            tell(tape)
    """
    project.write({"one/test_it.py": test, "two/test_it.py": test})
    (project.path / "one/__init__.py").touch()
    (project.path / "two/__init__.py").touch()
    project.run("--playhead-mode=once").assert_outcomes(passed=16)
    assert len(project.cassettes()) == len({name.lower() for name in project.cassettes()}) == 16
    assert all(len(name.rpartition("/")[2]) <= 255 for name in project.cassettes())
    result = project.run("--playhead-unused=error")
    result.assert_outcomes(passed=16)
    result.stdout.fnmatch_lines(["playhead: 16 replayed"])


def test_cassettes_can_be_elsewhere(project: Project) -> None:
    """A relative folder is beside the test, an absolute one mirrors the project; a name is within either."""
    test = (
        "import pytest\nfrom agent import tell\ndef test_it(tape): tell(tape)\n"
        "@pytest.mark.playhead(name='shared/trip')\ndef test_named(tape): tell(tape)\n"
    )
    project.write({"tests/test_it.py": test})
    tapes = project.path / "elsewhere"
    for folder in ("tapes", str(tapes)):
        project.run("--playhead-mode=once", f"--playhead-dir={folder}").assert_outcomes(passed=2)
    assert project.cassettes() == [
        "elsewhere/tests/shared/trip.jsonl",
        "elsewhere/tests/test_it/test_it.jsonl",
        "tests/tapes/shared/trip.jsonl",
        "tests/tapes/test_it/test_it.jsonl",
    ]


def test_unused_cassettes_are_found(project: Project) -> None:
    """They are told or fail the session, but only where all tests of their file ran."""
    project.write(
        {"test_it.py": "from agent import tell\ndef test_a(tape): tell(tape)\ndef test_b(tape): tell(tape)\n"}
    )
    project.run("--playhead-mode=once").assert_outcomes(passed=2)
    folder = project.path / "cassettes/test_it"
    (folder / "foreign.jsonl").write_text('{"not": "ours"}\n')
    project.write({"test_it.py": "from agent import tell\ndef test_a(tape): tell(tape)\ndef test_c(): pass\n"})
    warned = project.run()
    warned.stdout.fnmatch_lines(["playhead: 1 replayed, 1 unused", "  unused    cassettes/test_it/test_b.jsonl"])
    assert warned.ret == 0
    assert project.run("--playhead-unused=error").ret == 1
    for arguments in (
        ["--playhead-unused=ignore"],
        ["--playhead-unused=error", "-k", "test_a"],
        ["--playhead-unused=error", "test_it.py::test_a"],
        ["--playhead-unused=error", "--deselect", "test_it.py::test_c"],
    ):
        result = project.run(*arguments)
        assert (result.ret, "  unused" in shown(result)) == (0, False), arguments


def test_a_test_that_did_not_get_to_its_cassette_uses_it(project: Project) -> None:
    """Skipped, or failed on the way: its cassette is not left over."""
    whole = "def test_a(tape): tell(tape)\n"
    project.write({"test_it.py": f"from agent import tell\n{whole}"})
    project.run("--playhead-mode=once").assert_outcomes(passed=1)
    for text in (
        f"import pytest\nfrom agent import tell\n@pytest.mark.skip\n{whole}",
        "def test_a(tape): assert False; tape.events([])\n",
    ):
        project.write({"test_it.py": text})
        result = project.run("--playhead-unused=error")
        assert "unused" not in shown(result)
    project.write({"test_it.py": "def test_a(tape): pass\n"})
    assert project.run("--playhead-unused=error").ret == 1


def test_a_report_is_written(project: Project) -> None:
    """What the summary says, for programs."""
    project.write({"tests/test_trip.py": TRIP + "\ndef test_missing(tape): tape.events()\n"})
    project.run("-k", "paris", "--playhead-mode=once").assert_outcomes(passed=1, deselected=1)
    project.run("--playhead-report=report.json").assert_outcomes(passed=1, failed=1)
    paris, missing = (
        str(project.path / f"tests/cassettes/test_trip/test_{name}.jsonl") for name in ("paris", "missing")
    )
    assert json.loads((project.path / "report.json").read_text()) == {
        "recorded": [],
        "unchanged": [],
        "replayed": [paris],
        "missing": [missing],
        "rejected": [],
        "unused": [],
        "tests": [
            {"test": "tests/test_trip.py::test_missing", "cassette": missing, "outcome": "missing"},
            {"test": "tests/test_trip.py::test_paris", "cassette": paris, "outcome": "replayed"},
        ],
    }


def test_who_has_the_last_word(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Command line, marker, ini, environment; and under CI the command line alone."""

    def mode(*arguments: str) -> str:
        result = project.run("-s", *arguments)
        result.assert_outcomes(passed=1)
        return next(line.partition("mode=")[2] for line in result.outlines if "mode=" in line)

    plain = "def test_it(tape): print('mode=' + tape.mode)\n"
    project.write({"test_it.py": plain})
    assert mode() == "none"
    monkeypatch.setenv("PLAYHEAD_MODE", "all")
    assert mode() == "all"
    project.write({"pytest.ini": "[pytest]\nplayhead_mode = once\n"})
    assert mode() == "once"
    project.write({"test_it.py": f"import pytest\n@pytest.mark.playhead(mode='rewrite')\n{plain}"})
    assert mode() == "rewrite"
    assert mode("--playhead-mode=new_episodes") == "new_episodes"
    monkeypatch.setenv("CI", "true")
    assert mode() == "none"
    assert mode("--playhead-mode=new_episodes") == "new_episodes"
    monkeypatch.setenv("CI", "false")
    assert mode() == "rewrite"


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("nam='x'", "the marker 'playhead' has no 'nam': it has name, mode, block_network, *did you mean 'name'?"),
        ("mode='onse'", "mode of the marker 'playhead' is 'onse': it is one of none, once, *did you mean 'once'?"),
        ("'once'", "the marker 'playhead' takes keywords only, as in name='paris'"),
        ("name='../x'", "the marker 'playhead' has name='../x': give a path within *"),
    ],
)
def test_a_marker_that_is_wrong_is_told(project: Project, marker: str, message: str) -> None:
    """It is an error of usage, with what there is, and no traceback of ours."""
    project.write({"test_it.py": f"import pytest\n@pytest.mark.playhead({marker})\ndef test_it(tape): pass\n"})
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"UsageError: {message}"])
    assert "src/playhead" not in shown(result)


def test_a_setting_that_is_wrong_ends_the_session(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before any test runs, and where it was said."""
    project.write({"test_it.py": "def test_it(): pass\n"})
    monkeypatch.setenv("PLAYHEAD_UNUSED", "eror")
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: PLAYHEAD_UNUSED of the environment is 'eror': *did you mean 'error'?"])


def test_the_configuration_is_a_fixture(project: Project) -> None:
    """A project's own `tape_config` holds for every tape, and a marker has the last word."""
    project.write(
        {
            "conftest.py": """
            import pytest

            @pytest.fixture(scope="session")
            def tape_config():
                return {"dialect": "shipit", "contracts": False}
            """,
            "test_it.py": """
            import pytest

            def test_it(tape):
                assert (tape.options.dialect, tape.options.contracts) == ("shipit", False)

            @pytest.mark.playhead(dialect="locus")
            def test_marked(tape):
                assert (tape.options.dialect, tape.options.contracts) == ("locus", False)
            """,
        }
    )
    project.run().assert_outcomes(passed=2)


def test_a_scripted_model_is_a_fixture(project: Project) -> None:
    """`tape_model` plays the marker's script, or says again what the cassette's model said; to its end."""
    project.write(
        {
            "test_trip.py": TRIP
            + """
@pytest.mark.anyio
@pytest.mark.playhead(script=["Hello.", "Bye."], name="none")
async def test_scripted(tape_model):
    assert (await tape_model.complete([])).content == "Hello."

@pytest.mark.anyio
@pytest.mark.playhead(name="test_trip/test_paris")
async def test_again(tape_model):
    assert (await tape_model.complete([])).tool_calls[0].name == "search"
    assert (await tape_model.complete([])).content == "Take an umbrella."
"""
        }
    )
    result = project.run("--playhead-mode=once")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["ReplayMismatch: the script has 2 turns and the model was asked 1 times*"])


def test_options_and_fixtures_are_listed(project: Project) -> None:
    """Help says every option and its ini twin; the marker and the fixtures are documented."""
    told = project.run("--help").outlines
    for setting in SETTINGS:
        assert any(setting.option in line for line in told)
        assert any(setting.ini in line for line in told)
    project.run("--markers").stdout.fnmatch_lines(["@pytest.mark.playhead(name=None, mode=None, *"])
    fixtures = "\n".join(project.run("--fixtures").outlines)
    for name in ("tape", "tape_model", "tape_server", "tape_config", "sse_snapshot", "events_snapshot"):
        assert f"\n{name} " in fixtures
    assert "no docstring available" not in fixtures.partition("from playhead_pytest")[2]


def test_text_of_a_recording_cannot_steer_the_terminal(project: Project) -> None:
    """An escape sequence in a prompt is shown, whoever prints it."""
    project.write({"test_trip.py": TRIP})
    project.run("--playhead-mode=once").assert_outcomes(passed=1)
    project.write({"test_trip.py": TRIP.replace("trip(tape)", "trip(tape, 'Rome\\x1b[2J?')")})
    result = project.run("-q", "--tb=short")
    result.assert_outcomes(failed=1)
    assert "\x1b[2J" not in shown(result)


def test_a_session_without_tapes_says_nothing(project: Project) -> None:
    """Where no test uses a tape nothing is added to what pytest prints, and the session is not looked at."""
    project.write({"test_it.py": "def test_it(): pass\n"})
    result = project.run()
    result.assert_outcomes(passed=1)
    assert "playhead" not in shown(result).partition("test_it.py")[2]
