"""A conformance suite of checks: each promise has one, which uses a new subject and fails if it is broken.

Knows how checks are run and reported. Does not know what they check.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, NoReturn
from unittest import SkipTest

from playhead.errors import UsageError
from playhead.testing.report import Promise, Report, Result, State
from playhead.testing.running import Spinning, run_virtually


@dataclass(frozen=True, slots=True)
class Check:
    """Put one promise to the test: `run(factory)` raises `AssertionError` where it is broken.

    A second argument of that error is the example. It raises `unittest.SkipTest` where there is nothing to be tested.
    """

    promise: Promise
    run: Callable[[Any], Awaitable[None] | None]


def check(name: str, says: str) -> Callable[[Callable[[Any], Awaitable[None] | None]], Check]:
    """Make a check of a function: `@check("ends", "it ends")`."""
    return lambda run: Check(Promise(name, says), run)


def broken(why: str, example: str = "") -> NoReturn:
    """Say that a promise is broken, and by what."""
    raise AssertionError(why, example)


def expect(holds: object, why: str, example: str = "") -> None:
    """Say that a promise is broken unless something holds."""
    if not holds:
        broken(why, example)


def run_checks(subject: str, factory: Any, checks: Sequence[Check], *, backend: str = "asyncio") -> Report:
    """Run each check in virtual time, and report."""
    return Report(subject, tuple(run_check(each, factory, backend=backend) for each in checks))


def run_check(check: Check, factory: Any, *, backend: str = "asyncio") -> Result:
    """Run one check, and say what became of it. What it raises besides is a broken promise, too."""

    async def job() -> None:
        result = check.run(factory)
        if isawaitable(result):
            await result

    try:
        run_virtually(job, backend=backend)
    except SkipTest as skipped:
        return Result(check.promise, State.SKIPPED, str(skipped))
    except AssertionError as error:
        why, example = (*error.args, "", "")[:2]
        return Result(check.promise, State.BROKEN, str(why) or "an assertion failed", str(example))
    except (UsageError, Spinning) as error:
        return Result(check.promise, State.BROKEN, str(error))
    except Exception as error:
        first = error
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        if isinstance(first, AssertionError):
            return Result(check.promise, State.BROKEN, str(first.args[0] if first.args else first))
        return Result(check.promise, State.BROKEN, f"it raised {type(first).__name__}: {first}")
    return Result(check.promise, State.KEPT)
