"""The conformance suite for models: what answers a question in steps, or as native pieces.

Knows how an answer is left: read to its end, closed, cancelled, failed. Does not know what it says.
"""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final
from unittest import SkipTest

import anyio
import anyio.lowlevel

from playhead.errors import ModelFailure
from playhead.models.base import SteppingModel
from playhead.scripts.parts import Call, Say, Stop
from playhead.scripts.request import ModelRequest
from playhead.scripts.turn import Begin, End, Piece
from playhead.testing.outputs import name_of
from playhead.testing.report import Promise, Report
from playhead.testing.running import PATIENCE_S
from playhead.testing.suite import Check, check, expect, run_checks
from playhead.testing.traces import resources

ModelFactory = Callable[[], Any]
"""What makes a new model, which can be asked twice at least."""

_MAX_STEPS: Final = 10_000
_REQUEST: Final = ModelRequest(messages=({"role": "user", "content": "Plan a trip."},), tools=(), options={})


async def _steps(model: Any) -> list[Any]:
    """Return all steps of an answer, and the failure that ended it, if one did."""
    found: list[Any] = []
    with anyio.move_on_after(PATIENCE_S) as patience:
        async with aclosing(model.steps(_REQUEST)) as steps:
            try:
                async for step in steps:
                    found.append(step)
                    expect(len(found) < _MAX_STEPS, f"{_MAX_STEPS:,} steps came, and no end")
            except ModelFailure as failure:
                found.append(failure)
    expect(not patience.cancel_called, f"after {len(found)} steps the next one never came")
    return found


@check("answers-end", "an answer ends: with a stop, or with a ModelFailure")
async def _answers_end(make: ModelFactory) -> None:
    steps = await _steps(make())
    expect(steps, "an answer has no step at all")
    stops = [number for number, step in enumerate(steps) if isinstance(step, Stop | ModelFailure)]
    expect(stops == [len(steps) - 1], f"of {len(steps)} steps, those that stop are {stops}")


@check("parts-are-whole", "each part begins once, streams, and ends once, in order")
async def _parts_are_whole(make: ModelFactory) -> None:
    steps = await _steps(make())
    opened: dict[int, list[str]] = {}
    for step in steps:
        match step:
            case Begin(index=index):
                expect(index not in opened, f"part {index} begins twice")
                opened[index] = []
            case Piece(index=index, text=text):
                expect(index in opened, f"a piece of part {index} comes before that begins")
                opened[index].append(text)
            case End(index=index, part=part):
                expect(index in opened, f"part {index} ends before it begins")
                text = "".join(opened[index])
                expect("".join(part.pieces) == text, f"part {index} streamed {text!r}, and is {''.join(part.pieces)!r}")
                if isinstance(part, Call):
                    expect(part.id, f"the call of {part.tool!r} has no id")


@check("can-be-closed", "an answer can be closed after each step, and leaves nothing behind")
async def _can_be_closed(make: ModelFactory) -> None:
    count = len(await _steps(make()))
    for at in range(min(count, 20)):
        before = resources()
        steps = make().steps(_REQUEST)
        for _ in range(at):
            await anext(steps)
        with anyio.move_on_after(PATIENCE_S) as patience:
            await steps.aclose()
        expect(not patience.cancel_called, f"closed after step {at}, aclose() never returned")
        await anyio.sleep(1)
        left = resources() - before
        expect(not left, f"closed after step {at}, it left {', '.join(sorted(left))} behind")


@check("can-be-cancelled", "an answer can be cancelled after each step")
async def _can_be_cancelled(make: ModelFactory) -> None:
    count = len(await _steps(make()))
    for at in range(min(count, 20)):
        swallowed = True
        with anyio.CancelScope() as scope:
            async with aclosing(make().steps(_REQUEST)) as steps:
                for _ in range(at):
                    await anext(steps)
                scope.cancel()
                await anyio.lowlevel.checkpoint()
                swallowed = False
        expect(scope.cancelled_caught and swallowed, f"cancelled after step {at}, it went on")


@check("answers-are-independent", "an answer that was left does not disturb the next one")
async def _answers_are_independent(make: ModelFactory) -> None:
    whole = await _steps(make())
    model = make()
    steps = model.steps(_REQUEST)
    first = await anext(steps, None)
    await steps.aclose()
    expect(
        first == whole[0] or isinstance(whole[0], ModelFailure), f"the first step is {first!r}, and was {whole[0]!r}"
    )
    expect(await _steps(model), "after an answer that was closed, the next one has no step")


@check("pieces-are-the-steps", "stream() gives what the steps say, and its last piece is done")
async def _pieces_are_the_steps(make: ModelFactory) -> None:
    model = make()
    if not isinstance(model, SteppingModel):
        raise SkipTest("it has steps only")
    steps = await _steps(make())
    if isinstance(steps[-1], ModelFailure):
        raise SkipTest("its answer fails")
    said = "".join(step.text for step in steps if isinstance(step, Piece) and isinstance(step.part, Say))
    pieces = [piece async for piece in model.stream([{"role": "user", "content": "Plan a trip."}])]
    text = "".join(piece.content or "" for piece in pieces)
    expect(text == said, f"the steps say {said!r}, and stream() {text!r}")
    expect([piece.done for piece in pieces].index(True) == len(pieces) - 1, "not just the last piece is done")
    whole = await make().complete([{"role": "user", "content": "Plan a trip."}])
    expect((whole.content or "") == said, f"the steps say {said!r}, and complete() {whole.content!r}")


_CHECKS: Final[tuple[Check, ...]] = (
    _answers_end,
    _parts_are_whole,
    _can_be_closed,
    _can_be_cancelled,
    _answers_are_independent,
    _pieces_are_the_steps,
)

MODEL_PROMISES: Final[tuple[Promise, ...]] = tuple(each.promise for each in _CHECKS)
"""What is expected of every model."""


def check_model(factory: ModelFactory, *, backend: str = "asyncio") -> Report:
    """Put a model to the test: `playhead.models.base.Model`, or a `SteppingModel`. Reports each promise."""
    return run_checks(name_of(factory), factory, _CHECKS, backend=backend)
