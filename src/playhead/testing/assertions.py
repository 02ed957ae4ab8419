"""Assertions for tests: that a stream keeps its contracts, and that two runs are the same.

Knows how a failure reads. Does not know the rules, nor how streams are compared.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from os import PathLike
from typing import Any

from playhead.comparing.streams import compare
from playhead.contracts.check import Taped, check
from playhead.contracts.limits import Limits
from playhead.contracts.rule import Severity
from playhead.contracts.rules import RULES
from playhead.events.spans import Dialect
from playhead.replaying.tape import open_tape
from playhead.text import and_more, safe

Stream = str | PathLike[str] | Taped | Iterable[Any]
"""A cassette by its name, a tape, or the events of a run."""

_MAX_TOLD = 20


def assert_contracts(
    stream: Stream,
    *,
    dialect: str | Dialect = "locus",
    end: str | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    limits: Limits | None = None,
) -> None:
    """Fail if a stream breaks a rule; warnings do not count. The arguments are those of `playhead.check`.

    `stream` may also be the name of a cassette: a file, or `runs.db::trip`. The failure lists each finding with its
    place, and what the broken rules mean. Raises `AssertionError`, and what `playhead.check` raises.
    """
    __tracebackhide__ = True
    with ExitStack() as stack:
        source: Any = stack.enter_context(open_tape(stream)) if isinstance(stream, str | PathLike) else stream
        found = check(source, dialect=dialect, end=end, select=select, ignore=ignore, limits=limits)
        broken = [each for each in found if RULES[each.code].severity is not Severity.WARNING]
    if not broken:
        return
    codes = sorted({each.code for each in broken})
    told = [f"  {safe(str(each), keep='')}" for each in broken[:_MAX_TOLD]]
    told += [f"  and {len(broken) - _MAX_TOLD} more"] * (len(broken) > _MAX_TOLD)
    meanings = [f"  {code}: {RULES[code].meaning}. {RULES[code].why}" for code in codes]
    title = f"the stream breaks {and_more(codes, 5)}"
    raise AssertionError("\n".join([title, *told, "", *meanings, "", f"  more: playhead rule {codes[0]}"]))


def assert_same_run(a: Stream, b: Stream, *, dialect: str | Dialect | None = None, any_order: bool = True) -> None:
    """Fail if two runs differ in more than what differs from run to run.

    `a` and `b` are names of cassettes, tapes, or events. Volatile fields do not count, ids count up to a consistent
    renaming, and with `any_order` tools that run at the same time may go on and end in any order. How taped runs ended
    is compared too. The failure shows the first difference with both sides and what stands before it, and says what
    kind it is: missing, extra, moved, or changed at a path. Raises `AssertionError`, and what `playhead.diff` raises.
    """
    __tracebackhide__ = True
    with ExitStack() as stack:
        old, new = (
            stack.enter_context(open_tape(each)) if isinstance(each, str | PathLike) else each for each in (a, b)
        )
        found = compare(old, new, dialect=dialect, any_order=any_order)  # type: ignore[arg-type]
        ends = [list(each.runs.values()) if isinstance(each, Taped) else None for each in (old, new)]
    told = [str(found)] if found else []
    if None not in ends and ends[0] != ends[1]:
        told.append(f"the runs ended {' and '.join(repr(end) for end in ends)}")
    if told:
        raise AssertionError("the runs differ: " + "\n".join(told))
