"""One session of tests and its cassettes: where pytest's words become the plugin's.

Knows pytest. Does not know how anything is recorded, replayed or judged.
"""

import json
import warnings
from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest

from playhead.errors import MissingCassette, PlayheadError, ReplayMismatch, UsageError
from playhead.plugin import ledger, summary
from playhead.plugin.network import blocked
from playhead.plugin.places import cassette_of, module_folder, shown
from playhead.plugin.settings import BLOCK_NETWORK, DIR, MODE, REPORT, UNUSED, told_to
from playhead.plugin.showing import compared_safely, made_safe
from playhead.plugin.telling import without_own_frames
from playhead.text import safe

MARKER: Final = "playhead"
"""The name of the marker."""
OWN: Final = ("name", "mode", "block_network")
"""What the marker says to the plugin and not to the tape."""


class SessionPlugin:
    """Open and close the tapes of a session, and keep count. Registered when the first test needs it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._told = told_to(config)
        self._start = config.invocation_params.dir
        self._ledger = ledger.Ledger()
        self._ran: list[pytest.Item] = []
        self._opened: set[str] = set()
        self._unused: list[str] = []
        self._named: Counter[Path] = Counter()

    def collected(self, items: Sequence[pytest.Item], partial: Collection[Path]) -> None:
        """Note which tests there are; `partial` are files of which not all were selected."""
        partly_named = {argument.partition("::")[0] for argument in self._config.args if "::" in argument}
        self._named = Counter(path for path in map(self._named_path, items) if path is not None)
        named = {(self._start / argument).resolve() for argument in partly_named}
        only_failed = self._config.getoption("lf", False)
        for path, count in Counter(item.path for item in items).items():
            file = self._file(path)
            file.collected = count
            file.is_partial = path in partial or path.resolve() in named or bool(only_failed)

    def merge(self, told: Mapping[str, Any]) -> None:
        """Add what a worker of pytest-xdist tells."""
        self._ledger.merge(told)

    def open(self, item: pytest.Item, config: object) -> Any:
        """Return the tape of a test. `config` is what the fixture `tape_config` says."""
        from playhead.plugin.modes import MODES
        from playhead.plugin.options import configured, told
        from playhead.plugin.taping import Subject, TapeFixture

        try:
            marked = _marked(item)
            options = told(configured(config), marked, "the marker 'playhead'", others=OWN)
            mode, said_by = self._told.judged(MODE, marked.get("mode"))
            path = self._path(item, marked)
        except UsageError as error:
            raise _told(error) from None
        where = shown(path, self._start)
        part = item.nodeid if self._is_shared(path) else ""
        return TapeFixture(Subject(self._node(item), where, path, MODES[mode], said_by, options, part))

    def close(self, item: pytest.Item, tape: Any, *, passed: bool) -> None:
        """End the tape of a test, and note what became of it."""
        self._opened.add(item.nodeid)
        outcome = tape.end(passed=passed)
        if outcome in ledger.OUTCOMES:
            self._ledger.tested.append(ledger.Outcome(item.nodeid, str(tape.path), outcome))
        elif not passed:
            self._ledger.spared.add(str(tape.path))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count a test, and hold it to this machine if the network is blocked."""
        self._ran.append(item)
        self._file(item.path).ran += 1
        how = self._blocked_by(item)
        with blocked(item.nodeid, how) if how else nullcontext():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let nothing that a recording says steer the terminal."""
        report = yield
        error = call.excinfo
        if error is not None and ("tape" in getattr(item, "fixturenames", ()) or error.errisinstance(PlayheadError)):
            has_colours = self._config.get_terminal_writer().hasmarkup and error.errisinstance(AssertionError)
            report.longrepr = made_safe(report.longrepr, is_coloured=has_colours)
            if hasattr(report, "wasxfail"):
                report.wasxfail = made_safe(report.wasxfail)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_assertrepr_compare(
        self, config: pytest.Config, op: str, left: object, right: object
    ) -> list[str] | None:
        """Tell how two texts differ, made safe before they are coloured."""
        shown = compared_safely(left, right)
        if shown is None:
            return None
        told = config.hook.pytest_assertrepr_compare(config=config, op=op, left=shown[0], right=shown[1])
        return next(filter(None, told), None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Let nothing that a warning says steer the terminal."""
        if isinstance(warning_message.message, Warning):
            warning_message.message.args = made_safe(warning_message.message.args)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller of pytest-xdist, or judge what is unused and write the report."""
        for item in self._ran:
            if item.nodeid not in self._opened and "tape" in getattr(item, "fixturenames", ()):
                self._spare(item)
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[MARKER] = self._ledger.as_json()
            return
        how = self._told.value(UNUSED)
        self._unused = [] if how == "ignore" else self._ledger.unused()
        if self._unused and how == "error" and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        report = self._told.value(REPORT)
        if report is not None:
            text = json.dumps(summary.report(self._ledger, self._unused), indent=2) + "\n"
            (self._start / report).write_text(text, encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what became of the cassettes."""
        is_error = bool(self._unused) and self._told.value(UNUSED) == "error"
        for line in summary.lines(self._ledger, self._unused, shown=lambda path: shown(Path(path), self._start)):
            bad = line.startswith(("  missing", "  rejected")) or (is_error and line.startswith("  unused"))
            terminalreporter.write_line(line, red=bad, yellow=not bad and line.startswith("  unused"))

    def _file(self, path: Path) -> ledger.File:
        key = str(path)
        if key not in self._ledger.files:
            folder = module_folder(path, folder=self._told.value(DIR), root=self._config.rootpath)
            self._ledger.files[key] = ledger.File(str(folder))
        return self._ledger.files[key]

    def _path(self, item: pytest.Item, marked: Mapping[str, Any]) -> Path:
        folder, root = self._told.value(DIR), self._config.rootpath
        return cassette_of(item.nodeid, item.path, folder=folder, root=root, name=marked.get("name"))

    def _named_path(self, item: pytest.Item) -> Path | None:
        """Return the cassette that the marker of a test with a tape names, if it names one."""
        if "tape" not in getattr(item, "fixturenames", ()):
            return None
        try:
            marked = _marked(item)
            return None if marked.get("name") is None else self._path(item, marked)
        except UsageError:
            # The test will say so itself.
            return None

    def _is_shared(self, path: Path) -> bool:
        """Say whether other tests of this session record a cassette, or others once did."""
        if path not in self._named:
            return False
        from playhead.plugin.sharing import is_in_parts

        return self._named[path] > 1 or is_in_parts(path)

    def _spare(self, item: pytest.Item) -> None:
        try:
            self._ledger.spared.add(str(self._path(item, _marked(item))))
        except UsageError:
            # The test said so itself.
            return

    def _node(self, item: pytest.Item) -> str:
        """Return a test's id as it is typed where pytest was started."""
        inner = item.nodeid.partition("::")[2]
        return f"{shown(item.path, self._start)}::{inner}"

    def _blocked_by(self, item: pytest.Item) -> str:
        """Return who says that a test must not use the network, or nothing. One that may record needs it."""
        try:
            marked = _marked(item)
            is_blocked, by = self._told.judged(BLOCK_NETWORK, marked.get("block_network"))
            if not is_blocked:
                return ""
            records = self._told.value(MODE, marked.get("mode")) != MODE.default
        except UsageError:
            return ""
        return "" if records and by != BLOCK_NETWORK.option else by


