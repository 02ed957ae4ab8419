"""The conformance suite for compositions: handlers that pass what they are told on to others.

Knows children that note, fail and wait. Does not know how a composition is made.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio

from playhead.events.locus import ToolStartEvent
from playhead.handlers.base import BaseStreamHandler, StreamHandler
from playhead.testing.outputs import name_of
from playhead.testing.report import Promise, Report
from playhead.testing.running import PATIENCE_S
from playhead.testing.suite import Check, broken, check, expect, run_checks

Compose = Callable[[Any], Any]
"""What makes one handler of several: a class that takes a list, or a function."""

_Call = Callable[[StreamHandler], Awaitable[None]]
_ENDS: Final[dict[str, _Call]] = {
    "on_complete": lambda handler: handler.on_complete(),
    "on_error": lambda handler: handler.on_error(ValueError("planted")),
}


class _Probe(BaseStreamHandler):
    """Note each call, and then fail, or wait for ever, if told to."""

    def __init__(self, error: Exception | None = None, *, waits: bool = False) -> None:
        self.calls: list[str] = []
        self.error = error
        self.waits = waits

    async def on_event(self, event: Any) -> None:
        await self._note(event.tool_name)

    async def on_complete(self) -> None:
        await self._note("on_complete")

    async def on_error(self, error: Exception) -> None:
        await self._note("on_error")

    async def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.waits:
            await anyio.sleep_forever()
        if self.error is not None:
            raise self.error


def _event(name: str) -> _Call:
    return lambda handler: handler.on_event(ToolStartEvent(tool_name=name, tool_call_id=name))


async def _raised(call: _Call, handler: StreamHandler) -> BaseException | None:
    try:
        await call(handler)
    except Exception as error:
        return error
    return None


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [] if error is None else [error]


@check("children-get-every-call", "each child gets each event, in order, and then the end")
async def _children_get_every_call(compose: Compose) -> None:
    for name, end in _ENDS.items():
        probes = [_Probe(), _Probe(), _Probe()]
        handler = compose(probes)
        for call in (_event("a"), _event("b"), end):
            await call(handler)
        for probe in probes:
            expect(probe.calls == ["a", "b", name], f"the calls a, b, {name} came to a child as {probe.calls}")


@check("siblings-are-not-starved", "a child that fails keeps no call from the others")
async def _siblings_are_not_starved(compose: Compose) -> None:
    for name, end in _ENDS.items():
        probes = [_Probe(), _Probe(ValueError("planted")), _Probe()]
        handler = compose(probes)
        for call in (_event("a"), end):
            await _raised(call, handler)
        for number, probe in enumerate(probes):
            expect(
                probe.calls == ["a", name],
                f"child 1 raised, and child {number} got {probe.calls} of the calls a, {name}",
                f"compose([probe, failing, probe]), then on_event, {name}",
            )


@check("errors-come-together", "what children raise is raised, all of it")
async def _errors_come_together(compose: Compose) -> None:
    errors = [ValueError("first"), KeyError("third")]
    handler = compose([_Probe(errors[0]), _Probe(), _Probe(errors[1])])
    for name, call in {"on_event": _event("a"), "on_complete": _ENDS["on_complete"]}.items():
        raised = await _raised(call, handler)
        expect(raised is not None, f"two children failed, and {name} raised nothing")
        missing = [error for error in errors if error not in _leaves(raised)]
        expect(not missing, f"two children failed, and {name} raised {raised!r}, without {missing}")


@check("nothing-after-the-end", "a child gets nothing after the end, and no second end")
async def _nothing_after_the_end(compose: Compose) -> None:
    for name, end in _ENDS.items():
        probe = _Probe()
        handler = compose([probe])
        for call in (_event("a"), end, _event("b"), *_ENDS.values()):
            await _raised(call, handler)
        expect(probe.calls == ["a", name], f"after {name} a child still got {probe.calls[2:]}")


@check("cancellation-passes", "cancelling a call that waits in a child ends the call, and is not taken for a failure")
async def _cancellation_passes(compose: Compose) -> None:
    for name, call in {"on_event": _event("a"), **_ENDS}.items():
        handler = compose([_Probe(ValueError("planted")), _Probe(waits=True)])
        outcome = ["it never ended"]

        async def cancelled(call: _Call = call, handler: StreamHandler = handler, outcome: list[str] = outcome) -> None:
            try:
                await call(handler)
            except anyio.get_cancelled_exc_class():
                outcome[0] = ""
                raise
            except BaseException as error:
                outcome[0] = f"it raised {type(error).__name__}"
            else:
                outcome[0] = "it returned"

        with anyio.move_on_after(PATIENCE_S):
            async with anyio.create_task_group() as group:
                group.start_soon(cancelled)
                await anyio.sleep(1)
                group.cancel_scope.cancel()
        expect(not outcome[0], f"{name} was cancelled while a child waited, and {outcome[0]}")


@check("ends-reach-everybody", "an end that is cancelled in one child is still told to the next")
async def _ends_reach_everybody(compose: Compose) -> None:
    for name, call in _ENDS.items():
        probe = _Probe()
        handler = compose([_Probe(waits=True), probe])
        with anyio.move_on_after(1):
            await call(handler)
            broken(f"{name} returned, although a child still waits")
        expect(probe.calls == [name], f"{name} was cancelled in one child, and the next one got {probe.calls}")


_CHECKS: Final[tuple[Check, ...]] = (
    _children_get_every_call,
    _siblings_are_not_starved,
    _errors_come_together,
    _nothing_after_the_end,
    _cancellation_passes,
    _ends_reach_everybody,
)

COMPOSITION_PROMISES: Final[tuple[Promise, ...]] = tuple(each.promise for each in _CHECKS)
"""What is expected of every composition."""


def check_composition(compose: Compose, *, backend: str = "asyncio") -> Report:
    """Put a composition to the test, and report each promise. `compose` makes one handler of a list of handlers."""
    return run_checks(name_of(compose), compose, _CHECKS, backend=backend)
