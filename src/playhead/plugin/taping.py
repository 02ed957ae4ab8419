"""The tape of one test: it records or replays, as the mode says.

Knows one cassette, from its first use to the end of the test. Does not know pytest, nor how options are told. A test
that only replays events needs little of Playhead, and does not wait for the rest: that is imported when it is needed.
"""

import os
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from playhead.cassettes.places import locate
from playhead.errors import MissingCassette, PlayheadError, ReplayMismatch, UsageError
from playhead.plugin.modes import Mode
from playhead.plugin.options import Options
from playhead.plugin.telling import command, missing, nothing_to_record
from playhead.replaying.tape import Playback, Tape

if TYPE_CHECKING:
    from playhead.handlers.base import StreamHandler
    from playhead.models.tap import Tap
    from playhead.plugin.frameworks import Framework
    from playhead.plugin.live import Live
    from playhead.plugin.serving import TapeServer
    from playhead.plugin.sharing import Share
    from playhead.plugin.watching import WatchedRun
    from playhead.recording.tee import AsyncTee, Tee
    from playhead.replaying.taps import ReplayingTap

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subject:
    """Say which test a tape belongs to: `node` as it is typed, and `where` as people are told of its cassette.

    `said_by` is who chose the mode. `part` is the id under which the test has its part of a cassette that several
    tests record, and empty where it has one of its own.
    """

    node: str
    where: str
    path: Path
    mode: Mode
    said_by: str
    options: Options = field(default_factory=Options)
    part: str = ""