def judge(tape: Any) -> None:
    """Fail a test for what its tape knows and its code did not mind."""
    try:
        tape.judge()
    except PlayheadError as problem:
        raise _failed(tape, problem) from None


def explain(tape: Any, error: BaseException) -> None:
    """Make of an error of a test what a person can use: no frames of ours, and what was wrong before it."""
    if isinstance(error, MissingCassette) and tape.is_missing:
        raise _failed(tape, error) from None
    without_own_frames(error)
    if isinstance(error, PlayheadError):
        if isinstance(error, ReplayMismatch):
            error.add_note(tape.again())
        return
    for problem in tape.problems()[:1]:
        error.add_note(f"Before that: {type(problem).__name__}: {safe(str(problem))}")


def _failed(tape: Any, problem: PlayheadError) -> BaseException:
    return _told(problem, *([tape.again()] if isinstance(problem, ReplayMismatch) else []))


def _told(problem: PlayheadError, *more: str) -> BaseException:
    """Return what fails a test with a message, and no traceback. Nothing that catches broadly catches it."""
    lines = [f"{type(problem).__name__}: {problem}", *getattr(problem, "__notes__", ()), *more]
    return pytest.fail.Exception("\n".join(map(safe, lines)), pytrace=False)


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Return what a test's marker says: the nearest one has the last word. Raises `UsageError`."""
    found: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers(MARKER))):
        if marker.args:
            raise UsageError("the marker 'playhead' takes keywords only, as in name='paris'")
        found |= marker.kwargs
    return found
