"""Driving a handler or an agent until a promise breaks, and printing a test that shows it.

Knows targets, and how findings are told. Does not know arguments: the commands do.
"""

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from playhead.cli.errors import FOUND
from playhead.cli.screen import line, number, print_json, said, screen
from playhead.errors import UsageError
from playhead.fuzzing.agents import AgentDriver
from playhead.fuzzing.campaign import Budget as Budget
from playhead.fuzzing.campaign import Campaign, Driver, Progress
from playhead.fuzzing.finding import Finding, Target, quiet
from playhead.fuzzing.handlers import HandlerDriver
from playhead.testing.agents import AGENT_PROMISES
from playhead.testing.handlers import HANDLER_PROMISES
from playhead.text import did_you_mean, safe


@dataclass(frozen=True, slots=True)
class Options:
    """Hold what both commands take."""

    budget: Budget
    dialect: str | None = None
    ignore: Sequence[str] = ()
    out: Path | None = None
    as_json: bool = False


def fuzz_handler(spec: str, options: Options) -> int:
    """Drive the handlers that a factory makes. Returns 1 where a promise is broken."""
    target = _target("handler", spec, options.dialect or "locus")
    return _fuzz(target, lambda factory: HandlerDriver(factory, target.dialect), options)


def fuzz_agent(spec: str, options: Options) -> int:
    """Drive the agents that a factory makes. Returns 1 where a promise is broken."""
    target = _target("agent", spec, options.dialect or "")
    return _fuzz(target, lambda factory: AgentDriver(factory, options.dialect), options)


def _target(kind: str, spec: str, dialect: str) -> Target:
    """Read `MODULE:FACTORY`, where the module may be given as its file, and let it be imported."""
    module, colon, attribute = spec.rpartition(":")
    if not colon or not module or not attribute.replace(".", "_").isidentifier():
        raise UsageError(f"{spec!r}: name what makes your {kind} as MODULE:FACTORY, as in my_app:make_{kind}")
    folder = ""
    if module.endswith(".py"):
        path = Path(module)
        if not path.is_file():
            raise UsageError(f"there is no file {module!r}")
        folder, module = str(path.resolve().parent), path.stem
    for each in (folder, os.getcwd()):
        if each and each not in sys.path:
            sys.path.insert(0, each)
    return Target(kind, module, attribute, dialect)


def find_factory(target: Target) -> Callable[..., Any]:
    """Import what a target names. Raises `UsageError` where it cannot be had."""
    try:
        found: Any = import_module(target.module)
    except Exception as error:
        raise UsageError(f"cannot import {target.module!r}: {type(error).__name__}: {error}") from error
    for name in target.attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise UsageError(f"there is no {target.attribute!r} in {target.module!r}") from error
    if not callable(found):
        raise UsageError(f"{target} is no function or class that makes {target.kind}s: it is {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _fuzz(target: Target, make: Callable[[Any], Driver[Any]], options: Options) -> int:
    _check_ignored(target, options.ignore)
    with quiet():
        driver = make(find_factory(target))
        known = getattr(driver, "known", None)
        if known is not None:
            target = Target(target.kind, target.module, target.attribute, known.dialect.name)
        with _watched() as on_trial:
            campaign = Campaign(driver, options.budget, on_trial=on_trial, ignore=options.ignore)
            for finding in campaign:
                _hand_over(finding, target, options)
    _sum_up(target, campaign.progress, options)
    return FOUND if campaign.progress.found else 0


def _check_ignored(target: Target, ignore: Sequence[str]) -> None:
    names = [promise.name for promise in (AGENT_PROMISES if target.kind == "agent" else HANDLER_PROMISES)]
    for name in ignore:
        if name not in names:
            raise UsageError(f"there is no promise {name!r}: there are {', '.join(names)}{did_you_mean(name, names)}")


@contextmanager
def _watched() -> Generator[Callable[[Progress], None] | None]:
    """Show how many trials were made, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    with screen(errors=True).status("0 trials") as status:
        yield lambda progress: status.update(_progress(progress))


def _progress(progress: Progress) -> str:
    return f"{number(progress.trials, 'trial')}, {number(progress.found, 'finding')}"


def _hand_over(finding: Finding, target: Target, options: Options) -> None:
    source = finding.source(target, options.budget.seed)
    written: tuple[Path, ...] = ()
    if options.out is not None:
        written = finding.write(options.out, target, options.budget.seed)
    if options.as_json:
        print_json(
            {
                "promise": finding.promise.name,
                "says": finding.promise.says,
                "why": finding.why,
                "also": list(finding.also),
                "test": source,
                "files": [str(path) for path in written],
            }
        )
        return
    console = screen()
    console.print(line(("broken  ", "bold red"), (finding.promise.name, "bold"), "  ", said(finding.why)))
    if finding.also:
        console.print(line(f"        and so {', '.join(finding.also)}"))
    for path in written:
        console.print(line(f"        {safe(str(path), keep='')}"))
    console.print()
    for row in source.splitlines():
        console.print(line(("    " + safe(row, keep="")).rstrip()))
    console.print()


def _sum_up(target: Target, progress: Progress, options: Options) -> None:
    if options.as_json:
        print_json(
            {"target": str(target), "seed": options.budget.seed, "trials": progress.trials, "found": progress.found}
        )
        return
    screen().print(line(said(target), f": {_progress(progress)} (seed {options.budget.seed})"))