class TapeFixture:
    """The tape of one test. Made by the fixture `tape`.

    Nothing is opened before it is used. What does not match the recording, or breaks a contract, is raised where it is
    noticed, and again when the test ends: code under test catches broadly.
    """

    def __init__(self, subject: Subject) -> None:
        self.options: Options = subject.options
        self.is_missing: bool = False
        self._subject = subject
        self._live: Live | None = None
        self._replaying: ReplayingTap | None = None
        self._framework: Framework | None = None
        self._server: TapeServer | None = None
        self._runs: list[WatchedRun] = []
        self._problems: list[PlayheadError] = []
        self._checks: list[Callable[[], None]] = []
        self._numbered = 0
        self._opened = ExitStack()
        self._served = ExitStack()

    @property
    def path(self) -> Path:
        """Return the file of the cassette."""
        return self._subject.path

    @property
    def mode(self) -> str:
        """Return the name of the mode."""
        return self._subject.mode.name

    @property
    def recording(self) -> bool:
        """Say whether models are really asked: all of them, or in the mode `new_episodes` some."""
        return self._does.records

    @cached_property
    def recorded(self) -> Tape:
        """Return the cassette as it was before the test. Raises `MissingCassette` if there is none."""
        try:
            cassette = locate(self.path).read()
        except MissingCassette:
            raise self._missing() from None
        if self._share is not None:
            cassette = self._share.own_part(cassette)
        # Every message names the place as it is typed.
        cassette.where = self._subject.where
        return self._opened.enter_context(Tape(cassette))

    @cached_property
    def tap(self) -> "Tap":
        """Return the tap behind which models and tools are put: for adapters, and for `tap.ask` and its like."""
        if not self._does.replays:
            return self._recorder().tap
        from playhead.replaying.taps import ReplayingTap

        options = self.options
        self._replaying = ReplayingTap(
            self.recorded,
            ignore=options.ignore,
            pace=options.pace,
            clock=options.clock,
            tools=options.tools,
            max_age_days=options.max_age_days,
            partly=options.partly or self._does.records,
        )
        if not self._does.records:
            return self._replaying
        return self._recorder().episodes(self._replaying, self.recorded, options)

    @overload
    def events(self, source: None = None, *, run: str | None = None) -> Playback[Any]: ...
    @overload
    def events(self, source: AsyncIterable[T]) -> "AsyncTee[T]": ...
    @overload
    def events(self, source: Iterable[T]) -> "Tee[T]": ...
    def events(self, source: Any = None, *, run: str | None = None) -> Any:
        """Return an iterator over the events of a run, as they pass. Each call is a run.

        `source` is the stream of a live agent. It is recorded; or, in a replay, compared with the recorded run when it
        ends: a difference raises `ReplayMismatch`. In either case it must keep its contracts (`ContractViolation`).

        Without a source it is the recorded events that come, of all runs or of the one named.
        """
        if source is None:
            return self.recorded.events(run=run, pace=self.options.pace, clock=self.options.clock)
        if run is not None:
            raise UsageError(f"tape.events(source, run={run!r}): runs are numbered as they begin; leave out run=")
        from playhead.plugin.watching import WatchedRun, codes_of, watched

        live = self._recorder()
        codes = codes_of(self.options.ignore_rules) if self.options.contracts else frozenset[str]()
        each = WatchedRun(self._next_run, live.dialect, codes=codes, drift=self._drift)
        self._runs.append(each)
        return watched(live.recorder.events(source), each)

    async def replay(self, *handlers: "StreamHandler", run: str | None = None) -> int:
        """Feed the recorded events through handlers, and return how many there were: see `playhead.replay`."""
        from playhead.handlers.composite import CompositeHandler
        from playhead.replaying.replay import replay

        handler = handlers[0] if len(handlers) == 1 else CompositeHandler(list(handlers))
        return await replay(self.recorded, handler, run=run, pace=self.options.pace, clock=self.options.clock)

    def model(self, real: Any = None, *, framework: str | None = None, **options: Any) -> Any:
        """Return a model that asks `real` and records it, or that answers from the cassette.

        `real` is a model of locus, shipit, pydantic-ai or OpenAI Agents, one of Playhead's, or a function that asks
        one. It may be None in a replay: then `framework` says whose model it stands for. `options` are the adapter's
        own, such as the name of the model that None stands for.
        """
        from playhead.plugin.frameworks import framework_of_model

        self._framework = framework_of_model(real, framework or self.options.framework)
        return self._framework.tapped(real, self.tap, options)

    def tools(self, tools: Iterable[Any], *, framework: str | None = None) -> list[Any]:
        """Return tools that run and are recorded, or whose recorded results are given: then none of them runs.

        They are functions, or a framework's own tools. Functions go to the framework whose model was given before.
        """
        from playhead.plugin.frameworks import framework_of_tools

        given = list(tools)
        found = framework_of_tools(given, framework or self.options.framework, self._framework)
        self._framework = self._framework or found
        return self.tap.tools(given) if found is None else found.tools(given, self.tap)

    def server(self, upstreams: Mapping[str, str] | None = None) -> "TapeServer":
        """Return a provider on loopback that asks the real ones and records them, or that answers from the cassette.

        `upstreams` are base URLs by the names of providers. Without them the environment's are asked, or the providers
        themselves. It is there until the test ends; every call returns the same one.
        """
        if self._server is None:
            self._server = self._served.enter_context(self._serving(upstreams))
        return self._server

    def at_end(self, check: Callable[[], None]) -> None:
        """Call a function when the test's body has ended well. It raises what is wrong."""
        self._checks.append(check)

    def again(self) -> str:
        """Return what a person is told who changed the code on purpose."""
        return f"If the change is right, record again: {command(self._subject.node, 'rewrite')}"

    def problems(self) -> list[PlayheadError]:
        """Return what is known to be wrong."""
        missed = [] if self._replaying is None or self._does.records else list(self._replaying.mismatches)
        broken = [run.problem for run in self._runs if run.problem is not None]
        return [*self._problems, *missed, *broken]

    def judge(self) -> None:
        """Raise what went wrong, though the test did not notice. Called when its body has ended well."""
        for run in self._runs:
            run.finish(GeneratorExit())
        for problem in self.problems():
            raise problem
        if self._replaying is not None and not self._does.records:
            self._replaying.assert_complete()
        self._check_runs()
        for check in self._checks:
            check()
        if self._live is not None and self._live.recorder.failure is not None:
            raise self._live.recorder.failure

    def end(self, *, passed: bool) -> str:
        """Close everything, and seal what was recorded if the test passed. Returns what became of the cassette."""
        with self._opened:
            # A server records as long as it runs.
            self._served.close()
            if self._live is not None and self._does.records:
                recorded = self.recorded if self._does.keeps else None
                return self._live.end(recorded, passed=passed, replays=self._does.replays, ignore=self.options.ignore)
            return "missing" if self.is_missing else "replayed" if "recorded" in vars(self) else "unopened"

    @cached_property
    def _exists(self) -> bool:
        return os.path.lexists(self.path) if self._share is None else self._share.is_recorded()

    @cached_property
    def _share(self) -> "Share | None":
        if not self._subject.part:
            return None
        from playhead.plugin.sharing import Share

        return Share(self.path, self._subject.part)

    @cached_property
    def _does(self) -> Mode:
        return self._subject.mode.on(exists=self._exists)

    def _recorder(self, made: Mapping[str, str] | None = None) -> "Live":
        """Return what records, or what is compared. Raises `MissingCassette` where there is nothing to replay."""
        if self._live is None:
            from playhead.plugin.live import Live

            options = self.options
            usual = self._framework.dialect if self._framework is not None else None
            self._live = Live(
                self.path,
                name=self._subject.node,
                dialect=options.dialect or usual or "locus",
                redact=options.redact,
                made={**(options.made or {}), **(made or {})},
                clock=options.clock,
                recorded=self.recorded if self._does.keeps else None,
                share=self._share,
            )
        return self._live

    def _serving(self, given: Mapping[str, str] | None) -> AbstractContextManager["TapeServer"]:
        from playhead.plugin import serving

        if not self._does.records:
            _ = self.tap
            assert self._replaying is not None
            return serving.replayed(self.recorded, self._replaying, self._problems)
        found = serving.upstreams(given or self.options.upstreams, os.environ)
        recorder = self._recorder(serving.unusual(found)).recorder
        if not self._does.replays:
            return serving.recorded(recorder, found)
        _ = self.tap
        assert self._replaying is not None
        return serving.episodes(recorder, self._replaying, found)

    def _missing(self) -> MissingCassette:
        self.is_missing = True
        subject = self._subject
        if subject.mode.records_missing:
            problem = nothing_to_record(subject.where)
        else:
            problem = missing(subject.where, subject.node, mode=subject.mode.name, said_by=subject.said_by)
        self._problems.append(problem)
        return problem

    def _next_run(self) -> str:
        self._numbered += 1
        return f"r{self._numbered}"

    def _drift(self, run: "WatchedRun") -> ReplayMismatch | None:
        """Return how a run differs from its recording, if it was recorded."""
        if not self._does.replays or self._live is None:
            return None
        there = len(self.recorded.runs)
        if run.name in self.recorded.runs:
            return run.drifted_from(self.recorded, self._live.events(run.name), self.options.ignore)
        if self._does.records:
            return None
        return ReplayMismatch(f"this is run {run.name} of the test, and {self._subject.where} has {there}")

    def _check_runs(self) -> None:
        """Raise `ReplayMismatch` for runs that were recorded and did not begin, if any did."""
        if not self._runs or not self._does.replays or self.options.partly:
            return
        runs = list(self.recorded.runs)
        if left := runs[self._numbered :]:
            raise ReplayMismatch(f"{self._subject.where} has {len(runs)} runs, and {left[0]} did not begin")
